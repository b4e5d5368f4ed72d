use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    ContractError, Failure, Parameter, Parameters,
    envelope::{Envelope, KEY},
};

const MESSAGE: &str = "Identity";

/// Which item a message speaks of: it travels in the metadata of every message, from source to sink.
///
/// It is JSON under the one metadata key `seggpt`: `item`, `name`, `source`, `index`, `total`, `width`, `height`, `time`
/// (RFC 3339), `position`, `notes`. All other metadata belongs to whoever sent it. A foreign picture (a camera node's) comes without
/// the key and is given a name on arrival.
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
    /// What was not taken as the picture's file has it, for its record: one sentence each.
    pub notes: Vec<String>,
    /// Everything else that came along in the metadata: passed on untouched.
    pub extra: Parameters,
}

/// Which part of its source an item is, e.g. `{"tile":{"x":0,...}}`; absent for the whole picture.
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

impl Position {
    /// Whether it is the whole picture.
    pub fn is_whole(&self) -> bool {
        *self == Self::Whole
    }
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
            notes: Vec::new(),
            extra: Parameters::new(),
        }
    }

    /// The metadata that carries this identity, beside everything that came along.
    pub fn to_parameters(&self) -> Parameters {
        self.enveloped(None)
    }

    /// As [`to_parameters`](Self::to_parameters), for an item that failed.
    pub(crate) fn enveloped(&self, failure: Option<&Failure>) -> Parameters {
        let envelope = Envelope {
            item: self.item.clone(),
            name: Some(self.name.clone()),
            source: Some(self.source.clone()),
            index: Some(self.index),
            total: self.total,
            width: Some(self.width),
            height: Some(self.height),
            time: self.time,
            position: self.position,
            notes: self.notes.clone(),
            error: failure.map(|failure| failure.error.clone()),
            failed_in: failure.map(|failure| failure.node.clone()),
        };
        let mut parameters = self.extra.clone();
        envelope.put(&mut parameters);
        parameters
    }

    /// Reads an identity. A message without the key `seggpt` is foreign: it is called `foreign`, its size is `size`, and
    /// its metadata goes along untouched.
    ///
    /// # Errors
    /// The key is there but no identity, or there is no size anywhere.
    pub fn from_parameters<'a>(
        parameters: &Parameters,
        foreign: impl Into<ForeignName<'a>>,
        size: Option<(u32, u32)>,
    ) -> Result<Self, ContractError> {
        let mut rest = parameters.clone();
        let envelope = Envelope::take(&mut rest)?;
        Self::opened(envelope, rest, foreign.into(), size)
    }

    /// Whether a message says which item it is of: one of a foreign node does not.
    pub fn is_in(parameters: &Parameters) -> bool {
        parameters.contains_key(KEY)
    }

    /// As [`from_parameters`](Self::from_parameters), for a message that cannot be read and is to be reported all the same:
    /// where it has no identity that can be read, it is taken for a foreign one. Its size is 1 x 1 unless it says.
    pub fn of_unreadable<'a>(parameters: &Parameters, foreign: impl Into<ForeignName<'a>>) -> Self {
        let mut rest = parameters.clone();
        let envelope = Envelope::take(&mut rest).unwrap_or_default();
        rest.remove(KEY);
        let size = Some((1, 1));
        Self::opened(envelope, rest, foreign.into(), size).expect("a size is given")
    }

    pub(crate) fn opened(
        envelope: Option<Envelope>,
        mut extra: Parameters,
        foreign: ForeignName,
        size: Option<(u32, u32)>,
    ) -> Result<Self, ContractError> {
        extra.retain(|key, _| !key.starts_with("__dora") && key != FRAMING);
        let note = match extra.remove(NOTE) {
            Some(Parameter::String(note)) => Some(note),
            _ => None,
        };
        let size = |given: (Option<u32>, Option<u32>)| match (given, size) {
            ((Some(width), Some(height)), _) | (_, Some((width, height))) => Ok((width, height)),
            _ => Err(ContractError::MissingKey {
                message: MESSAGE,
                key: "width".into(),
                place: "in the metadata",
            }),
        };
        let Some(envelope) = envelope else {
            let mut identity = Self::new(foreign.to_string(), foreign.number, size((None, None))?);
            identity.notes.extend(note);
            identity.time = CAPTURED.iter().find_map(|key| match extra.get(*key) {
                Some(Parameter::Timestamp(time)) => Some(*time),
                _ => None,
            });
            identity.extra = extra;
            return Ok(identity);
        };
        let (width, height) = size((envelope.width, envelope.height))?;
        let item = envelope.item;
        Ok(Self {
            name: envelope.name.unwrap_or_else(|| item.clone()),
            source: envelope.source.unwrap_or_else(|| item.clone()),
            index: envelope.index.unwrap_or(foreign.number),
            total: envelope.total,
            width,
            height,
            time: envelope.time,
            position: envelope.position,
            notes: envelope.notes.into_iter().chain(note).collect(),
            item,
            extra,
        })
    }
}

/// What a message is called that comes without identity: unique over restarts and runs, as long as sessions are.
#[derive(Clone, Copy, Debug)]
pub struct ForeignName<'a> {
    /// Names the process that received it, and since when; may be empty.
    pub session: &'a str,
    /// How many messages came before it in that session.
    pub number: u64,
}

impl fmt::Display for ForeignName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        if !self.session.is_empty() {
            write!(f, "{}/", self.session)?;
        }
        write!(f, "{:06}", self.number)
    }
}

impl From<u64> for ForeignName<'_> {
    fn from(number: u64) -> Self {
        Self {
            session: "",
            number,
        }
    }
}

/// Where foreign messages say when a picture was taken: the header of a ROS message comes first.
const CAPTURED: [&str; 3] = [STAMP, "timestamp", "time"];

/// The capture time of a ROS header, as this project passes it on.
pub(crate) const STAMP: &str = "stamp";

/// What there is to say of a foreign picture; it becomes one of the identity's notes.
pub(crate) const NOTE: &str = "__seggpt_note";

/// dora's own framing mark on every Arrow message; it is set anew on each send.
const FRAMING: &str = dora_message::metadata::FRAMING;
