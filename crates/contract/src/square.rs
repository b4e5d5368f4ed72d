use arrow::buffer::Buffer;
use image::RgbImage;

use crate::ContractError;

/// A square RGB picture of `size` x `size` x 3 bytes, row by row: a prompt, its painted mask or a query as the network takes it.
/// Cloning shares the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Square {
    size: u32,
    data: Buffer,
}

impl Square {
    /// # Errors
    /// `data` is not `size` x `size` x 3 bytes long.
    pub fn new(size: u32, data: impl Into<Buffer>) -> Result<Self, ContractError> {
        let data = data.into();
        let expected = Self::bytes_of(size);
        if data.len() != expected {
            return Err(ContractError::SizeMismatch {
                message: "Square",
                what: format!("a {size} x {size} RGB picture"),
                found: data.len(),
                expected,
            });
        }
        Ok(Self { size, data })
    }

    /// # Errors
    /// The picture is not square.
    pub fn from_rgb(picture: RgbImage) -> Result<Self, ContractError> {
        Self::new(picture.width(), picture.into_raw())
    }

    /// Side in pixels.
    pub fn size(&self) -> u32 {
        self.size
    }

    /// The RGB bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.data
    }

    /// A copy as an `image` picture.
    pub fn to_rgb(&self) -> RgbImage {
        RgbImage::from_raw(self.size, self.size, self.data.to_vec())
            .expect("length checked on construction")
    }

    pub(crate) fn bytes_of(size: u32) -> usize {
        (size as usize)
            .saturating_mul(size as usize)
            .saturating_mul(3)
    }

    /// One buffer of all squares, one after another.
    pub(crate) fn join<'a>(squares: impl IntoIterator<Item = &'a Square>) -> Buffer {
        let mut squares = squares.into_iter();
        let Some(first) = squares.next() else {
            return Buffer::from_vec(Vec::<u8>::new());
        };
        let Some(second) = squares.next() else {
            return first.data.clone();
        };
        let mut joined = [first.bytes(), second.bytes()].concat();
        squares.for_each(|square| joined.extend_from_slice(square.bytes()));
        Buffer::from_vec(joined)
    }

    /// The opposite of [`join`](Self::join); shares the buffer.
    pub(crate) fn split(
        message: &'static str,
        what: &str,
        size: u32,
        count: usize,
        data: &Buffer,
    ) -> Result<Vec<Self>, ContractError> {
        let each = Self::bytes_of(size);
        let expected = each.saturating_mul(count);
        if data.len() != expected {
            let what = format!("`{what}` ({count} RGB pictures of {size} x {size})");
            return Err(ContractError::SizeMismatch {
                message,
                what,
                found: data.len(),
                expected,
            });
        }
        Ok((0..count)
            .map(|i| Self {
                size,
                data: data.slice_with_length(i * each, each),
            })
            .collect())
    }
}
