//! Values of more than 8 bits to 8.
//!
//! Cameras and satellites put 10, 12 or 14 bits into files of 16, and nothing in the file says so. The largest value does:
//! the smallest depth of 8, 10, 12, 14 and 16 that holds it is the picture's, and its high eight bits are kept. Steps that
//! wide give pictures of one camera one scale. 65,535 does not count where nothing comes near it: it says "no value" or
//! "too bright".

use super::{Note, NoteKind};

/// Values of 16 bits to 8.
pub(crate) fn to_bytes(values: &[u16]) -> (Vec<u8>, Option<Note>) {
    let largest = values
        .iter()
        .copied()
        .filter(|&value| value != u16::MAX)
        .max()
        .unwrap_or(u16::MAX);
    let bits = depth(largest);
    let byte = |value: u16| (value >> (bits - 8)).min(255) as u8;
    let bytes = values.iter().map(|&value| byte(value)).collect();
    let note = (bits < 16 && largest > 0).then(|| {
        let text = match bits {
            8 => format!("the values of 16 bits end at {largest}: they are taken for values of 8 bits"),
            _ => format!(
                "the values of 16 bits end at {largest}: they are taken for values of {bits} bits and scaled so"
            ),
        };
        Note::new(NoteKind::Range, text)
    });
    (bytes, note)
}

fn depth(largest: u16) -> u32 {
    match largest {
        ..256 => 8,
        256..1024 => 10,
        1024..4096 => 12,
        4096..16_384 => 14,
        _ => 16,
    }
}

/// Values of any range to 8 bits: whole numbers up to 65,535 as values of 16 bits, 0..=1 from black to white, and others
/// between their smallest and their largest hundredth. What is no number is black.
pub(crate) fn any_to_bytes(values: &[f64]) -> (Vec<u8>, Option<Note>) {
    let finite = || values.iter().copied().filter(|value| value.is_finite());
    let (least, most) = finite().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    if least > most {
        let note = Note::new(
            NoteKind::Range,
            "there is no number among the values: the picture is black",
        );
        return (vec![0; values.len()], Some(note));
    }
    if least >= 0.0 && most <= f64::from(u16::MAX) && finite().all(|value| value.fract() == 0.0) {
        let whole: Vec<u16> = values.iter().map(|&value| value as u16).collect();
        return to_bytes(&whole);
    }
    let (low, high, text) = if least >= 0.0 && most <= 1.0 {
        (
            0.0,
            1.0,
            "values of 0 to 1 are scaled to 0 to 255".to_owned(),
        )
    } else {
        let (low, high) = hundredths(finite().collect());
        let text = format!(
            "values of {least} to {most} are scaled to 0 to 255 between {low} and {high}, the smallest and the largest hundredth"
        );
        (low, high, text)
    };
    let span = if high > low { high - low } else { 1.0 };
    // What is no number becomes 0.
    let byte = |value: &f64| ((value - low) / span * 255.0 + 0.5) as u8;
    (
        values.iter().map(byte).collect(),
        Some(Note::new(NoteKind::Range, text)),
    )
}

fn hundredths(mut values: Vec<f64>) -> (f64, f64) {
    let rank = values.len() / 100;
    let last = values.len() - 1 - rank;
    let (_, low, _) = values.select_nth_unstable_by(rank, f64::total_cmp);
    let low = *low;
    let (_, high, _) = values.select_nth_unstable_by(last, f64::total_cmp);
    (low, *high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_value_tells_the_depth() {
        for (largest, byte) in [
            (255, 255),
            (4095, 255),
            (3000, 187),
            (10_000, 156),
            (60_000, 234),
        ] {
            let (bytes, note) = to_bytes(&[0, largest]);
            assert_eq!(bytes, [0, byte], "{largest}");
            assert_eq!(note.is_some(), largest < 16_384);
        }
    }

    #[test]
    fn what_stands_for_no_value_does_not_set_the_scale() {
        let (bytes, note) = to_bytes(&[0, 2048, 65_535]);
        assert_eq!(bytes, [0, 128, 255]);
        assert!(note.is_some());
        assert_eq!(to_bytes(&[0, 65_535]).0, [0, 255]);
    }

    #[test]
    fn any_range_becomes_bytes_and_says_so() {
        assert_eq!(any_to_bytes(&[0.0, 0.5, 1.0]).0, [0, 128, 255]);
        assert_eq!(any_to_bytes(&[0.0, 255.0]).0, [0, 255]);
        let (bytes, note) = any_to_bytes(&[-10.0, f64::NAN, 0.0, 10.0]);
        assert_eq!(bytes, [0, 0, 128, 255]);
        assert!(note.is_some_and(|note| note.text.contains("-10 to 10")));
    }
}
