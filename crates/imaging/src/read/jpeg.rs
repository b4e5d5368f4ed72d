//! JPEG, strictly.

use image::{DynamicImage, GrayImage, ImageDecoder, ImageFormat, RgbImage};
use zune_core::{bytestream::ZCursor, colorspace::ColorSpace, options::DecoderOptions};
use zune_jpeg::{JpegDecoder, errors::DecodeErrors};

use super::refused;
use crate::ImagingError;

/// Decodes a JPEG that `lenient` has read the header of.
///
/// A lenient decoder fills what is missing or makes no sense with grey and says nothing; half a
/// picture must not pass for a whole one. Only sloppy headers, which spoil no pixel, are let pass.
/// (A JPEG has no checksum: garbage that happens to be valid code stays unseen, in any decoder.)
pub(super) fn decode(
    bytes: &[u8],
    name: &str,
    lenient: impl ImageDecoder,
) -> Result<DynamicImage, ImagingError> {
    const SLOPPY: &str = "Extra bytes between headers";
    let damaged = |reason: &str| ImagingError::Damaged {
        name: name.to_owned(),
        format: "JPEG",
        reason: reason.to_owned(),
    };
    let (width, height) = lenient.dimensions();
    let grey = lenient.color_type() == image::ColorType::L8;
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(usize::MAX)
        .set_max_height(usize::MAX)
        .jpeg_set_out_colorspace(if grey {
            ColorSpace::Luma
        } else {
            ColorSpace::RGB
        });
    match JpegDecoder::new_with_options(ZCursor::new(bytes), options).decode() {
        Ok(pixels) => {
            let picture = if grey {
                GrayImage::from_raw(width, height, pixels).map(DynamicImage::from)
            } else {
                RgbImage::from_raw(width, height, pixels).map(DynamicImage::from)
            };
            picture.ok_or_else(|| damaged("it has not the size that its header says"))
        }
        Err(error) if error.to_string().contains(SLOPPY) => DynamicImage::from_decoder(lenient)
            .map_err(|error| refused(name, ImageFormat::Jpeg, error)),
        Err(DecodeErrors::Unsupported(scheme)) => Err(unsupported(name, format!("{scheme:?}"))),
        Err(error) => Err(damaged(error.to_string().trim_matches('"'))),
    }
}

/// The way of writing a JPEG that no decoder here knows.
fn unsupported(name: &str, has: String) -> ImagingError {
    ImagingError::Unsupported {
        name: name.to_owned(),
        format: "JPEG",
        has,
        way_out:
            "save it as an ordinary JPEG or PNG, e.g. `djpeg picture.jpg | magick - picture.png`"
                .to_owned(),
    }
}
