//! The weights that training begins with: the head votes, and corrects nothing.

use candle_core::{Device, Tensor};
use seggpt_random::Rng;

use super::{MatchingConfig, Weights};
use crate::{Error, start::orthonormal};

/// Factor on cosines in the vote's softmax: 1 / 0.05.
const SHARPNESS: f64 = 20.0;
/// The vote's logit: so much for each share of votes beyond the centre.
const SCALE: f64 = 8.0;
const CENTRE: f64 = 0.4;

/// The tensors `head.*`. Tokens are compared by random orthonormal directions of their features; what is added to
/// tokens by blocks, and to the vote by pixels, is zero.
///
/// # Errors
/// [`Error::Config`] for an impossible configuration; [`Error::Compute`].
pub(super) fn voting(config: &MatchingConfig, seed: u64) -> Result<Weights, Error> {
    config.validate()?;
    let mut rng = Rng::new(seed);
    let mut weights = Weights::new();
    for (name, shape) in config.head_tensors() {
        let inputs: usize = shape.iter().skip(1).product();
        let part = name.trim_start_matches("head.");
        let normal = |deviation: f64, rng: &mut Rng| {
            let count = shape.iter().product();
            let values = (0..count).map(|_| (deviation * rng.normal()) as f32);
            values.collect::<Vec<_>>()
        };
        let values: Vec<f32> = match part {
            "match.weight" => directions(&shape, &mut rng),
            "match.temperature" => vec![SHARPNESS.ln() as f32],
            "match.scale" => vec![SCALE as f32],
            "match.centre" => vec![CENTRE as f32],
            "mask.prompt" | "mask.query" => normal(0.1, &mut rng),
            // Words that patterns are told apart by from the start.
            "words.weight" => normal(2.0 / (inputs as f64).sqrt(), &mut rng),
            part if part.contains("norm") && part.ends_with("weight") => vec![1.0; shape[0]],
            part if part.ends_with("bias")
                || part.ends_with("attn.proj.weight")
                || part.ends_with("mlp.fc2.weight")
                || part == "decoder.1.weight" =>
            {
                vec![0.0; shape.iter().product()]
            }
            part if part.starts_with("stem.") || part.starts_with("decoder.") => {
                normal((2.0 / inputs as f64).sqrt(), &mut rng)
            }
            _ => normal((1.0 / inputs as f64).sqrt(), &mut rng),
        };
        weights.insert(name, Tensor::from_vec(values, shape, &Device::Cpu)?);
    }
    Ok(weights)
}

/// Orthonormal rows; where more are wanted than there are, they begin again.
fn directions(shape: &[usize], rng: &mut Rng) -> Vec<f32> {
    let (rows, columns) = (shape[0], shape[1]);
    let mut axes: Vec<Vec<f64>> = Vec::new();
    while axes.len() < rows {
        axes.extend(orthonormal(rows - axes.len(), columns, rng));
    }
    axes.into_iter().flatten().map(|x| x as f32).collect()
}

/// Weights of a network that knows nothing: a head that votes, by the features of a random encoder.
///
/// # Errors
/// [`Error::Config`] for an impossible configuration; [`Error::Compute`].
pub fn random(config: &MatchingConfig, seed: u64) -> Result<Weights, Error> {
    let mut weights = voting(config, seed)?;
    let mut rng = Rng::new(Rng::derive(seed, 1));
    for (name, shape) in config.encoder.tensors() {
        let inputs: usize = shape.iter().skip(1).product();
        let deviation = match name.ends_with("bias") {
            true => 0.1,
            false => (1.0 / inputs as f64).sqrt(),
        };
        let count = shape.iter().product();
        let values = (0..count).map(|_| (deviation * rng.normal()) as f32);
        let values: Vec<f32> = match name.contains("norm") && name.ends_with("weight") {
            true => vec![1.0; count],
            false => values.collect(),
        };
        weights.insert(name, Tensor::from_vec(values, shape, &Device::Cpu)?);
    }
    Ok(weights)
}
