//! Masks and pictures to the bytes of a file.

use std::io::Write;

use image::RgbImage;

use crate::{BLACK, ImagingError, Rgb, palette};

/// What a mask file carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MaskFormat {
    /// A palette PNG with the class colours where all ids fit 8 bits, else grey ids of 16 bits.
    #[default]
    Palette,
    /// Grey ids: 8 bits where all ids fit, else 16.
    Ids,
}

/// A mask as PNG: pixel values are class ids, 0 is background.
///
/// * `ids`: one class id per pixel, row by row; `size` is (width, height).
/// * `classes`: id and colour of each class. They decide the depth, so that all masks of a run look
///   the same; ids of pixels that stand in no table count, too.
///
/// Palette entries of ids without a class are black for 0 and the PASCAL VOC colours else.
///
/// # Errors
/// [`ImagingError::Size`] if `ids` does not fit `size`; [`ImagingError::Encode`].
pub fn mask_png(
    ids: &[u16],
    size: (usize, usize),
    classes: &[(u16, Rgb)],
    format: MaskFormat,
) -> Result<Vec<u8>, ImagingError> {
    ImagingError::check_size("write a mask", ids.len(), size, 1)?;
    let largest = classes
        .iter()
        .map(|(id, _)| id)
        .chain(ids)
        .max()
        .copied()
        .unwrap_or(0);
    let Ok(largest) = u8::try_from(largest) else {
        return ids_png16(ids, size);
    };
    let row = |values: &[u16], out: &mut Vec<u8>| out.extend(values.iter().map(|&id| id as u8));
    match format {
        MaskFormat::Ids => encode(
            ids,
            size,
            png::ColorType::Grayscale,
            png::BitDepth::Eight,
            None,
            row,
        ),
        MaskFormat::Palette => {
            let table = color_table(largest, classes);
            encode(
                ids,
                size,
                png::ColorType::Indexed,
                png::BitDepth::Eight,
                Some(table),
                row,
            )
        }
    }
}

/// Grey ids of 16 bits as PNG.
///
/// # Errors
/// As [`mask_png`].
pub fn ids_png16(ids: &[u16], size: (usize, usize)) -> Result<Vec<u8>, ImagingError> {
    ImagingError::check_size("write a mask of 16 bits", ids.len(), size, 1)?;
    let row = |values: &[u16], out: &mut Vec<u8>| {
        out.extend(values.iter().flat_map(|id| id.to_be_bytes()));
    };
    encode(
        ids,
        size,
        png::ColorType::Grayscale,
        png::BitDepth::Sixteen,
        None,
        row,
    )
}

/// Instance ids ([`crate::components::Instances`]) as grey PNG of 16 bits.
///
/// # Errors
/// As [`mask_png`], and [`ImagingError::Classes`] for more than 65,535 instances.
pub fn instances_png(ids: &[u32], size: (usize, usize)) -> Result<Vec<u8>, ImagingError> {
    let narrow: Result<Vec<u16>, _> = ids.iter().map(|&id| u16::try_from(id)).collect();
    let narrow = narrow.map_err(|_| ImagingError::Classes {
        what: "write instances",
        reason: "a PNG holds 65535 instances; raise the smallest area that counts".to_owned(),
    })?;
    ids_png16(&narrow, size)
}

/// A plane of values 0..=255 (a confidence, say) as grey PNG.
///
/// # Errors
/// As [`mask_png`].
pub fn grey_png(values: &[u8], size: (usize, usize)) -> Result<Vec<u8>, ImagingError> {
    ImagingError::check_size("write a grey picture", values.len(), size, 1)?;
    let row = |values: &[u8], out: &mut Vec<u8>| out.extend(values);
    encode(
        values,
        size,
        png::ColorType::Grayscale,
        png::BitDepth::Eight,
        None,
        row,
    )
}

/// A picture as PNG.
///
/// # Errors
/// [`ImagingError::Encode`].
pub fn rgb_png(picture: &RgbImage) -> Result<Vec<u8>, ImagingError> {
    let size = (picture.width() as usize, picture.height() as usize);
    let (pixels, _) = picture.as_raw().as_chunks::<3>();
    let row = |values: &[Rgb], out: &mut Vec<u8>| out.extend(values.as_flattened());
    encode(
        pixels,
        size,
        png::ColorType::Rgb,
        png::BitDepth::Eight,
        None,
        row,
    )
}

/// A picture as JPEG of a quality from 1 to 100.
///
/// # Errors
/// [`ImagingError::Encode`], such as for a side beyond 65,535 pixels.
pub fn rgb_jpeg(picture: &RgbImage, quality: u8) -> Result<Vec<u8>, ImagingError> {
    let (width, height) = picture.dimensions();
    let refused = |reason| ImagingError::Encode {
        format: "JPEG",
        width: width as usize,
        height: height as usize,
        reason,
    };
    let (Ok(columns), Ok(rows)) = (u16::try_from(width), u16::try_from(height)) else {
        return Err(refused("a side has at most 65535 pixels".to_owned()));
    };
    let mut bytes = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, quality.clamp(1, 100));
    // Thin coloured lines would fade at half the resolution.
    encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::R_4_4_4);
    encoder
        .encode(picture, columns, rows, jpeg_encoder::ColorType::Rgb)
        .map_err(|error| refused(error.to_string()))?;
    Ok(bytes)
}

fn color_table(largest: u8, classes: &[(u16, Rgb)]) -> Vec<u8> {
    let mut table: Vec<Rgb> = (0..=largest).map(palette::voc).collect();
    table[0] = BLACK;
    for &(id, color) in classes {
        if let Some(entry) = table.get_mut(usize::from(id)) {
            *entry = color;
        }
    }
    table.into_flattened()
}

/// Encodes row by row; `bytes_of` appends one row's bytes.
fn encode<T>(
    values: &[T],
    (width, height): (usize, usize),
    color: png::ColorType,
    depth: png::BitDepth,
    colors: Option<Vec<u8>>,
    bytes_of: impl Fn(&[T], &mut Vec<u8>),
) -> Result<Vec<u8>, ImagingError> {
    let write = || -> Result<Vec<u8>, png::EncodingError> {
        let side = |side: usize| u32::try_from(side).map_err(std::io::Error::other);
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, side(width)?, side(height)?);
        encoder.set_color(color);
        encoder.set_depth(depth);
        if let Some(colors) = colors {
            encoder.set_palette(colors);
        }
        // A tenth of the time that `Balanced` takes; a mask gets a third larger by it.
        encoder.set_compression(png::Compression::Fast);
        let mut writer = encoder.write_header()?;
        let mut stream = writer.stream_writer()?;
        let mut row = Vec::new();
        for values in values.chunks_exact(width.max(1)) {
            row.clear();
            bytes_of(values, &mut row);
            stream.write_all(&row)?;
        }
        stream.finish()?;
        writer.finish()?;
        Ok(file)
    };
    let reason = |error: png::EncodingError| error.to_string();
    write().map_err(|error| ImagingError::Encode {
        format: "PNG",
        width,
        height,
        reason: reason(error),
    })
}
