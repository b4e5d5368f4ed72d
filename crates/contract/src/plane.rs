//! Planes of 8 or 16 bit: raw while small, PNG beyond [`RAW_PLANE_LIMIT`](crate::RAW_PLANE_LIMIT).

use std::io::Cursor;

use arrow::buffer::Buffer;
use image::{
    ColorType, ExtendedColorType, ImageDecoder, ImageEncoder,
    codecs::png::{CompressionType, FilterType, PngDecoder, PngEncoder},
};

use crate::{ContractError, RAW_PLANE_LIMIT};

/// How many 8-bit pixels a byte of PNG can hold: deflate shrinks to a 1032nd at most (zlib's technical notes), and a byte
/// packs eight pixels of one bit.
const MOST_DEFLATED: usize = 1032 * 8;

/// `data`: one plane of `bits` 8 or 16 (little-endian). Returns what to send, and whether it is PNG.
pub(crate) fn pack(
    message: &'static str,
    what: &str,
    data: &Buffer,
    width: u32,
    height: u32,
    bits: u8,
) -> Result<(Buffer, bool), ContractError> {
    check(message, what, data.len(), width, height, bits)?;
    if data.len() <= RAW_PLANE_LIMIT {
        return Ok((data.clone(), false));
    }
    // image's PNG encoder takes native-endian samples.
    let color = if bits == 16 {
        ExtendedColorType::L16
    } else {
        ExtendedColorType::L8
    };
    let mut png = Vec::new();
    PngEncoder::new_with_quality(&mut png, CompressionType::Fast, FilterType::Up)
        .write_image(data, width, height, color)
        .map_err(|error| ContractError::Undecodable(error.to_string()))?;
    Ok((png.into(), true))
}

/// The opposite of [`pack`]; shares the buffer where it is raw.
pub(crate) fn unpack(
    message: &'static str,
    what: &str,
    data: Buffer,
    png: bool,
    width: u32,
    height: u32,
    bits: u8,
) -> Result<Buffer, ContractError> {
    if !png {
        check(message, what, data.len(), width, height, bits)?;
        return Ok(data);
    }
    let undecodable =
        |error: image::ImageError| ContractError::Undecodable(format!("`{what}`: {error}"));
    let mut decoder = PngDecoder::new(Cursor::new(data.as_slice())).map_err(undecodable)?;
    decoder
        .set_limits(image::Limits::no_limits())
        .map_err(undecodable)?;
    let color = if bits == 16 {
        ColorType::L16
    } else {
        ColorType::L8
    };
    if decoder.dimensions() != (width, height) || decoder.color_type() != color {
        let (w, h) = decoder.dimensions();
        return Err(ContractError::WrongValue {
            message,
            key: what.into(),
            found: format!("a PNG of {w} x {h}, {:?}", decoder.color_type()),
            expected: format!("{width} x {height}, {color:?}"),
        });
    }
    let expected = usize::try_from(decoder.total_bytes()).unwrap_or(usize::MAX);
    // A header may claim any size; memory is given only to what so many bytes can hold.
    if expected > data.len().saturating_mul(MOST_DEFLATED) {
        return Err(ContractError::Undecodable(format!(
            "`{what}`: {} bytes of PNG cannot hold {width} x {height} pixels",
            data.len()
        )));
    }
    let mut raw = vec![0; expected];
    decoder.read_image(&mut raw).map_err(undecodable)?;
    Ok(raw.into())
}

fn check(
    message: &'static str,
    what: &str,
    found: usize,
    width: u32,
    height: u32,
    bits: u8,
) -> Result<(), ContractError> {
    let pixels = (width as usize).saturating_mul(height as usize);
    let expected = pixels.saturating_mul(usize::from(bits / 8));
    if found == expected {
        return Ok(());
    }
    Err(ContractError::SizeMismatch {
        message,
        what: format!("`{what}` ({width} x {height}, {bits} bit)"),
        found,
        expected,
    })
}
