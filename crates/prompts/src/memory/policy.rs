use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Which earlier frames are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    /// None: every frame is guided by the examples alone.
    #[default]
    None,
    /// The last K: the original's queue.
    Fifo,
    /// The last K of each n-th frame.
    Every,
    /// Frames whose answer is sure for every class: half of the places for the last, half for those least like each other.
    Gated,
}

/// A policy and its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rules {
    /// Which frames are kept.
    pub policy: Policy,
    /// How many at most.
    pub k: usize,
    /// For [`Policy::Every`]: n.
    pub every: u64,
    /// For [`Policy::Gated`]: the confidence that each class must exceed, 0 to 1.
    pub min: f32,
}

impl Policy {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::None, Self::Fifo, Self::Every, Self::Gated];

    /// As settings call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Fifo => "fifo",
            Self::Every => "every",
            Self::Gated => "gated",
        }
    }
}

impl Rules {
    /// The usual numbers for a policy that keeps `k` frames.
    #[must_use]
    pub fn new(policy: Policy, k: usize) -> Self {
        Self {
            policy,
            k,
            every: 5,
            min: 0.5,
        }
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Policy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|policy| policy.name() == text);
        found.ok_or_else(|| format!("`{text}` is no memory: none, fifo, every or gated"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for policy in Policy::ALL {
            assert_eq!(policy.to_string().parse(), Ok(policy));
        }
        assert!("queue".parse::<Policy>().is_err());
    }
}
