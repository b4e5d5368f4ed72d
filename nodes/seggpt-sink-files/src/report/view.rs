//! Records as the page shows them.

use seggpt_contract::ClassResult;
use seggpt_node::colors;

use crate::{record::Record, report::thumbs::Thumbs};

/// Kinds of files in the order and words of the page.
const FILES: [(&str, &str); 6] = [
    ("mask", "mask"),
    ("overlay", "overlay"),
    ("confidence", "confidence"),
    ("raw", "raw output"),
    ("instances", "instances"),
    ("instance_table", "table"),
];

/// A finished item.
pub struct Card {
    pub record: Record,
    pub earlier: bool,
    pub thumbs: Thumbs,
}

/// A class in a picture.
pub struct Share<'a> {
    pub name: &'a str,
    pub color: String,
    pub fraction: f64,
    pub confidence: f64,
}

impl Share<'_> {
    pub fn percent(&self) -> String {
        percent(self.fraction)
    }

    pub fn sure(&self) -> String {
        percent(self.confidence)
    }

    pub fn width(&self) -> String {
        width(self.fraction)
    }
}

impl Card {
    /// The classes that the picture shows, largest first.
    pub fn shares(&self) -> Vec<Share<'_>> {
        let all = f64::from(self.record.width) * f64::from(self.record.height);
        let shown = colors::shown(self.record.classes.iter().map(|result| &result.class));
        let mut shares: Vec<_> = self
            .record
            .classes
            .iter()
            .zip(shown)
            .filter(|(result, _)| result.pixels > 0)
            .map(
                |(
                    ClassResult {
                        class,
                        pixels,
                        confidence,
                    },
                    color,
                )| Share {
                    name: &class.name,
                    color: css(color),
                    fraction: *pixels as f64 / all,
                    confidence: f64::from(*confidence),
                },
            )
            .collect();
        shares.sort_by(|a, b| b.fraction.total_cmp(&a.fraction));
        shares
    }

    pub fn instances(&self) -> Option<String> {
        self.record
            .instances
            .map(|number| count(number, "instance"))
    }

    /// How many examples guided it.
    pub fn guided_by(&self) -> Option<String> {
        let number = self.record.prompts.len();
        (number > 0).then(|| count(number, "prompt"))
    }

    pub fn sure(&self) -> String {
        percent(self.record.confidence.into())
    }

    pub fn time(&self) -> String {
        duration(self.record.milliseconds())
    }

    /// What the search field looks through.
    pub fn words(&self) -> String {
        let classes = self.shares().into_iter().map(|share| share.name.to_owned());
        let mut words: Vec<_> = [self.record.name.clone()]
            .into_iter()
            .chain(classes)
            .collect();
        words.push(self.record.source.clone());
        words.join(" ").to_lowercase()
    }

    /// Link to a file of the item, where there is one.
    pub fn link(&self, kind: &str) -> Option<String> {
        self.record.files.get(kind).map(|file| href(file))
    }

    /// All its files.
    pub fn links(&self) -> Vec<(&'static str, String)> {
        let files = FILES
            .iter()
            .filter_map(|(kind, shown)| Some((*shown, self.link(kind)?)));
        files.collect()
    }

    /// The examples, for a tooltip.
    pub fn guides(&self) -> String {
        let names: Vec<_> = self
            .record
            .prompts
            .iter()
            .map(|guide| guide.name.as_str())
            .collect();
        names.join(", ")
    }

    /// Milliseconds by stage, for a tooltip.
    pub fn stages(&self) -> String {
        let stages = self.record.provenance.iter().flat_map(|p| &p.milliseconds);
        let stages: Vec<_> = stages
            .map(|(stage, time)| format!("{stage} {}", duration(*time)))
            .collect();
        stages.join(", ")
    }
}

/// An error without the name that it starts with, since that stands beside it.
pub fn why(record: &Record) -> &str {
    let error = record.error.as_deref().unwrap_or_default();
    let named = [&record.source, &record.item, &record.name];
    named
        .iter()
        .find_map(|name| error.strip_prefix(name.as_str())?.strip_prefix(": "))
        .unwrap_or(error)
}

/// A number of things.
pub fn count(number: usize, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {thing}{plural}")
}

/// A colour for a style attribute.
pub fn css([r, g, b]: [u8; 3]) -> String {
    format!("rgb({r} {g} {b})")
}

/// A share as a width in a style attribute.
pub fn width(fraction: f64) -> String {
    format!("{:.2}%", (fraction * 100.0).clamp(0.0, 100.0))
}

/// A share for people.
pub fn percent(fraction: f64) -> String {
    match fraction * 100.0 {
        0.0 => "0 %".into(),
        p if p < 0.1 => "< 0.1 %".into(),
        p if p < 10.0 => format!("{p:.1} %"),
        p => format!("{p:.0} %"),
    }
}

/// Milliseconds for people.
pub fn duration(milliseconds: f64) -> String {
    match milliseconds {
        ms if ms < 10.0 => format!("{ms:.1} ms"),
        ms if ms < 1000.0 => format!("{ms:.0} ms"),
        ms if ms < 60_000.0 => format!("{:.1} s", ms / 1000.0),
        ms => format!("{} min {} s", ms as u64 / 60_000, ms as u64 / 1000 % 60),
    }
}

/// `2026-11-23T17:04:05Z` as `2026-11-23 17:04 UTC`.
pub fn moment(time: &str) -> String {
    match time.get(..16) {
        Some(minute) => format!("{} UTC", minute.replace('T', " ")),
        None => time.to_owned(),
    }
}

/// A relative path as a link.
pub fn href(path: &str) -> String {
    // `./` keeps a colon in the first part from being read as a scheme.
    path.bytes().fold("./".to_owned(), |mut link, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                link.push(byte.into())
            }
            other => link.push_str(&format!("%{other:02X}")),
        }
        link
    })
}

#[cfg(test)]
mod tests {
    use seggpt_contract::{Failure, Identity};

    use super::*;

    #[test]
    fn links_lead_to_files_with_any_name() {
        assert_eq!(href("a b/100%#?.png"), "./a%20b/100%25%23%3F.png");
        assert_eq!(href("ü:\"<"), "./%C3%BC%3A%22%3C");
    }

    #[test]
    fn an_error_does_not_repeat_the_name_beside_it() {
        let identity = Identity::new("a.png", 0, (1, 1));
        let failure = |error: &str| Failure {
            node: String::new(),
            error: error.into(),
        };
        let record = |error| Record::failed(&identity, "", "", failure(error));
        assert_eq!(why(&record("a.png: is empty")), "is empty");
        assert_eq!(why(&record("b.png: is empty")), "b.png: is empty");
    }

    #[test]
    fn shares_and_times_are_short() {
        assert_eq!(percent(0.0), "0 %");
        assert_eq!(percent(0.0004), "< 0.1 %");
        assert_eq!(percent(0.0312), "3.1 %");
        assert_eq!(percent(0.57), "57 %");
        assert_eq!(duration(3.21), "3.2 ms");
        assert_eq!(duration(430.4), "430 ms");
        assert_eq!(duration(1234.0), "1.2 s");
        assert_eq!(duration(125_000.0), "2 min 5 s");
        assert_eq!(moment("2026-11-23T17:04:05Z"), "2026-11-23 17:04 UTC");
    }
}
