//! Palette indices and packed grey values of PNG files, which the general decoder would resolve and scale.

use super::{MaskFile, transparent};
use crate::{
    ImagingError, Rgb,
    read::{Limits, Note},
};

/// `None` for other PNG files, and for those whose transparency means more than "background".
pub(super) fn values(
    bytes: &[u8],
    name: &str,
) -> Result<Option<(MaskFile, Option<Note>)>, ImagingError> {
    let damaged = |reason: String| ImagingError::Damaged {
        name: name.to_owned(),
        format: "PNG",
        reason,
    };
    let limits = Limits::default();
    let inner = png::Limits {
        bytes: usize::try_from(limits.bytes).unwrap_or(usize::MAX),
    };
    let mut decoder = png::Decoder::new_with_limits(std::io::Cursor::new(bytes), inner);
    decoder.set_transformations(png::Transformations::IDENTITY);
    let mut reader = decoder
        .read_info()
        .map_err(|error| damaged(error.to_string()))?;
    let info = reader.info();
    let (size, color, depth) = (
        (info.width, info.height),
        info.color_type,
        info.bit_depth as usize,
    );
    let opacity = info.trns.as_deref().map(<[u8]>::to_vec);
    let packed_grey = color == png::ColorType::Grayscale && depth < 8 && opacity.is_none();
    let is_turned = info.exif_metadata.is_some();
    if (color != png::ColorType::Indexed && !packed_grey) || (packed_grey && is_turned) {
        return Ok(None);
    }
    let colors: Vec<Rgb> = info
        .palette
        .as_deref()
        .map(|table| table.as_chunks::<3>().0.to_vec())
        .unwrap_or_default();
    limits.check(name, size, u64::from(size.0) * u64::from(size.1))?;
    let length = reader
        .output_buffer_size()
        .ok_or_else(|| damaged("its size overflows".to_owned()))?;
    let mut packed = vec![0; length];
    let frame = reader
        .next_frame(&mut packed)
        .map_err(|error| damaged(error.to_string()))?;
    let values = unpacked(&packed, frame.line_size, size.0 as usize, depth);
    if packed_grey {
        return Ok(Some((MaskFile::Grey { size, values }, None)));
    }
    let foreign = values
        .iter()
        .find(|&&index| usize::from(index) >= colors.len());
    if let Some(index) = foreign {
        let reason = format!(
            "pixel value {index}, but the palette has {} colours",
            colors.len()
        );
        return Err(damaged(reason));
    }
    Ok(transparent::palette(
        size,
        values,
        colors,
        &opacity.unwrap_or_default(),
    ))
}

/// Values of 1, 2, 4 or 8 bits, the first in the highest bits of its byte.
fn unpacked(packed: &[u8], line: usize, width: usize, depth: usize) -> Vec<u8> {
    let per_byte = 8 / depth;
    let largest = ((1u16 << depth) - 1) as u8;
    let value = |row: &[u8], x: usize| {
        let shift = 8 - depth * (x % per_byte + 1);
        row[x / per_byte] >> shift & largest
    };
    let rows = packed.chunks_exact(line.max(1));
    rows.flat_map(|row| (0..width).map(move |x| value(row, x)))
        .collect()
}
