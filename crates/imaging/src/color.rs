//! Colours as people write them.

use crate::Rgb;

/// `#rrggbb`, as in CSS; capital letters as well.
#[must_use]
pub fn hex([r, g, b]: Rgb) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

/// Reads `#rrggbb` or `#rgb`; `None` for anything else.
#[must_use]
pub fn parse(text: &str) -> Option<Rgb> {
    let digits = text.trim().strip_prefix('#')?;
    let digit = |at: usize| {
        let digit = char::from(*digits.as_bytes().get(at)?).to_digit(16)?;
        u8::try_from(digit).ok()
    };
    match digits.len() {
        6 => {
            let byte = |at| Some(digit(at)? << 4 | digit(at + 1)?);
            Some([byte(0)?, byte(2)?, byte(4)?])
        }
        3 => {
            let byte = |at| Some(digit(at)? * 17);
            Some([byte(0)?, byte(1)?, byte(2)?])
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_come_back_as_they_were_written() {
        assert_eq!(parse("#ff8000"), Some([255, 128, 0]));
        assert_eq!(parse("#FF8000").map(hex).as_deref(), Some("#ff8000"));
        assert_eq!(parse("#f80"), Some([255, 136, 0]));
        for wrong in [
            "ff8000", "#ff80", "#gg8000", "#+f8000", "#ff80001", "", "#ü0000",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
