//! Blocks of a TIFF file, decompressed.

use std::io::Read;

use image::ImageFormat;
use weezl::{BitOrder, LzwStatus, decode::Decoder};
use zune_core::{bytestream::ZCursor, colorspace::ColorSpace, options::DecoderOptions};
use zune_jpeg::JpegDecoder;

use crate::{
    Refusal,
    compression::{DEFLATE, DEFLATE_OLD, GROUP_4, JPEG, LZW, NONE, PACK_BITS, WEBP, ZSTD, known},
    fax,
};

/// What a block should hold.
pub(crate) struct Block<'a> {
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// Samples of a pixel in it: 1 where colours are in planes.
    pub(crate) samples: usize,
    /// Bytes of all its rows, each filled to whole bytes.
    pub(crate) length: usize,
    /// Whether three samples are YCbCr, to be read as RGB.
    pub(crate) ycbcr: bool,
    /// What all JPEG blocks share.
    pub(crate) tables: &'a [u8],
}

/// The block's bytes: `length` of them, in the file's byte order; JPEG and WebP have none.
pub(crate) fn decompress(compression: u16, data: &[u8], block: &Block) -> Result<Vec<u8>, Refusal> {
    let mut out = vec![0; block.length];
    match compression {
        NONE => {
            let whole = data
                .get(..out.len())
                .ok_or_else(|| short(data.len(), out.len()))?;
            out.copy_from_slice(whole);
        }
        LZW => lzw(data, &mut out)?,
        DEFLATE | DEFLATE_OLD => {
            let mut reader = flate2::read::ZlibDecoder::new(data);
            reader
                .read_exact(&mut out)
                .map_err(|error| format!("Deflate: {error}"))?;
        }
        PACK_BITS => pack_bits(data, &mut out)?,
        ZSTD => {
            let reader = ruzstd::decoding::StreamingDecoder::new(data);
            let mut reader = reader.map_err(|error| format!("ZSTD: {error}"))?;
            reader
                .read_exact(&mut out)
                .map_err(|error| format!("ZSTD: {error}"))?;
        }
        GROUP_4 => fax::decode(data, (block.width, block.height), &mut out)?,
        JPEG => return jpeg(data, block),
        WEBP => {
            let picture = image::load_from_memory_with_format(data, ImageFormat::WebP);
            let picture = picture.map_err(|error| format!("WebP: {error}"))?;
            out = match block.samples {
                4 => picture.into_rgba8().into_raw(),
                _ => picture.into_rgb8().into_raw(),
            };
        }
        other => known(other)?,
    }
    if out.len() < block.length {
        return Err(short(out.len(), block.length).into());
    }
    Ok(out)
}

fn short(found: usize, needed: usize) -> String {
    format!("a strip or tile has {found} bytes of {needed}")
}

fn lzw(data: &[u8], out: &mut [u8]) -> Result<(), Refusal> {
    if let [0, second, ..] = data
        && second & 1 == 1
    {
        return Err(Refusal::Unsupported(
            "its compression is LZW as of 1988".to_owned(),
        ));
    }
    let mut decoder = Decoder::with_tiff_size_switch(BitOrder::Msb, 8);
    let (mut taken, mut made) = (0, 0);
    while made < out.len() {
        let step = decoder.decode_bytes(&data[taken..], &mut out[made..]);
        taken += step.consumed_in;
        made += step.consumed_out;
        match step.status {
            Ok(LzwStatus::Ok) if step.consumed_in + step.consumed_out > 0 => {}
            Ok(_) => break,
            Err(error) => return Err(format!("LZW: {error}").into()),
        }
    }
    if made < out.len() {
        return Err(short(made, out.len()).into());
    }
    Ok(())
}

fn pack_bits(data: &[u8], out: &mut [u8]) -> Result<(), String> {
    let (mut rest, mut made) = (data, 0);
    let needed = out.len();
    while made < needed {
        let (&head, tail) = rest.split_first().ok_or_else(|| short(made, needed))?;
        rest = tail;
        let head = head as i8;
        if head >= 0 {
            let count = (head as usize + 1).min(needed - made);
            let run = rest.get(..count).ok_or_else(|| short(made, needed))?;
            out[made..made + count].copy_from_slice(run);
            rest = &rest[count..];
            made += count;
        } else if head != i8::MIN {
            let (&value, tail) = rest.split_first().ok_or_else(|| short(made, needed))?;
            let count = (1 - isize::from(head)) as usize;
            let end = (made + count).min(needed);
            out[made..end].fill(value);
            rest = tail;
            made = end;
        }
    }
    Ok(())
}

/// Strictly, as JPEG files are read: a block that is cut short is an error.
fn jpeg(data: &[u8], block: &Block) -> Result<Vec<u8>, Refusal> {
    let failed = |error: zune_jpeg::errors::DecodeErrors| match error {
        zune_jpeg::errors::DecodeErrors::Unsupported(scheme) => {
            Refusal::Unsupported(format!("JPEG: {scheme:?}"))
        }
        error => Refusal::Damaged(format!("JPEG: {error}")),
    };
    let stream = with_tables(data, block.tables);
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(usize::MAX)
        .set_max_height(usize::MAX);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(&stream[..]), options);
    decoder.decode_headers().map_err(failed)?;
    let found = decoder
        .info()
        .map_or((0, 0), |info| (info.width.into(), info.height.into()));
    if found.0 != block.width || found.1 < block.height {
        let (width, height) = found;
        return Err(Refusal::Damaged(format!(
            "a strip or tile of {} x {} pixels holds a JPEG of {width} x {height}",
            block.width, block.height
        )));
    }
    let color = match (block.samples, decoder.input_colorspace()) {
        (1, _) => ColorSpace::Luma,
        (3, _) if block.ycbcr => ColorSpace::RGB,
        // The components are red, green and blue already, whatever the JPEG takes itself for.
        (3, Some(own @ (ColorSpace::YCbCr | ColorSpace::RGB))) => own,
        (samples, own) => {
            return Err(Refusal::Unsupported(format!(
                "its JPEG blocks have {samples} samples a pixel ({own:?})"
            )));
        }
    };
    decoder.set_options(options.jpeg_set_out_colorspace(color));
    let mut out = decoder.decode().map_err(failed)?;
    if out.len() < block.length {
        return Err(Refusal::Damaged(short(out.len(), block.length)));
    }
    out.truncate(block.length);
    Ok(out)
}

/// An abbreviated stream and the tables that it leaves out, as one.
fn with_tables(data: &[u8], tables: &[u8]) -> Vec<u8> {
    let inside = tables
        .strip_prefix(b"\xff\xd8")
        .and_then(|rest| rest.strip_suffix(b"\xff\xd9"));
    match (inside, data.strip_prefix(b"\xff\xd8")) {
        (Some(inside), Some(rest)) => [b"\xff\xd8", inside, rest].concat(),
        _ => data.to_vec(),
    }
}
