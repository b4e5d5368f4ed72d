//! The raw values of a mask file, before anything is made of them.

use image::{DynamicImage, RgbImage};

use crate::{
    ImagingError, Rgb,
    read::{self, Limits},
};

/// The values of a mask file in the form that the file has them.
pub(super) enum MaskFile {
    /// A palette PNG: indices and their colours.
    Palette {
        size: (u32, u32),
        indices: Vec<u8>,
        colors: Vec<Rgb>,
    },
    /// One channel of up to 8 bits, not scaled: a 1-bit file has the values 0 and 1.
    Grey { size: (u32, u32), values: Vec<u8> },
    /// One channel of 16 bits.
    Deep { size: (u32, u32), values: Vec<u16> },
    /// Colours; alpha is dropped.
    Rgb(RgbImage),
}

impl MaskFile {
    pub(super) fn decode(bytes: &[u8], name: &str) -> Result<Self, ImagingError> {
        if bytes.starts_with(b"\x89PNG\r\n\x1a\n")
            && let Some(file) = raw_png(bytes, name)?
        {
            return Ok(file);
        }
        let picture = read::decode_any(bytes, name, Limits::default())?;
        let size = (picture.width(), picture.height());
        Ok(match picture {
            DynamicImage::ImageLuma8(grey) => Self::Grey {
                size,
                values: grey.into_raw(),
            },
            DynamicImage::ImageLumaA8(_) => Self::Grey {
                size,
                values: picture.into_luma8().into_raw(),
            },
            DynamicImage::ImageLuma16(grey) => Self::Deep {
                size,
                values: grey.into_raw(),
            },
            DynamicImage::ImageLumaA16(_) => Self::Deep {
                size,
                values: picture.into_luma16().into_raw(),
            },
            colored => Self::Rgb(read::rgb8(colored)),
        })
    }
}

/// Palette indices and packed grey values, which the general decoder would resolve and scale.
/// `None` for other PNG files.
fn raw_png(bytes: &[u8], name: &str) -> Result<Option<MaskFile>, ImagingError> {
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
    let packed_grey = color == png::ColorType::Grayscale && depth < 8;
    if color != png::ColorType::Indexed && !packed_grey {
        return Ok(None);
    }
    let colors: Vec<Rgb> = info
        .palette
        .as_deref()
        .map(|table| table.as_chunks::<3>().0.to_vec())
        .unwrap_or_default();
    let needed = u64::from(size.0) * u64::from(size.1);
    if needed > limits.pixels {
        let (width, height) = size;
        return Err(ImagingError::TooLarge {
            name: name.to_owned(),
            width,
            height,
            bytes: needed,
            limits,
        });
    }
    let length = reader
        .output_buffer_size()
        .ok_or_else(|| damaged("its size overflows".to_owned()))?;
    let mut packed = vec![0; length];
    let frame = reader
        .next_frame(&mut packed)
        .map_err(|error| damaged(error.to_string()))?;
    let values = unpacked(&packed, frame.line_size, size.0 as usize, depth);
    Ok(Some(if packed_grey {
        MaskFile::Grey { size, values }
    } else if let Some(index) = values
        .iter()
        .find(|&&index| usize::from(index) >= colors.len())
    {
        let reason = format!(
            "pixel value {index}, but the palette has {} colours",
            colors.len()
        );
        return Err(damaged(reason));
    } else {
        MaskFile::Palette {
            size,
            indices: values,
            colors,
        }
    }))
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
