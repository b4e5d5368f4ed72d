use std::path::Path;

use super::{MaskFile, file::MaskReading};
use crate::{
    ImagingError,
    read::{self, Exif},
};

/// The values of a mask file, as they stand: palette indices or grey values, nothing resolved,
/// scaled or left out. What data sets publish as truth is read this way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ids {
    /// Width and height in pixels.
    pub size: (u32, u32),
    /// One value per pixel, row by row.
    pub values: Vec<u16>,
}

impl Ids {
    /// Reads a mask file; see [`Ids::decode`].
    ///
    /// # Errors
    /// [`ImagingError::Read`], and whatever [`Ids::decode`] refuses.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, ImagingError> {
        let name = path.as_ref().display().to_string();
        Self::decode(&read::bytes(path.as_ref())?, &name)
    }

    /// Decodes a mask file. `name` is what errors call it.
    ///
    /// # Errors
    /// What [`read::decode`] refuses; [`ImagingError::Mask`] if the file has colours.
    pub fn decode(bytes: &[u8], name: &str) -> Result<Self, ImagingError> {
        let wide = |values: Vec<u8>| values.into_iter().map(u16::from).collect();
        let (size, values) = match MaskReading::decode(bytes, name, Exif::Apply)?.file {
            MaskFile::Palette { size, indices, .. } => (size, wide(indices)),
            MaskFile::Grey { size, values } => (size, wide(values)),
            MaskFile::Deep { size, values } => (size, values),
            MaskFile::Shape { size, values } => {
                let marked = |opacity: u8| u16::from(opacity >= 128);
                (size, values.into_iter().map(marked).collect())
            }
            MaskFile::Rgb(picture) => {
                let grey = |pixel: &image::Rgb<u8>| {
                    let [r, g, b] = pixel.0;
                    (r == g && g == b).then_some(u16::from(r))
                };
                let values: Option<Vec<u16>> = picture.pixels().map(grey).collect();
                let values = values.ok_or_else(|| ImagingError::Mask {
                    name: name.to_owned(),
                    reason: "it has colours where ids are expected; save it as a palette or grey picture"
                        .to_owned(),
                })?;
                (picture.dimensions(), values)
            }
        };
        Ok(Self { size, values })
    }
}
