use std::{fmt, str::FromStr};

/// Which bands are red, green and blue, and which says where pixels are valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bands {
    /// Of red, green and blue, from 0; one band three times where there is only one.
    pub colors: [usize; 3],
    /// Of validity: 0 is no pixel.
    pub alpha: Option<usize>,
}

impl Bands {
    /// The last band that is meant, from 0.
    #[must_use]
    pub fn last(&self) -> usize {
        self.colors.into_iter().chain(self.alpha).max().unwrap_or(0)
    }
}

impl FromStr for Bands {
    type Err = String;

    /// One, three or four numbers from 1, as GDAL counts: `4,1,2`; the fourth says where pixels are valid.
    fn from_str(text: &str) -> Result<Self, String> {
        let numbers: Option<Vec<usize>> = text
            .split(',')
            .map(|number| number.trim().parse::<usize>().ok()?.checked_sub(1))
            .collect();
        match numbers.as_deref() {
            Some([grey]) => Ok(Self {
                colors: [*grey; 3],
                alpha: None,
            }),
            Some([r, g, b]) => Ok(Self {
                colors: [*r, *g, *b],
                alpha: None,
            }),
            Some([r, g, b, alpha]) => Ok(Self {
                colors: [*r, *g, *b],
                alpha: Some(*alpha),
            }),
            _ => Err(format!(
                "`{text}` names no bands: give one, or three for red, green and blue, counted from 1, as in `4,1,2`"
            )),
        }
    }
}

impl fmt::Display for Bands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [r, g, b] = self.colors.map(|band| band + 1);
        match self.alpha {
            None => write!(f, "{r},{g},{b}"),
            Some(alpha) => write!(f, "{r},{g},{b},{}", alpha + 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_are_counted_from_one() {
        let of = |text: &str| text.parse::<Bands>().map(|bands| bands.to_string());
        assert_eq!(of("4, 1,2"), Ok("4,1,2".to_owned()));
        assert_eq!(of("3"), Ok("3,3,3".to_owned()));
        assert_eq!(of("1,2,3,4"), Ok("1,2,3,4".to_owned()));
        for wrong in ["", "0", "1,2", "a,b,c", "1,2,3,4,5"] {
            assert!(of(wrong).is_err(), "{wrong}");
        }
    }
}
