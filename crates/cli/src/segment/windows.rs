//! `--window`: how many items are under way, or which grey values are shown; a number is the one, anything else the other.

use std::str::FromStr;

use seggpt_volume::Window;

/// One `--window`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Windows {
    /// So many items are under way at once.
    Count(u32),
    /// These grey values are shown.
    Grey(Window),
}

/// Items under way where nothing is said.
const COUNT: u32 = 4;
const MOST: u32 = 64;

impl FromStr for Windows {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse::<i64>() {
            Ok(number) => match u32::try_from(number) {
                Ok(count @ 1..=MOST) => Ok(Self::Count(count)),
                _ => Err(format!("`{text}`: 1 to {MOST} items may be under way")),
            },
            Err(_) => text.parse().map(Self::Grey).map_err(|error| {
                format!("{error}; or how many items may be under way, 1 to {MOST}")
            }),
        }
    }
}

impl Windows {
    /// How many items are under way: the last word on it.
    pub fn count(all: &[Self]) -> u32 {
        let count = |window: &Self| match window {
            Self::Count(count) => Some(*count),
            Self::Grey(_) => None,
        };
        all.iter().rev().find_map(count).unwrap_or(COUNT)
    }

    /// Which grey values are shown, where that is said.
    pub fn grey(all: &[Self]) -> Option<Window> {
        let grey = |window: &Self| match window {
            Self::Count(_) => None,
            Self::Grey(window) => Some(*window),
        };
        all.iter().rev().find_map(grey)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_counts_and_anything_else_is_grey() {
        let all: Result<Vec<Windows>, String> = ["8", "-600:1500", "2"]
            .into_iter()
            .map(str::parse)
            .collect();
        let all = all.unwrap_or_default();
        assert_eq!(Windows::count(&all), 2);
        assert_eq!(Windows::grey(&all), "lung".parse().ok());
        assert_eq!((Windows::count(&[]), Windows::grey(&[])), (4, None));
        for wrong in ["0", "65", "-3", "bright"] {
            let error = wrong
                .parse::<Windows>()
                .map_err(|error| error.contains("64"));
            assert_eq!(error, Err(true), "{wrong}");
        }
    }
}
