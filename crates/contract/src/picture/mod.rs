//! A picture in any of the encodings that cameras and nodes send.

mod convert;
mod dialects;
mod encoding;
mod layout;
mod sensor;

use std::borrow::Cow;

use arrow::buffer::Buffer;
use image::{ImageBuffer, Rgb, RgbImage};

pub use encoding::Encoding;

use crate::ContractError;

/// 8-bit RGB pixels, borrowed or owned.
pub type RgbView<'a> = ImageBuffer<Rgb<u8>, Cow<'a, [u8]>>;

pub(crate) const MESSAGE: &str = "Image";

/// A picture as it came: size, encoding, bytes. Cloning shares the bytes; decoding waits until [`to_rgb`](Self::to_rgb).
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    width: u32,
    height: u32,
    encoding: Encoding,
    data: Buffer,
}

impl Picture {
    /// `data`: rows without padding, or the bytes of an encoded file.
    ///
    /// # Errors
    /// A raw encoding whose bytes do not fit the size.
    pub fn new(
        width: u32,
        height: u32,
        encoding: Encoding,
        data: impl Into<Buffer>,
    ) -> Result<Self, ContractError> {
        let data = data.into();
        if let Some(expected) = encoding.raw_len(width, height)
            && expected != data.len()
        {
            let what = format!("a {width} x {height} {encoding} picture");
            return Err(ContractError::SizeMismatch {
                message: MESSAGE,
                what,
                found: data.len(),
                expected,
            });
        }
        Ok(Self {
            width,
            height,
            encoding,
            data,
        })
    }

    /// An 8-bit RGB picture; its pixels are taken over, not copied.
    pub fn from_rgb(picture: RgbImage) -> Self {
        let (width, height) = picture.dimensions();
        Self {
            width,
            height,
            encoding: Encoding::Rgb8,
            data: Buffer::from_vec(picture.into_raw()),
        }
    }

    /// Width in pixels.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Height in pixels.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// How [`bytes`](Self::bytes) are to be read.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// The bytes as they came.
    pub fn bytes(&self) -> &[u8] {
        &self.data
    }

    /// The picture as 8-bit RGB, upright.
    ///
    /// # Errors
    /// An encoded file that does not decode, or decodes to another size than stated.
    pub fn to_rgb(&self) -> Result<RgbImage, ContractError> {
        if !self.encoding.is_file() {
            return Ok(convert::to_rgb(self));
        }
        let name = format!("a {} picture", self.encoding);
        let undecodable =
            |error: seggpt_imaging::ImagingError| ContractError::Undecodable(error.to_string());
        let (w, h) = seggpt_imaging::read::size(&self.data, &name).map_err(undecodable)?;
        if (w, h) != (self.width, self.height) {
            return Err(ContractError::WrongValue {
                message: MESSAGE,
                key: "width x height".into(),
                found: format!("{} x {}", self.width, self.height),
                expected: format!("{w} x {h}, as the {} bytes decode", self.encoding),
            });
        }
        seggpt_imaging::read::decode(&self.data, &name).map_err(undecodable)
    }

    /// As [`to_rgb`](Self::to_rgb), without a copy where the bytes are 8-bit RGB already.
    ///
    /// # Errors
    /// As [`to_rgb`](Self::to_rgb).
    pub fn rgb(&self) -> Result<RgbView<'_>, ContractError> {
        let pixels = match self.encoding {
            Encoding::Rgb8 => Cow::Borrowed(self.bytes()),
            _ => Cow::Owned(self.to_rgb()?.into_raw()),
        };
        Ok(RgbView::from_raw(self.width, self.height, pixels)
            .expect("length checked on construction"))
    }

    pub(crate) fn buffer(&self) -> Buffer {
        self.data.clone()
    }
}
