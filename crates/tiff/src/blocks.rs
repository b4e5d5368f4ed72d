//! One block, a strip or tile, to samples.

use crate::{
    Layout, Model, Refusal, Window,
    codec::{self, Block},
    compression::JPEG,
};

/// What the blocks of a row hold: the last strip may be short.
pub(crate) fn shape<'a>(layout: &Layout, row: u32, tables: &'a [u8]) -> Block<'a> {
    let height = if layout.tiled {
        layout.block.1
    } else {
        layout.block.1.min(layout.height - row * layout.block.1)
    };
    let samples = if layout.planar { 1 } else { layout.samples };
    let bytes = (layout.block.0 as usize * samples * usize::from(layout.bits)).div_ceil(8);
    Block {
        width: layout.block.0,
        height,
        samples,
        length: bytes * height as usize,
        ycbcr: layout.model == Model::YCbCr,
        tables,
    }
}

/// A block's samples, each in whole bytes of this machine's order.
pub(crate) fn unpacked(
    data: &[u8],
    layout: &Layout,
    block: &Block,
    big_endian: bool,
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
            native(&mut bytes, layout, big_endian);
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
        native(&mut bytes, layout, big_endian);
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

/// Copies the part of a block whose upper left corner is `(left, top)` that lies in a window.
pub(crate) fn copy(
    pixels: &[u8],
    (left, top): (u32, u32),
    plane: usize,
    layout: &Layout,
    window: Window,
    out: &mut [u8],
) {
    let wide = layout.bytes_of_sample();
    let samples = if layout.planar { 1 } else { layout.samples };
    let (pixel, from) = (layout.samples * wide, samples * wide);
    let stride = layout.block.0 as usize * from;
    let x = left.max(window.x)
        ..left
            .saturating_add(layout.block.0)
            .min(window.x + window.width);
    let rows = (pixels.len() / stride) as u32;
    let y = top.max(window.y)..top.saturating_add(rows).min(window.y + window.height);
    let columns = x.len();
    for row in y {
        let begin = (row - top) as usize * stride + (x.start - left) as usize * from;
        let source = &pixels[begin..][..columns * from];
        let place = (row - window.y) as usize * window.width as usize;
        let start = (place + (x.start - window.x) as usize) * pixel;
        let target = &mut out[start..start + columns * pixel];
        if samples == layout.samples {
            target.copy_from_slice(source);
            continue;
        }
        for (to, from) in target
            .chunks_exact_mut(pixel)
            .zip(source.chunks_exact(wide))
        {
            to[plane * wide..][..wide].copy_from_slice(from);
        }
    }
}
