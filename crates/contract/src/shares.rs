use arrow::buffer::Buffer;

use crate::ContractError;

const MESSAGE: &str = "Shares";

/// How much of each pixel each class has, before anything is decided: what answers to parts of a whole, tiles or slices, are
/// mixed from. A class id cannot be averaged; a share can.
///
/// Background has what the classes leave, 255 - their sum. Cloning shares the bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Shares {
    side: u32,
    planes: Buffer,
    threshold: f32,
}

impl Shares {
    /// `planes`: for each class of the mask, in its order, a plane of `side` x `side` bytes, row by row. `threshold`: where
    /// a class begins, as its share of what background and it have together; between 0 and 1, both excluded.
    ///
    /// # Errors
    /// No whole number of planes, classes that have more than 255 together at some pixel, or another `threshold`.
    pub fn new(
        side: u32,
        planes: impl Into<Buffer>,
        threshold: f32,
    ) -> Result<Self, ContractError> {
        let planes = planes.into();
        let wrong = |key: &str, found: String, expected: &str| ContractError::WrongValue {
            message: MESSAGE,
            key: key.to_owned(),
            found,
            expected: expected.to_owned(),
        };
        if !(threshold > 0.0 && threshold < 1.0) {
            let expected = "a number between 0 and 1, both excluded";
            return Err(wrong("shares_threshold", threshold.to_string(), expected));
        }
        let each = (side as usize).saturating_mul(side as usize);
        if each == 0 || !planes.len().is_multiple_of(each) {
            let found = format!("{} bytes", planes.len());
            let expected = format!("planes of {side} x {side} bytes");
            return Err(wrong("shares", found, &expected));
        }
        let mut left = vec![u8::MAX; each];
        for plane in planes.chunks_exact(each) {
            for (left, share) in left.iter_mut().zip(plane) {
                *left = left.checked_sub(*share).ok_or_else(|| {
                    let found = "more than 255 in all at a pixel".to_owned();
                    wrong("shares", found, "at most 255 for all classes together")
                })?;
            }
        }
        Ok(Self {
            side,
            planes,
            threshold,
        })
    }

    /// Width and height of a plane.
    pub fn side(&self) -> u32 {
        self.side
    }

    /// All planes, one after another.
    pub fn bytes(&self) -> &Buffer {
        &self.planes
    }

    /// How many planes.
    pub fn classes(&self) -> usize {
        self.planes.len() / (self.side as usize * self.side as usize)
    }

    /// Where a class begins, as its share of what background and it have together.
    pub fn threshold(&self) -> f32 {
        self.threshold
    }
}
