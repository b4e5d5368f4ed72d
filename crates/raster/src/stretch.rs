use std::{fmt, str::FromStr};

use crate::{Map, MapError, View};

/// What becomes of bands that have more than 8 bits, or are no whole numbers.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum Stretch {
    /// By what the map itself has: the 2nd and the 98th percentile of each band. Of two maps, the same ground may then look
    /// different.
    #[default]
    Own,
    /// From these values to 0 to 255: one range for all, or one for each of red, green and blue.
    Ranges(Vec<Range>),
}

/// What becomes black, and what becomes 255.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// Black and below.
    pub low: f64,
    /// Full and above; more than `low`.
    pub high: f64,
}

impl Range {
    /// The byte of a value; 0 of what is no number.
    #[must_use]
    pub fn byte(self, value: f64) -> u8 {
        let share = (value - self.low) / (self.high - self.low);
        (share.clamp(0.0, 1.0) * 255.0 + 0.5) as u8
    }
}

impl Stretch {
    /// The ranges of red, green and blue; `None` where the map's own decide.
    #[must_use]
    pub fn ranges(&self) -> Option<[Range; 3]> {
        match self {
            Self::Own => None,
            Self::Ranges(ranges) => match ranges[..] {
                [one] => Some([one; 3]),
                [red, green, blue, ..] => Some([red, green, blue]),
                _ => None,
            },
        }
    }

    /// One for all maps: the 2nd and 98th percentile of each band over samples of them all; `None` where all have 8 bits
    /// and need none.
    ///
    /// # Errors
    /// A map cannot be read.
    pub fn of(maps: &[Map], view: &View) -> Result<Option<Self>, MapError> {
        let deep: Vec<&Map> = maps.iter().filter(|map| !map.is_plain()).collect();
        if deep.is_empty() {
            return Ok(None);
        }
        let each = (SAMPLES / deep.len()).max(1000);
        let mut values: [Vec<f64>; 3] = Default::default();
        for map in deep {
            let found = view.sampled(map, each)?;
            values
                .iter_mut()
                .zip(found)
                .for_each(|(all, own)| all.extend(own));
        }
        Ok(Some(Self::Ranges(values.map(percentiles).to_vec())))
    }
}

/// So many values of a band tell its percentiles.
const SAMPLES: usize = 1 << 19;

/// The 2nd and the 98th percentile; 0 to 1 of nothing, and a width of 1 where all are alike.
pub(crate) fn percentiles(mut values: Vec<f64>) -> Range {
    values.retain(|value| value.is_finite());
    values.sort_by(f64::total_cmp);
    let at = |share: f64| {
        let last = values.len().saturating_sub(1);
        values.get((share * last as f64).round() as usize).copied()
    };
    let low = at(0.02).unwrap_or(0.0);
    let high = at(0.98).unwrap_or(1.0);
    let high = if high > low { high } else { low + 1.0 };
    Range { low, high }
}

impl FromStr for Stretch {
    type Err = String;

    /// `file`, or `LO:HI`, or three of them with commas between.
    fn from_str(text: &str) -> Result<Self, String> {
        if text == "file" {
            return Ok(Self::Own);
        }
        let range = |text: &str| {
            let (low, high) = text.split_once(':')?;
            let (low, high) = (low.trim().parse().ok()?, high.trim().parse().ok()?);
            (low < high).then_some(Range { low, high })
        };
        let ranges: Option<Vec<_>> = text.split(',').map(range).collect();
        match ranges {
            Some(ranges) if matches!(ranges.len(), 1 | 3) => Ok(Self::Ranges(ranges)),
            _ => Err(format!(
                "`{text}` is no stretch: give LO:HI with LO below HI, once or for red, green and blue, as in \
                 `200:2400,180:2100,150:1900`, or `file`"
            )),
        }
    }
}

impl fmt::Display for Stretch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own => f.write_str("file"),
            Self::Ranges(ranges) => {
                let texts = ranges
                    .iter()
                    .map(|range| format!("{}:{}", range.low, range.high));
                f.write_str(&texts.collect::<Vec<_>>().join(","))
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_is_read_as_it_is_written() {
        for text in ["file", "0:1", "-5:2.5,0:100,7:8"] {
            assert_eq!(text.parse::<Stretch>().unwrap().to_string(), text);
        }
        for wrong in ["", "5:5", "6:5", "1:2,3:4", "a:b", "1"] {
            assert!(wrong.parse::<Stretch>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn values_beyond_the_range_are_black_or_full() {
        let range = Range {
            low: 100.0,
            high: 300.0,
        };
        let bytes = [0.0, 100.0, 200.0, 300.0, 1e9, f64::NAN].map(|value| range.byte(value));
        assert_eq!(bytes, [0, 0, 128, 255, 255, 0]);
    }

    #[test]
    fn outliers_do_not_decide() {
        let mut values: Vec<f64> = (0..=1000).map(f64::from).collect();
        values.extend([1e12, f64::NAN, -1e12]);
        assert_eq!(
            percentiles(values),
            Range {
                low: 19.0,
                high: 981.0
            }
        );
        assert_eq!(
            percentiles(vec![4.0; 9]),
            Range {
                low: 4.0,
                high: 5.0
            }
        );
        assert_eq!(
            percentiles(vec![]),
            Range {
                low: 0.0,
                high: 1.0
            }
        );
    }
}
