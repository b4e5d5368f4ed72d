//! What sensors send that is not in an encoding that travels: 16 bits a channel, and Bayer mosaics. Both become `rgb8` on
//! arrival. Depth images are no pictures, and are named.

use arrow::buffer::Buffer;

use super::{
    Encoding, Picture,
    layout::{Layout, without_padding},
};
use crate::ContractError;

/// How a sensor's samples are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sensor {
    /// 16 bits a channel; `order` says which channels are red, green and blue.
    Deep { channels: usize, order: [usize; 3] },
    /// One sample a pixel; `pattern` says which colour (0, 1, 2) the first two pixels of the first two rows have.
    Bayer { pattern: [usize; 4], deep: bool },
}

impl Sensor {
    /// By the names of ROS and GenICam; `None` for an encoding that travels, or that nobody knows.
    ///
    /// # Errors
    /// The encoding of a depth image.
    pub(super) fn named(encoding: &str) -> Result<Option<Self>, ContractError> {
        let name = encoding.to_ascii_lowercase();
        if is_measured(&name) {
            return Err(ContractError::Measured(encoding.to_owned()));
        }
        let deep = |channels, order| Some(Self::Deep { channels, order });
        Ok(match &name[..] {
            "rgb16" => deep(3, [0, 1, 2]),
            "bgr16" | "16uc3" => deep(3, [2, 1, 0]),
            "rgba16" => deep(4, [0, 1, 2]),
            "bgra16" | "16uc4" => deep(4, [2, 1, 0]),
            _ => bayer(&name),
        })
    }

    /// The picture as `rgb8`.
    pub(super) fn picture(
        self,
        encoding: &str,
        layout: Layout,
        data: Buffer,
    ) -> Result<Picture, ContractError> {
        let (channels, deep) = match self {
            Self::Deep { channels, .. } => (channels, true),
            Self::Bayer { deep, .. } => (1, deep),
        };
        let row = layout.width as usize * channels * if deep { 2 } else { 1 };
        let data = without_padding(encoding, layout, row, data)?;
        let samples = if deep {
            let sample = if layout.big_endian {
                u16::from_be_bytes
            } else {
                u16::from_le_bytes
            };
            let (pairs, _) = data.as_chunks::<2>();
            let values: Vec<u16> = pairs.iter().map(|pair| sample(*pair)).collect();
            seggpt_imaging::read::reduced(&values)
        } else {
            data.to_vec()
        };
        let (width, height) = (layout.width as usize, layout.height as usize);
        let rgb: Vec<u8> = match self {
            Self::Deep { order, .. } => samples
                .chunks_exact(channels)
                .flat_map(|pixel| order.map(|channel| pixel[channel]))
                .collect(),
            Self::Bayer { pattern, .. } => demosaiced(&samples, width, height, pattern),
        };
        Picture::new(layout.width, layout.height, Encoding::Rgb8, rgb)
    }
}

/// Signed and floating-point samples of OpenCV's names: metres, millimetres, disparities.
fn is_measured(name: &str) -> bool {
    let kinds = ["8sc", "16sc", "32sc", "16fc", "32fc", "64fc"];
    kinds.iter().any(|kind| {
        name.strip_prefix(kind)
            .is_some_and(|channels| matches!(channels, "1" | "2" | "3" | "4"))
    })
}

/// `bayer_rggb8` (ROS), `BayerRG8` (GenICam), with 8 or 16 bits.
fn bayer(name: &str) -> Option<Sensor> {
    let rest = name.strip_prefix("bayer")?.trim_start_matches('_');
    let (order, deep) = match (rest.strip_suffix("16"), rest.strip_suffix('8')) {
        (Some(order), _) => (order, true),
        (_, Some(order)) => (order, false),
        _ => return None,
    };
    let pattern = match order {
        "rggb" | "rg" => [0, 1, 1, 2],
        "bggr" | "bg" => [2, 1, 1, 0],
        "gbrg" | "gb" => [1, 2, 0, 1],
        "grbg" | "gr" => [1, 0, 2, 1],
        _ => return None,
    };
    Some(Sensor::Bayer { pattern, deep })
}

/// Each colour that a pixel has not, is the mean of those beside it that have it.
fn demosaiced(samples: &[u8], width: usize, height: usize, pattern: [usize; 4]) -> Vec<u8> {
    let color = |x: usize, y: usize| pattern[y % 2 * 2 + x % 2];
    let mut rgb = Vec::with_capacity(samples.len() * 3);
    for y in 0..height {
        for x in 0..width {
            let (mut sums, mut counts) = ([0u32; 3], [0u32; 3]);
            for ny in y.saturating_sub(1)..(y + 2).min(height) {
                for nx in x.saturating_sub(1)..(x + 2).min(width) {
                    let own = color(nx, ny);
                    sums[own] += u32::from(samples[ny * width + nx]);
                    counts[own] += 1;
                }
            }
            let own = color(x, y);
            (sums[own], counts[own]) = (samples[y * width + x].into(), 1);
            let mean = |channel: usize| {
                let count = counts[channel].max(1);
                ((sums[channel] + count / 2) / count) as u8
            };
            rgb.extend([0, 1, 2].map(mean));
        }
    }
    rgb
}
