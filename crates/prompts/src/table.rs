use std::str::FromStr;

use seggpt_imaging::color;

use crate::{ClassSetting, classes};

/// A class table on one line: `1:pebble:#ffffff,2:leaf`; names and colours may be left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassTable(pub Vec<ClassSetting>);

impl FromStr for ClassTable {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let settings = text.split(',').map(class).collect::<Result<Vec<_>, _>>()?;
        classes::check(&settings)?;
        Ok(Self(settings))
    }
}

fn class(text: &str) -> Result<ClassSetting, String> {
    let wrong = |what: &str| Err(format!("`{}`: {what}; write id:name:#rrggbb", text.trim()));
    let mut parts = text.split(':').map(str::trim);
    let Some(Ok(id)) = parts.next().map(str::parse) else {
        return wrong("the id is a number from 1 to 65535");
    };
    let name = parts.next().filter(|name| !name.is_empty());
    let color = match parts.next() {
        None => None,
        Some(color) => match color::parse(color) {
            None => return wrong("the colour is # and six hexadecimal digits"),
            color => color,
        },
    };
    if parts.next().is_some() {
        return wrong("there is one `:` too many");
    }
    Ok(ClassSetting {
        id,
        name: name.map(str::to_owned),
        color,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_and_colours_may_be_left_out() {
        let ClassTable(classes) = "1:pebble:#ff8000, 2:leaf,7, 9::#000001".parse().unwrap();
        let seen: Vec<_> = classes
            .iter()
            .map(|c| (c.id.get(), c.name.as_deref(), c.color))
            .collect();
        assert_eq!(
            seen,
            [
                (1, Some("pebble"), Some([255, 128, 0])),
                (2, Some("leaf"), None),
                (7, None, None),
                (9, None, Some([0, 0, 1])),
            ]
        );
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, what) in [
            ("0:soil", "id"),
            ("pebble", "id"),
            ("1:pebble:red", "colour"),
            ("1:pebble:#ff80", "colour"),
            ("1:pebble:#ff8000:x", "too many"),
            ("", "id"),
            ("1:a,1:b", "twice"),
            ("1:a:#ff0000,2:b:#ff0000", "same colour"),
            ("1:a:#000000", "black"),
        ] {
            let error = text.parse::<ClassTable>().unwrap_err();
            assert!(error.contains(what), "{text}: {error}");
        }
    }
}
