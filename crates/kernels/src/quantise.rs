//! Numbers as bytes: symmetric, by the largest of a row.

/// What 1 stands for once the largest number of the row is 127: NaN if any is not finite, 0 if all are zero.
pub(crate) fn scale(row: &[f32]) -> f32 {
    let largest = row.iter().fold(0f32, |largest, x| largest.max(x.abs()));
    let poison: f32 = row.iter().map(|x| x * 0.0).sum();
    largest / 127.0 + poison
}

pub(crate) fn inverse(scale: f32) -> f32 {
    if scale > 0.0 { 1.0 / scale } else { 0.0 }
}

/// -127..=127; NaN counts as zero, as its row's scale says it all.
pub(crate) fn quantise(x: f32, inverse: f32) -> i32 {
    (x * inverse).round_ties_even().clamp(-127.0, 127.0) as i32
}
