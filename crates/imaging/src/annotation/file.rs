//! The raw values of a mask file, before anything is made of them.

use image::{DynamicImage, ImageBuffer, ImageFormat, Luma, RgbImage, metadata::Orientation};

use super::{png, transparent};
use crate::{
    ImagingError, Rgb,
    read::{self, Decoded, Exif, Limits, Note, guarded},
    tiff::Tiff,
};

/// The values of a mask file in the form that the file has them.
pub(crate) enum MaskFile {
    /// A palette: indices and their colours.
    Palette {
        size: (u32, u32),
        indices: Vec<u8>,
        colors: Vec<Rgb>,
    },
    /// One channel of up to 8 bits, not scaled: a 1-bit file has the values 0 and 1.
    Grey { size: (u32, u32), values: Vec<u8> },
    /// One channel of 16 bits.
    Deep { size: (u32, u32), values: Vec<u16> },
    /// Opacity, where all that is opaque has one colour that says nothing: the shape is in the transparency.
    Shape { size: (u32, u32), values: Vec<u8> },
    /// Colours.
    Rgb(RgbImage),
}

/// A mask file's values, and how they were read.
pub(super) struct MaskReading {
    pub(super) file: MaskFile,
    pub(super) turned: Orientation,
    pub(super) notes: Vec<Note>,
}

impl MaskReading {
    pub(super) fn decode(bytes: &[u8], name: &str, exif: Exif) -> Result<Self, ImagingError> {
        guarded(name, || {
            let (file, orientation, notes) = stored(bytes, name)?;
            let turned = match exif {
                Exif::Apply => orientation,
                Exif::Ignore => Orientation::NoTransforms,
            };
            Ok(Self {
                file: file.turned(turned),
                turned,
                notes,
            })
        })
    }
}

/// The values as the file stores them, and how they want to be turned.
fn stored(bytes: &[u8], name: &str) -> Result<(MaskFile, Orientation, Vec<Note>), ImagingError> {
    match read::format(bytes, name)? {
        ImageFormat::Png => {
            if let Some((file, note)) = png::values(bytes, name)? {
                return Ok((file, Orientation::NoTransforms, note.into_iter().collect()));
            }
        }
        ImageFormat::Tiff => {
            let tiff = Tiff::open(bytes, name, Limits::default())?;
            if let Some(file) = tiff.labels()? {
                return Ok((
                    file,
                    tiff.orientation(),
                    tiff.other_pages().into_iter().collect(),
                ));
            }
        }
        _ => {}
    }
    let decoded = Decoded::open(bytes, name, Limits::default())?;
    let (file, note) = of_picture(decoded.picture);
    let mut notes = decoded.notes;
    notes.extend(note);
    Ok((file, decoded.orientation, notes))
}

fn of_picture(picture: DynamicImage) -> (MaskFile, Option<Note>) {
    let size = (picture.width(), picture.height());
    match picture {
        DynamicImage::ImageLuma8(grey) => {
            let values = grey.into_raw();
            (MaskFile::Grey { size, values }, None)
        }
        DynamicImage::ImageLuma16(grey) => {
            let values = grey.into_raw();
            (MaskFile::Deep { size, values }, None)
        }
        DynamicImage::ImageLumaA8(pixels) => transparent::grey(size, &pixels),
        DynamicImage::ImageLumaA16(pixels) => transparent::deep(size, &pixels),
        DynamicImage::ImageRgba8(pixels) => transparent::colors(&pixels),
        DynamicImage::ImageRgba16(_) => transparent::colors(&picture.into_rgba8()),
        colored => {
            let (pixels, note) = read::rgb8(colored);
            (MaskFile::Rgb(pixels), note)
        }
    }
}

impl MaskFile {
    fn turned(self, orientation: Orientation) -> Self {
        if orientation == Orientation::NoTransforms {
            return self;
        }
        match self {
            Self::Palette {
                size,
                indices,
                colors,
            } => {
                let (size, indices) = bytes_turned(size, indices, orientation);
                Self::Palette {
                    size,
                    indices,
                    colors,
                }
            }
            Self::Grey { size, values } => {
                let (size, values) = bytes_turned(size, values, orientation);
                Self::Grey { size, values }
            }
            Self::Shape { size, values } => {
                let (size, values) = bytes_turned(size, values, orientation);
                Self::Shape { size, values }
            }
            Self::Deep { size, values } => {
                let plane = ImageBuffer::<Luma<u16>, _>::from_raw(size.0, size.1, values);
                let mut plane = DynamicImage::from(plane.expect("one value per pixel"));
                plane.apply_orientation(orientation);
                let size = (plane.width(), plane.height());
                Self::Deep {
                    size,
                    values: plane.into_luma16().into_raw(),
                }
            }
            Self::Rgb(picture) => Self::Rgb(turned(picture, orientation)),
        }
    }
}

/// A picture, turned.
pub(super) fn turned(picture: RgbImage, orientation: Orientation) -> RgbImage {
    let mut picture = DynamicImage::from(picture);
    picture.apply_orientation(orientation);
    picture.into_rgb8()
}

fn bytes_turned(
    size: (u32, u32),
    values: Vec<u8>,
    orientation: Orientation,
) -> ((u32, u32), Vec<u8>) {
    let plane = ImageBuffer::<Luma<u8>, _>::from_raw(size.0, size.1, values);
    let mut plane = DynamicImage::from(plane.expect("one value per pixel"));
    plane.apply_orientation(orientation);
    (
        (plane.width(), plane.height()),
        plane.into_luma8().into_raw(),
    )
}
