use std::sync::Arc;

use arrow::array::{ArrayRef, UInt8Array};

use crate::{Parameter, Parameters, parameters::integer};

/// How a live source is, each second and when that changes. Metadata only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Health {
    /// How it is.
    pub state: State,
    /// Milliseconds since the last frame came; none where none has.
    pub quiet_ms: Option<u64>,
    /// Milliseconds from sending a frame to its answer: half of the last ones took no longer; none where none was answered.
    pub age_ms: Option<u64>,
    /// Frames that came so far.
    pub came: u64,
    /// Frames that were sent on.
    pub sent: u64,
    /// Frames that were answered.
    pub answered: u64,
    /// Frames that were not sent, since newer ones came.
    pub skipped: u64,
    /// Frames that were sent and never answered.
    pub lost: u64,
}

/// How a live source is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Frames come.
    Ok,
    /// No frame has come for a while.
    Stale,
    /// It is gone, and none will come.
    Down,
}

impl State {
    /// `ok`, `stale` or `down`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Stale => "stale",
            Self::Down => "down",
        }
    }
}

impl Health {
    /// The type's name in a dataflow.
    pub const URN: &'static str = "seggpt/flow/v1/Health";

    /// Metadata and payload, as `send_output` takes them.
    pub fn encode(&self) -> (Parameters, ArrayRef) {
        let state = Parameter::String(self.state.name().into());
        let counts = [
            ("came", Some(self.came)),
            ("sent", Some(self.sent)),
            ("answered", Some(self.answered)),
            ("skipped", Some(self.skipped)),
            ("lost", Some(self.lost)),
            ("quiet_ms", self.quiet_ms),
            ("age_ms", self.age_ms),
        ];
        let counts = counts
            .into_iter()
            .filter_map(|(key, count)| Some((key.to_owned(), integer(count?))));
        let parameters = counts.chain([("state".to_owned(), state)]).collect();
        (parameters, Arc::new(UInt8Array::from(Vec::<u8>::new())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_not_said() {
        let health = Health {
            state: State::Stale,
            quiet_ms: Some(5000),
            age_ms: None,
            came: 3,
            sent: 2,
            answered: 0,
            skipped: 1,
            lost: 0,
        };
        let (parameters, payload) = health.encode();
        assert_eq!(parameters["state"], Parameter::String("stale".into()));
        assert_eq!(parameters["quiet_ms"], Parameter::Integer(5000));
        assert!(!parameters.contains_key("age_ms") && payload.is_empty());
    }
}
