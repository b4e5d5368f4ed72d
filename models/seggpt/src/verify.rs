//! Holds a real checkpoint against published values.
//!
//! The values are those of transformers' own test of the published SegGPT (`tests/models/seggpt`, one-shot): prompt
//! `hmbb_1` with its mask, query `hmbb_2`, instance type, both from the original repository's example pictures. Only
//! the first corner of the painted canvas is published, but every weight has a say in it.

use candle_core::Device;

use crate::{Config, Ensemble, Error, Reference, SegType, pixels};

/// Files of the original repository's `examples` folder that [`verify`] needs: prompt, its mask, query.
pub const EXAMPLES: [&str; 3] = ["hmbb_1.jpg", "hmbb_1_target.png", "hmbb_2.jpg"];

/// Largest difference of equal weights on equal pixels, in f32: that of the published test.
pub const TOLERANCE: f32 = 1e-4;

/// Largest difference that still speaks for the right weights: the examples are JPEGs, and another decoder than the one
/// that the published values were made with moves some pixels by a level, as 16-bit numbers move the sums.
pub const CLOSE: f32 = 2e-3;

/// Painted values at channel, row, column of the canvas's upper left corner, in normalised colours.
const PUBLISHED: [[[f32; 3]; 3]; 3] = [
    [
        [-2.1208, -2.1190, -2.1198],
        [-2.1237, -2.1228, -2.1227],
        [-2.1232, -2.1226, -2.1228],
    ],
    [
        [-2.0405, -2.0396, -2.0403],
        [-2.0434, -2.0434, -2.0433],
        [-2.0428, -2.0432, -2.0434],
    ],
    [
        [-1.8102, -1.8088, -1.8099],
        [-1.8131, -1.8126, -1.8129],
        [-1.8130, -1.8128, -1.8131],
    ],
];

/// The three example pictures as interleaved RGB bytes, each brought to [`Config::image_size`] squared: prompt and query
/// by Pillow's bicubic, the mask by Pillow's nearest.
pub struct Squares {
    /// `hmbb_1`.
    pub prompt: Vec<u8>,
    /// The mask of `hmbb_1`.
    pub mask: Vec<u8>,
    /// `hmbb_2`.
    pub query: Vec<u8>,
}

/// What [`verify`] measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Largest absolute difference to the published values.
    pub max_difference: f32,
    /// What counts as exact: [`TOLERANCE`].
    pub tolerance: f32,
    /// Number of values compared.
    pub compared: usize,
}

/// What a [`Report`] means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Within [`TOLERANCE`]: the published values.
    Exact,
    /// Within [`CLOSE`]: the right weights, and pixels or numbers rounded in another way.
    Close,
    /// Beyond: other weights, or a fault.
    Different,
}

impl Report {
    /// What the difference means.
    pub fn verdict(&self) -> Verdict {
        match self.max_difference {
            difference if difference <= self.tolerance => Verdict::Exact,
            difference if difference <= CLOSE => Verdict::Close,
            _ => Verdict::Different,
        }
    }

    /// Whether these are the published weights.
    pub fn passed(&self) -> bool {
        self.verdict() != Verdict::Different
    }
}

/// Paints the published example with `network` and compares.
///
/// # Errors
/// [`Error::Config`] if the network is not the published SegGPT, which alone has published values; [`Error::Shape`] if a
/// picture has another size; [`Error::Compute`].
pub fn verify(network: &Reference, squares: &Squares) -> Result<Report, Error> {
    if network.config() != &Config::vit_large() {
        return Err(Error::Config(format!(
            "{} is not seggpt_vit_large, the only network with published values",
            network.info().path.display()
        )));
    }
    let size = network.config().image_size;
    let picture = |rgb: &[u8]| pixels::normalise(rgb, 1, size, size, &Device::Cpu);
    let (prompt, mask, query) = (
        picture(&squares.prompt)?,
        picture(&squares.mask)?,
        picture(&squares.query)?,
    );
    let canvas = network.forward(&query, &prompt, &mask, SegType::Instance, Ensemble::Feature)?;
    let corner = canvas
        .squeeze(0)?
        .narrow(1, 0, 3)?
        .narrow(2, 0, 3)?
        .to_vec3::<f32>()?;
    let published = PUBLISHED.as_flattened().as_flattened();
    let found = corner.iter().flatten().flatten();
    // A value that is not a number must not pass, as it would through `f32::max`.
    let worst = |worst: f32, difference: f32| {
        if difference > worst || difference.is_nan() {
            difference
        } else {
            worst
        }
    };
    Ok(Report {
        max_difference: found
            .zip(published)
            .map(|(found, published)| (found - published).abs())
            .fold(0.0, worst),
        tolerance: TOLERANCE,
        compared: published.len(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_judged_and_not_a_number_never_passes() {
        let verdict = |max_difference| {
            let report = Report {
                max_difference,
                tolerance: TOLERANCE,
                compared: 27,
            };
            (report.verdict(), report.passed())
        };
        assert_eq!(verdict(5e-5), (Verdict::Exact, true));
        assert_eq!(verdict(1e-3), (Verdict::Close, true));
        assert_eq!(verdict(0.1), (Verdict::Different, false));
        assert_eq!(verdict(f32::NAN), (Verdict::Different, false));
    }
}
