//! What a page's tags say of its pixels.

use std::ops::Range;

use crate::{Directory, Refusal, Window, compression::JPEG};

/// What the samples of a pixel stand for, before the extra ones.
#[derive(Clone, Debug, PartialEq)]
pub enum Model {
    /// Brightness, or bands of which nothing is said.
    Grey {
        /// Whether 0 is white.
        white_is_zero: bool,
    },
    /// Red, green and blue.
    Rgb,
    /// Indices into these colours.
    Palette(Vec<[u8; 3]>),
    /// Inks.
    Cmyk,
    /// Brightness and two differences of colour; out of JPEG blocks comes RGB.
    YCbCr,
}

/// How a page's pixels are stored.
#[derive(Clone, Debug)]
pub struct Layout {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Samples of a pixel.
    pub samples: usize,
    /// Bits of a sample.
    pub bits: u16,
    /// 1 unsigned, 2 signed, 3 floating.
    pub format: u16,
    /// What they stand for.
    pub model: Model,
    /// Whether the first sample beyond the model's is opacity; `None` where there are none.
    pub alpha: Option<bool>,
    /// How blocks are packed, by TIFF's number.
    pub compression: u16,
    /// 1 none, 2 differences, 3 differences of floating-point numbers.
    pub predictor: u16,
    /// Whether each band lies in blocks of its own.
    pub planar: bool,
    /// Whether the first pixel of a byte is in its lowest bit.
    pub low_bits_first: bool,
    /// Width and height of a tile, or the width of the page and the rows of a strip.
    pub block: (u32, u32),
    /// Whether blocks are tiles.
    pub tiled: bool,
}

impl Layout {
    /// Reads the tags.
    ///
    /// # Errors
    /// They make no sense together, or say something that is not read here.
    pub fn of(page: &Directory) -> Result<Self, Refusal> {
        let one = |code, default: u64| -> Result<u64, String> {
            Ok(page.number(code)?.unwrap_or(default))
        };
        let side = |code| -> Result<u32, Refusal> {
            let side = one(code, 0)?;
            u32::try_from(side)
                .ok()
                .filter(|side| *side > 0)
                .ok_or_else(|| Refusal::Damaged(format!("a side has {side} pixels")))
        };
        let (width, height) = (side(256)?, side(257)?);
        let samples = one(277, 1)?;
        if samples == 0 || samples > 4096 {
            return Err(Refusal::Damaged(format!("a pixel has {samples} samples")));
        }
        let samples = samples as usize;
        let bits = same(page.numbers(258)?, 1, "bits")?;
        // 4 is "undefined", which libtiff reads as unsigned.
        let format = match same(page.numbers(339)?, 1, "kinds of numbers")? {
            4 => 1,
            format => format,
        };
        let is_read = match format {
            1 => matches!(bits, 1..=16 | 32 | 64),
            2 => matches!(bits, 8 | 16 | 32 | 64),
            3 => matches!(bits, 32 | 64),
            _ => false,
        };
        if !is_read {
            let numbers = match format {
                1 => "whole",
                2 => "signed",
                3 => "floating-point",
                _ => "complex",
            };
            return Err(Refusal::Unsupported(format!(
                "its samples are {numbers} numbers of {bits} bits"
            )));
        }
        let photometric = one(262, if samples >= 3 { 2 } else { 1 })?;
        let model = model(page, photometric, bits)?;
        let own = match &model {
            Model::Grey { .. } | Model::Palette(_) => 1,
            Model::Rgb | Model::YCbCr => 3,
            Model::Cmyk => 4,
        };
        if samples < own {
            return Err(Refusal::Damaged(format!(
                "its colours need {own} samples a pixel, but it has {samples}"
            )));
        }
        let alpha = (samples > own)
            .then(|| Ok::<_, String>(matches!(page.number(338)?, Some(1 | 2))))
            .transpose()?;
        let tiled = page.number(322)?.is_some();
        let block = if tiled {
            (side(322)?, side(323)?)
        } else {
            let rows = one(278, u64::from(height))?.clamp(1, u64::from(height));
            (width, rows as u32)
        };
        let compression = one(259, 1)? as u16;
        if model == Model::YCbCr && compression != JPEG && page.numbers(530)? != [1, 1] {
            return Err(Refusal::Unsupported(
                "it is YCbCr with reduced colours and not compressed as JPEG".to_owned(),
            ));
        }
        Ok(Self {
            width,
            height,
            samples,
            bits,
            format,
            model,
            alpha,
            compression,
            predictor: one(317, 1)? as u16,
            planar: one(284, 1)? == 2 && samples > 1,
            low_bits_first: one(266, 1)? == 2,
            block,
            tiled,
        })
    }

    /// Blocks of a plane.
    pub(crate) fn blocks(&self) -> usize {
        let across = self.width.div_ceil(self.block.0) as usize;
        across * self.height.div_ceil(self.block.1) as usize
    }

    /// How often the page is cut into blocks: once for each band where bands have their own.
    pub(crate) fn planes(&self) -> usize {
        if self.planar { self.samples } else { 1 }
    }

    /// A block's place in the list of all.
    pub(crate) fn index(&self, plane: usize, column: u32, row: u32) -> usize {
        let across = self.width.div_ceil(self.block.0) as usize;
        plane * self.blocks() + row as usize * across + column as usize
    }

    /// The columns and rows of the blocks that a window within the page touches.
    pub(crate) fn touched(&self, window: Window) -> (Range<u32>, Range<u32>) {
        let range = |at: u32, length: u32, block: u32| at / block..(at + length).div_ceil(block);
        (
            range(window.x, window.width, self.block.0),
            range(window.y, window.height, self.block.1),
        )
    }

    /// Bytes of a sample once it is unpacked.
    #[must_use]
    pub fn bytes_of_sample(&self) -> usize {
        usize::from(self.bits).div_ceil(8).next_power_of_two()
    }
}

/// The one value of all samples.
fn same(values: Vec<u64>, default: u16, what: &str) -> Result<u16, Refusal> {
    let first = values.first().copied().unwrap_or(default.into());
    if values.iter().any(|value| *value != first) {
        return Err(Refusal::Unsupported(format!(
            "its bands have different {what}: {values:?}"
        )));
    }
    u16::try_from(first).map_err(|_| Refusal::Damaged(format!("it has {first} {what}")))
}

fn model(page: &Directory, photometric: u64, bits: u16) -> Result<Model, Refusal> {
    let unsupported = |what: &str| Err(Refusal::Unsupported(what.to_owned()));
    match photometric {
        0 => Ok(Model::Grey {
            white_is_zero: true,
        }),
        // 4 is a transparency mask.
        1 | 4 => Ok(Model::Grey {
            white_is_zero: false,
        }),
        2 => Ok(Model::Rgb),
        3 => {
            let map = page.numbers(320)?;
            let count = 1usize << bits.min(16);
            if bits > 16 || map.len() != count * 3 {
                return Err(Refusal::Damaged(format!(
                    "its palette has {} colours for {bits} bits",
                    map.len() / 3
                )));
            }
            // 16 bits a channel; some programs write 8 bits into them.
            let shift = if map.iter().all(|value| *value < 256) {
                0
            } else {
                8
            };
            let color = |index: usize| {
                [0, 1, 2].map(|channel| (map[channel * count + index] >> shift) as u8)
            };
            Ok(Model::Palette((0..count).map(color).collect()))
        }
        5 => Ok(Model::Cmyk),
        6 => Ok(Model::YCbCr),
        8..=10 => unsupported("it is in the colours of CIE Lab"),
        32_803 | 34_892 => unsupported("it is the raw file of a camera"),
        other => unsupported(&format!("its photometric interpretation is {other}")),
    }
}
