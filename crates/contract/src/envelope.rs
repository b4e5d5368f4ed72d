//! The one metadata key that is ours: JSON, so that other people's keys keep their names and meanings.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{ContractError, Parameter, Parameters, Position};

/// The metadata key.
pub(crate) const KEY: &str = "seggpt";

/// What stands under it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Envelope {
    pub item: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "side"
    )]
    pub width: Option<u32>,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "side"
    )]
    pub height: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Position::is_whole")]
    pub position: Position,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Why the item has no result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_in: Option<String>,
}

impl Envelope {
    pub fn put(&self, parameters: &mut Parameters) {
        let text = serde_json::to_string(self).expect("texts and numbers serialise");
        parameters.insert(KEY.into(), Parameter::String(text));
    }

    /// Takes the key out of the metadata; `None` where there is none.
    pub fn take(parameters: &mut Parameters) -> Result<Option<Self>, ContractError> {
        let wrong = |found: String, expected: String| ContractError::WrongValue {
            message: "Identity",
            key: KEY.into(),
            found,
            expected,
        };
        match parameters.remove(KEY) {
            None => Ok(None),
            Some(Parameter::String(text)) => serde_json::from_str(&text)
                .map(Some)
                .map_err(|error| wrong(text, format!("an identity as JSON ({error})"))),
            Some(other) => Err(wrong(format!("{other:?}"), "an identity as JSON".into())),
        }
    }
}

/// A picture's side: 1 to 2^31 - 1 pixels.
fn side<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    let side = Option::<u32>::deserialize(deserializer)?;
    if side.is_some_and(|side| side == 0 || side > i32::MAX as u32) {
        return Err(serde::de::Error::custom("a side is 1 to 2147483647 pixels"));
    }
    Ok(side)
}
