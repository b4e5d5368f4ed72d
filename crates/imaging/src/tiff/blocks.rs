//! Strips and tiles to the samples of a page.

use super::{
    codec::{self, Block},
    compression::{self, JPEG},
    directory::{Directory, Source},
    layout::{Layout, Model},
    refusal::Refusal,
};

/// The samples of a page: pixel by pixel, row by row, in this machine's byte order; packed ones in the next larger number of
/// bytes.
pub(super) fn samples(
    source: Source,
    page: &Directory,
    layout: &Layout,
) -> Result<Vec<u8>, Refusal> {
    compression::known(layout.compression)?;
    let (offsets, lengths) = if layout.tiled {
        (page.numbers(324)?, page.numbers(325)?)
    } else {
        (page.numbers(273)?, page.numbers(279)?)
    };
    let (width, height) = (layout.width as usize, layout.height as usize);
    let wide = layout.bytes_of_sample();
    let mut out = vec![0; width * height * layout.samples * wide];
    let across = layout.width.div_ceil(layout.block.0);
    let down = layout.height.div_ceil(layout.block.1);
    let planes = if layout.planar { layout.samples } else { 1 };
    let of_plane = across as usize * down as usize;
    if offsets.len() < of_plane * planes || lengths.len() < of_plane * planes {
        return Err(format!(
            "it lists {} strips or tiles of {}",
            offsets.len().min(lengths.len()),
            of_plane * planes
        )
        .into());
    }
    let tables = page.raw(347);
    for plane in 0..planes {
        for index in 0..of_plane {
            let (offset, length) = (
                offsets[plane * of_plane + index],
                lengths[plane * of_plane + index],
            );
            // A block that was never written holds zeros.
            if length == 0 {
                continue;
            }
            let (column, row) = (index as u32 % across, index as u32 / across);
            let (left, top) = (column * layout.block.0, row * layout.block.1);
            let rows = if layout.tiled {
                layout.block.1
            } else {
                layout.block.1.min(layout.height - top)
            };
            let data = source
                .slice(offset, length)
                .ok_or_else(|| "it ends before its last strip or tile".to_owned())?;
            let block = shape(layout, rows, tables);
            let pixels = unpacked(source, data, layout, &block)?;
            let place = Place {
                left: left as usize,
                top: top as usize,
                plane,
            };
            put(&pixels, &block, layout, place, &mut out);
        }
    }
    Ok(out)
}

fn shape<'a>(layout: &Layout, rows: u32, tables: &'a [u8]) -> Block<'a> {
    let samples = if layout.planar { 1 } else { layout.samples };
    let row = (layout.block.0 as usize * samples * usize::from(layout.bits)).div_ceil(8);
    Block {
        width: layout.block.0,
        height: rows,
        samples,
        length: row * rows as usize,
        ycbcr: layout.model == Model::YCbCr,
        tables,
    }
}

/// A block's samples, each in whole bytes of this machine's order.
fn unpacked(
    source: Source,
    data: &[u8],
    layout: &Layout,
    block: &Block,
) -> Result<Vec<u8>, Refusal> {
    let reversed: Vec<u8>;
    let data = if layout.low_bits_first && layout.compression != JPEG {
        reversed = data.iter().map(|byte| byte.reverse_bits()).collect();
        &reversed
    } else {
        data
    };
    let mut bytes = codec::decompress(layout.compression, data, block)?;
    let row = block.length / block.height as usize;
    match layout.predictor {
        1 => {}
        2 if layout.bits.is_multiple_of(8) => {
            native(&mut bytes, layout, source.big_endian);
            bytes
                .chunks_exact_mut(row)
                .for_each(|row| summed(row, layout.bytes_of_sample(), block.samples));
            return Ok(bytes);
        }
        3 if layout.format == 3 => {
            for row in bytes.chunks_exact_mut(row) {
                floats(row, layout.bytes_of_sample(), block.samples);
            }
            return Ok(bytes);
        }
        other => {
            return Err(Refusal::Unsupported(format!(
                "its predictor is {other} with {} bits",
                layout.bits
            )));
        }
    }
    if layout.bits.is_multiple_of(8) {
        native(&mut bytes, layout, source.big_endian);
        return Ok(bytes);
    }
    let values = block.width as usize * block.samples;
    Ok(bytes
        .chunks_exact(row)
        .flat_map(|row| bits(row, values, layout))
        .collect())
}

fn native(bytes: &mut [u8], layout: &Layout, big_endian: bool) {
    if big_endian != cfg!(target_endian = "big") && layout.compression != JPEG {
        bytes
            .chunks_exact_mut(layout.bytes_of_sample())
            .for_each(<[u8]>::reverse);
    }
}

/// Samples that do not fill bytes, the first in the highest bits.
fn bits(row: &[u8], values: usize, layout: &Layout) -> Vec<u8> {
    let bits = usize::from(layout.bits);
    let value = |index: usize| {
        (index * bits..(index + 1) * bits).fold(0u16, |value, bit| {
            value << 1 | u16::from(row[bit / 8] >> (7 - bit % 8) & 1)
        })
    };
    if bits < 8 {
        (0..values).map(|index| value(index) as u8).collect()
    } else {
        (0..values)
            .flat_map(|index| value(index).to_ne_bytes())
            .collect()
    }
}

/// Horizontal differences to values.
fn summed(row: &mut [u8], wide: usize, samples: usize) {
    let stride = wide * samples;
    for at in (stride..row.len()).step_by(wide) {
        let (before, here) = row.split_at_mut(at);
        add(&before[at - stride..at - stride + wide], &mut here[..wide]);
    }
}

/// Adds whole numbers of any width in this machine's order, without a carry beyond.
fn add(one: &[u8], to: &mut [u8]) {
    let mut carry = 0u16;
    let last = to.len() - 1;
    for at in 0..to.len() {
        let at = if cfg!(target_endian = "big") {
            last - at
        } else {
            at
        };
        let sum = u16::from(one[at]) + u16::from(to[at]) + carry;
        to[at] = sum as u8;
        carry = sum >> 8;
    }
}

/// Differences of bytes, the highest of all samples first, to floating-point numbers.
fn floats(row: &mut [u8], wide: usize, samples: usize) {
    for at in samples..row.len() {
        row[at] = row[at].wrapping_add(row[at - samples]);
    }
    let planes = row.to_vec();
    let count = row.len() / wide;
    for (index, value) in row.chunks_exact_mut(wide).enumerate() {
        for (byte, to) in value.iter_mut().enumerate() {
            let significance = if cfg!(target_endian = "big") {
                byte
            } else {
                wide - 1 - byte
            };
            *to = planes[significance * count + index];
        }
    }
}

/// Where a block belongs.
#[derive(Clone, Copy)]
struct Place {
    left: usize,
    top: usize,
    plane: usize,
}

fn put(pixels: &[u8], block: &Block, layout: &Layout, place: Place, out: &mut [u8]) {
    let wide = layout.bytes_of_sample();
    let (width, height) = (layout.width as usize, layout.height as usize);
    let columns = (block.width as usize).min(width - place.left);
    let rows = (block.height as usize).min(height - place.top);
    let (pixel, from) = (layout.samples * wide, block.samples * wide);
    for y in 0..rows {
        let source = &pixels[y * block.width as usize * from..][..columns * from];
        let start = ((place.top + y) * width + place.left) * pixel;
        let target = &mut out[start..start + columns * pixel];
        if block.samples == layout.samples {
            target.copy_from_slice(source);
            continue;
        }
        for (to, from) in target
            .chunks_exact_mut(pixel)
            .zip(source.chunks_exact(wide))
        {
            to[place.plane * wide..][..wide].copy_from_slice(from);
        }
    }
}
