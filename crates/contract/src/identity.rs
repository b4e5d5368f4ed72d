use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    ContractError, Parameter, Parameters,
    parameters::{integer, take_count, take_side, take_text, take_time},
};

const MESSAGE: &str = "Identity";

/// Which item a message speaks of: it travels in the metadata of every message, from source to sink.
///
/// Metadata keys: `item`, `name`, `source`, `index`, `total`, `source_width`, `source_height`, `time`, `position`.
/// A foreign picture (a camera node's) carries none of them and is given an item number on arrival.
#[derive(Clone, Debug, PartialEq)]
pub struct Identity {
    /// Unique in the run; what the sink acknowledges.
    pub item: String,
    /// Where results of this item are stored: a relative path without extension, unique in the run.
    pub name: String,
    /// Where the picture came from: a path or URI.
    pub source: String,
    /// Position in the run, from 0.
    pub index: u64,
    /// How many items the run has, where the source knows.
    pub total: Option<u64>,
    /// Width of the picture in pixels, as its mask will be.
    pub width: u32,
    /// Height of the picture in pixels.
    pub height: u32,
    /// When it was taken, where the source knows.
    pub time: Option<DateTime<Utc>>,
    /// Which part of the source it is.
    pub position: Position,
    /// Everything else that came along in the metadata: passed on untouched.
    pub extra: Parameters,
}

/// Which part of its source an item is. In the metadata: JSON under `position`, e.g. `{"tile":{"x":0,...}}`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Position {
    /// The whole picture.
    #[default]
    Whole,
    /// A rectangle of a larger picture, in pixels from its upper left corner.
    Tile {
        /// Left edge.
        x: u32,
        /// Upper edge.
        y: u32,
        /// Width of the larger picture.
        of_width: u32,
        /// Height of the larger picture.
        of_height: u32,
    },
    /// A slice of a volume.
    Slice {
        /// Axis that the slices are stacked along: 0, 1 or 2.
        axis: u8,
        /// Slice number from 0.
        index: u32,
        /// Slices along the axis.
        count: u32,
    },
    /// A frame of a video or camera.
    Frame {
        /// Frame number from 0.
        number: u64,
    },
}

impl Identity {
    /// A whole picture called `item`, `size` = (width, height) in pixels.
    pub fn new(item: impl Into<String>, index: u64, size: (u32, u32)) -> Self {
        let item = item.into();
        Self {
            name: item.clone(),
            source: item.clone(),
            item,
            index,
            total: None,
            width: size.0,
            height: size.1,
            time: None,
            position: Position::Whole,
            extra: Parameters::new(),
        }
    }

    /// The metadata that carries this identity.
    pub fn to_parameters(&self) -> Parameters {
        let mut parameters = self.extra.clone();
        let mut put = |key: &str, value| parameters.insert(key.to_owned(), value);
        put("item", Parameter::String(self.item.clone()));
        put("name", Parameter::String(self.name.clone()));
        put("source", Parameter::String(self.source.clone()));
        put("index", integer(self.index));
        put("source_width", integer(self.width.into()));
        put("source_height", integer(self.height.into()));
        if let Some(total) = self.total {
            put("total", integer(total));
        }
        if let Some(time) = self.time {
            put("time", Parameter::Timestamp(time));
        }
        if self.position != Position::Whole {
            let position = serde_json::to_string(&self.position).expect("plain numbers serialise");
            put("position", Parameter::String(position));
        }
        parameters
    }

    /// Reads an identity. A message without `item` is foreign: it is numbered by `arrival`, and its size is `size`.
    ///
    /// # Errors
    /// A key of the wrong type, or no size anywhere.
    pub fn from_parameters(
        parameters: &Parameters,
        arrival: u64,
        size: Option<(u32, u32)>,
    ) -> Result<Self, ContractError> {
        let mut rest = parameters.clone();
        rest.retain(|key, _| !key.starts_with("__dora") && key != FRAMING);
        let side = |key: &str, given: Option<u32>, fallback: Option<u32>| {
            given.or(fallback).ok_or_else(|| ContractError::MissingKey {
                message: MESSAGE,
                key: key.into(),
                place: "in the metadata",
            })
        };
        let item = take_text(&mut rest, MESSAGE, "item")?;
        let name = take_text(&mut rest, MESSAGE, "name")?;
        let source = take_text(&mut rest, MESSAGE, "source")?;
        let index = take_count(&mut rest, MESSAGE, "index")?.unwrap_or(arrival);
        let item = item.unwrap_or_else(|| format!("{index:06}"));
        let width = take_side(&mut rest, MESSAGE, "source_width")?;
        let height = take_side(&mut rest, MESSAGE, "source_height")?;
        Ok(Self {
            name: name.unwrap_or_else(|| item.clone()),
            source: source.unwrap_or_else(|| item.clone()),
            index,
            total: take_count(&mut rest, MESSAGE, "total")?,
            width: side("source_width", width, size.map(|s| s.0))?,
            height: side("source_height", height, size.map(|s| s.1))?,
            time: take_time(&mut rest, MESSAGE, "time")?,
            position: match take_text(&mut rest, MESSAGE, "position")? {
                None => Position::Whole,
                Some(text) => {
                    serde_json::from_str(&text).map_err(|error| ContractError::WrongValue {
                        message: MESSAGE,
                        key: "position".into(),
                        found: text,
                        expected: format!("a position as JSON ({error})"),
                    })?
                }
            },
            item,
            extra: rest,
        })
    }
}

/// dora's own framing mark on every Arrow message; it is set anew on each send.
const FRAMING: &str = dora_message::metadata::FRAMING;
