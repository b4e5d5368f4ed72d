//! Picture files to 8-bit RGB.
//!
//! The format is told by the content, never by the name. What becomes of other pixels follows
//! Pillow's `convert("RGB")`, which the original engine uses: palettes are resolved, grey is
//! repeated, alpha is dropped (not blended), and 16-bit values keep their high byte (so a 12-bit
//! camera picture in a 16-bit file comes out dark: scale it before). Of a file with several pages
//! or frames, the first is read. Unlike the original engine, the EXIF orientation is applied:
//! pictures are segmented as people see them.

mod jpeg;

use std::{io::Cursor, path::Path};

use image::{
    DynamicImage, ImageBuffer, ImageDecoder, ImageFormat, ImageReader, Pixel, RgbImage,
    metadata::Orientation,
};

use crate::ImagingError;

/// How large a picture may be, so that a bad header cannot eat the memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Width times height.
    pub pixels: u64,
    /// Bytes of the decoded picture, in the file's own depth and channels.
    pub bytes: u64,
}

impl Default for Limits {
    /// 16,384 x 16,384 pixels and 2 GiB: room for 12,000 x 8,000 RGBA at 16 bits.
    fn default() -> Self {
        Self {
            pixels: 1 << 28,
            bytes: 1 << 31,
        }
    }
}

/// Reads and decodes a picture file.
///
/// # Errors
/// [`ImagingError::Read`], and whatever [`decode`] refuses.
pub fn open(path: impl AsRef<Path>) -> Result<RgbImage, ImagingError> {
    let name = path.as_ref().display().to_string();
    decode(&bytes(path.as_ref())?, &name)
}

/// Decodes a PNG, JPEG, TIFF, WebP or BMP to upright 8-bit RGB within the default [`Limits`].
///
/// `name` is what errors call the picture.
///
/// # Errors
/// [`ImagingError::Empty`], [`ImagingError::NotAPicture`], [`ImagingError::Damaged`] (also a file
/// that is cut short: half a picture is not returned), [`ImagingError::TooLarge`].
pub fn decode(bytes: &[u8], name: &str) -> Result<RgbImage, ImagingError> {
    decode_within(bytes, name, Limits::default())
}

/// [`decode`] with other limits.
///
/// # Errors
/// As [`decode`].
pub fn decode_within(bytes: &[u8], name: &str, limits: Limits) -> Result<RgbImage, ImagingError> {
    Ok(rgb8(decode_any(bytes, name, limits)?))
}

/// Width and height of the upright picture, from the header alone.
///
/// # Errors
/// [`ImagingError::Empty`], [`ImagingError::NotAPicture`], [`ImagingError::Damaged`].
pub fn size(bytes: &[u8], name: &str) -> Result<(u32, u32), ImagingError> {
    let format = format(bytes, name)?;
    let mut decoder = decoder(bytes, name, format, Limits::default())?;
    let (width, height) = decoder.dimensions();
    Ok(if turns_sideways(orientation(&mut decoder)) {
        (height, width)
    } else {
        (width, height)
    })
}

/// The file's bytes; an error names the file.
pub(crate) fn bytes(path: &Path) -> Result<Vec<u8>, ImagingError> {
    std::fs::read(path).map_err(|source| ImagingError::Read {
        name: path.display().to_string(),
        source,
    })
}

/// The upright picture in the depth and channels of its file.
pub(crate) fn decode_any(
    bytes: &[u8],
    name: &str,
    limits: Limits,
) -> Result<DynamicImage, ImagingError> {
    let format = format(bytes, name)?;
    let mut decoder = decoder(bytes, name, format, limits)?;
    let (width, height) = decoder.dimensions();
    let needed = decoder.total_bytes();
    if u64::from(width) * u64::from(height) > limits.pixels || needed > limits.bytes {
        return Err(ImagingError::TooLarge {
            name: name.to_owned(),
            width,
            height,
            bytes: needed,
            limits,
        });
    }
    let orientation = orientation(&mut decoder);
    let mut picture = if format == ImageFormat::Jpeg {
        jpeg::decode(bytes, decoder).map_err(|reason| damaged(name, format, reason))?
    } else {
        DynamicImage::from_decoder(decoder).map_err(|error| damaged(name, format, error))?
    };
    picture.apply_orientation(orientation);
    Ok(picture)
}

fn format(bytes: &[u8], name: &str) -> Result<ImageFormat, ImagingError> {
    if bytes.is_empty() {
        return Err(ImagingError::Empty {
            name: name.to_owned(),
        });
    }
    let guess = image::guess_format(bytes).ok();
    match guess.filter(ImageFormat::reading_enabled) {
        Some(format) => Ok(format),
        None => {
            let found = match guess {
                Some(other) => format!("it is {other:?}; convert it to PNG first"),
                None if looks_like_text(bytes) => "it holds text".to_owned(),
                None => format!(
                    "it starts with the bytes {:02x?}",
                    &bytes[..bytes.len().min(8)]
                ),
            };
            Err(ImagingError::NotAPicture {
                name: name.to_owned(),
                found,
            })
        }
    }
}

fn decoder<'a>(
    bytes: &'a [u8],
    name: &str,
    format: ImageFormat,
    limits: Limits,
) -> Result<impl ImageDecoder + 'a, ImagingError> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut inner = image::Limits::default();
    // Ours are checked against the header; this one only stops a decoder that runs away.
    inner.max_alloc = Some(limits.bytes.saturating_mul(2));
    reader.limits(inner);
    reader
        .into_decoder()
        .map_err(|error| damaged(name, format, error))
}

fn damaged(name: &str, format: ImageFormat, reason: impl ToString) -> ImagingError {
    ImagingError::Damaged {
        name: name.to_owned(),
        format: format_name(format),
        reason: reason.to_string(),
    }
}

fn format_name(format: ImageFormat) -> &'static str {
    match format {
        ImageFormat::Png => "PNG",
        ImageFormat::Jpeg => "JPEG",
        ImageFormat::Tiff => "TIFF",
        ImageFormat::WebP => "WebP",
        ImageFormat::Bmp => "BMP",
        _ => "picture",
    }
}

/// A picture with unreadable metadata is still a picture: it counts as upright.
fn orientation(decoder: &mut impl ImageDecoder) -> Orientation {
    decoder.orientation().unwrap_or(Orientation::NoTransforms)
}

fn turns_sideways(orientation: Orientation) -> bool {
    use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    matches!(
        orientation,
        Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH
    )
}

fn looks_like_text(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(512)];
    head.iter()
        .all(|&b| b >= 0x20 && b != 0x7f || matches!(b, b'\t' | b'\n' | b'\r' | 0x0c))
}

pub(crate) fn rgb8(picture: DynamicImage) -> RgbImage {
    match picture {
        DynamicImage::ImageLuma16(deep) => high_bytes(&deep),
        DynamicImage::ImageLumaA16(deep) => high_bytes(&deep),
        DynamicImage::ImageRgb16(deep) => high_bytes(&deep),
        DynamicImage::ImageRgba16(deep) => high_bytes(&deep),
        shallow => shallow.into_rgb8(),
    }
}

fn high_bytes<P: Pixel<Subpixel = u16>>(deep: &ImageBuffer<P, Vec<u16>>) -> RgbImage {
    let mut out = RgbImage::new(deep.width(), deep.height());
    for (to, from) in out.pixels_mut().zip(deep.pixels()) {
        to.0 = from.to_rgb().0.map(|value| (value >> 8) as u8);
    }
    out
}
