//! JSON as labelling tools write it: `NaN` and `Infinity` where there is no number, numbers as text, truth as 0 and 1; and
//! lists whose records are taken one by one.

use std::{borrow::Cow, fmt, marker::PhantomData, path::Path};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, SeqAccess, Visitor},
};
use serde_json::Value;

use crate::AnnotationsError;

/// Parses a text that may have `NaN`, `Infinity` and `-Infinity`, which Python writes; they become null.
pub(crate) fn parse<T: DeserializeOwned>(text: &str) -> Result<T, serde_json::Error> {
    serde_json::from_str(&numbers(text))
}

/// [`parse`], with what the file was expected to be.
pub(crate) fn parse_file<T: DeserializeOwned>(
    path: &Path,
    text: &str,
    what: &str,
) -> Result<T, AnnotationsError> {
    parse(text).map_err(|error| AnnotationsError::format(path, format!("it is no {what}: {error}")))
}

fn numbers(text: &str) -> Cow<'_, str> {
    if !["NaN", "Infinity"].iter().any(|word| text.contains(word)) {
        return Cow::Borrowed(text);
    }
    let (mut out, mut copied) = (String::with_capacity(text.len()), 0);
    let (mut in_string, mut escaped, mut at) = (false, false, 0);
    let bytes = text.as_bytes();
    while at < bytes.len() {
        let byte = bytes[at];
        if in_string {
            in_string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
        } else if byte == b'"' {
            in_string = true;
        } else if let Some(word) = ["NaN", "-Infinity", "Infinity"]
            .iter()
            .find(|word| bytes[at..].starts_with(word.as_bytes()))
        {
            out.push_str(&text[copied..at]);
            out.push_str("null");
            at += word.len();
            copied = at;
            continue;
        }
        at += 1;
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

/// A record of a list.
pub(crate) trait Record: Sized {
    /// Makes sense of it; says what is odd otherwise.
    fn of(value: &Value) -> Result<Self, String>;
}

/// The records of a list, each by itself: the odd ones with what is odd and what they call themselves.
pub(crate) struct Records<T>(pub Vec<Result<T, Odd>>);

/// A record that makes no sense.
pub(crate) struct Odd {
    /// Its id, or its place in the list.
    pub which: String,
    /// What is wrong.
    pub reason: String,
}

impl<T> Default for Records<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Record> Deserialize<'de> for Records<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List<T>(PhantomData<T>);

        impl<'de, T: Record> Visitor<'de> for List<T> {
            type Value = Records<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a list of records")
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Records::default())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut records = Vec::new();
                while let Some(value) = list.next_element::<Value>()? {
                    let odd = |reason| Odd {
                        which: match value.get("id").and_then(key) {
                            Some(id) => id,
                            None => format!("number {} of the list", records.len() + 1),
                        },
                        reason,
                    };
                    let record = match value.is_object() {
                        true => T::of(&value),
                        false => Err("it is no record".to_owned()),
                    };
                    records.push(record.map_err(odd));
                }
                Ok(Records(records))
            }
        }

        deserializer.deserialize_any(List(PhantomData))
    }
}

/// A number, written as one or as text.
pub(crate) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
    .filter(|number| number.is_finite())
}

/// A whole number of 0 or more.
pub(crate) fn whole(value: &Value) -> Option<u64> {
    let number = number(value).filter(|number| *number >= 0.0 && number.fract() == 0.0)?;
    Some(number as u64)
}

/// An id: a whole number or a text.
pub(crate) fn key(value: &Value) -> Option<String> {
    match (value, whole(value)) {
        (_, Some(number)) => Some(number.to_string()),
        (Value::String(text), None) => Some(text.clone()).filter(|text| !text.is_empty()),
        _ => None,
    }
}

/// Truth as true, 1 or "1"; anything else is false.
pub(crate) fn truth(value: Option<&Value>) -> bool {
    match value {
        Some(Value::Bool(truth)) => *truth,
        Some(value) => number(value).is_some_and(|number| number != 0.0),
        None => false,
    }
}

/// A text that is not empty.
pub(crate) fn text(value: Option<&Value>) -> Option<&str> {
    value?.as_str().filter(|text| !text.trim().is_empty())
}

/// x, y, x, y, ... of a list of numbers or of pairs; `None` where one is no number.
pub(crate) fn points(value: &Value) -> Option<Vec<f64>> {
    let list = value.as_array()?;
    let mut all = Vec::with_capacity(list.len() * 2);
    for entry in list {
        match entry {
            Value::Array(pair) if pair.len() == 2 => {
                all.push(number(&pair[0])?);
                all.push(number(&pair[1])?);
            }
            entry => all.push(number(entry)?),
        }
    }
    all.len().is_multiple_of(2).then_some(all)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn python_s_numbers_become_null_outside_of_texts() {
        let text = r#"{"a": [NaN, -Infinity, Infinity, 1], "NaN \" Infinity": "NaN"}"#;
        let value: Value = parse(text).unwrap();
        assert_eq!(
            value,
            serde_json::json!({ "a": [null, null, null, 1], "NaN \" Infinity": "NaN" })
        );
    }

    #[test]
    fn numbers_come_in_many_forms() {
        let value = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(key(&value("3.0")).as_deref(), Some("3"));
        assert_eq!(key(&value("\"3\"")).as_deref(), Some("3"));
        assert_eq!(key(&value("\"a-3\"")).as_deref(), Some("a-3"));
        assert_eq!(key(&value("null")), None);
        assert!(truth(Some(&value("true"))) && truth(Some(&value("1"))));
        assert!(!truth(Some(&value("false"))) && !truth(Some(&value("null"))) && !truth(None));
        assert_eq!(
            points(&value("[[1, 2], [3, 4]]")),
            Some(vec![1., 2., 3., 4.])
        );
        assert_eq!(points(&value("[1, 2, null, 4]")), None);
        assert_eq!(points(&value("[1, 2, 3]")), None);
    }
}
