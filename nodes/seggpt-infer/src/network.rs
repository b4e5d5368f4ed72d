//! Networks of every architecture, used in the same way.

use std::path::Path;

use eyre::{Result, ensure};
use seggpt::{
    Architecture, DTypeChoice, Device, Ensemble, ModelInfo, PreparedPrompts, Tensor, matching,
    pixels,
};

use crate::{
    Output,
    prompt_set::{PromptSet, picture},
};

pub(crate) enum Network {
    /// SegGPT: predicts colours.
    SegGpt(seggpt::Network),
    /// One that compares features.
    Matching(matching::Network),
}

/// Prompts as a network prepared them.
pub(crate) enum Prepared {
    SegGpt(PreparedPrompts),
    /// All prompts at once; or each by itself, where they vote.
    Matching(Vec<matching::Prompts>),
}

impl Network {
    pub(crate) fn load(path: &Path, device: &Device, dtype: DTypeChoice) -> Result<Self> {
        Ok(match seggpt::architecture(path)? {
            Architecture::SegGpt(_) => Self::SegGpt(seggpt::Network::load(path, device, dtype)?),
            Architecture::Matching(_) => {
                Self::Matching(matching::Network::load(path, device, dtype)?)
            }
        })
    }

    pub(crate) fn info(&self) -> &ModelInfo {
        match self {
            Self::SegGpt(network) => network.info(),
            Self::Matching(network) => network.info(),
        }
    }

    pub(crate) fn device(&self) -> &Device {
        match self {
            Self::SegGpt(network) => network.device(),
            Self::Matching(network) => network.device(),
        }
    }

    pub(crate) fn dtype(&self) -> DTypeChoice {
        match self {
            Self::SegGpt(network) => network.dtype(),
            Self::Matching(network) => network.dtype(),
        }
    }

    /// Edge of the picture that it was made for, in pixels.
    pub(crate) fn image_size(&self) -> usize {
        match self {
            Self::SegGpt(network) => network.config().image_size,
            Self::Matching(network) => network.config().image_size,
        }
    }

    /// Edge of a patch, in pixels.
    pub(crate) fn patch_size(&self) -> usize {
        match self {
            Self::SegGpt(network) => network.config().patch_size,
            Self::Matching(network) => network.config().encoder.patch_size,
        }
    }

    /// Prepares all prompts of a set at the side `size`.
    pub(crate) fn prepare(&self, set: &PromptSet, size: u32) -> Result<Prepared> {
        let [images, masks] = set.at_size(size);
        let images = picture(&images, set.count, size, self.device())?;
        match self {
            Self::SegGpt(network) => {
                let masks = picture(&masks, set.count, size, self.device())?;
                let prepared = network.prepare(&images, &masks, set.kind, set.ensemble)?;
                Ok(Prepared::SegGpt(prepared))
            }
            Self::Matching(network) => {
                ensure!(set.palette.len() > 1, "the prompts name no class");
                let masks = shares(&masks, set, size as usize, self.device())?;
                let prepared = match set.ensemble {
                    Ensemble::Feature | Ensemble::Joint => vec![network.prepare(&images, &masks)?],
                    Ensemble::Independent => (0..set.count)
                        .map(|i| {
                            let (image, mask) = (images.narrow(0, i, 1)?, masks.narrow(1, i, 1)?);
                            Ok(network.prepare(&image, &mask)?)
                        })
                        .collect::<Result<_>>()?,
                };
                Ok(Prepared::Matching(prepared))
            }
        }
    }

    /// Its outputs for queries `[B, 3, S, S]`, each with its side in pixels.
    pub(crate) fn predict(
        &self,
        queries: &Tensor,
        prepared: &Prepared,
    ) -> Result<Vec<(Output, u32)>> {
        let (b, _, _, side) = queries.dims4()?;
        match (self, prepared) {
            (Self::SegGpt(network), Prepared::SegGpt(prepared)) => {
                let outputs = pixels::painted(&network.forward(queries, prepared)?)?;
                let each = outputs.len() / b;
                let mut outputs = outputs.into_iter();
                let output = |_| {
                    let outputs = outputs.by_ref().take(each).collect();
                    (Output::Colours(outputs), side as u32)
                };
                Ok((0..b).map(output).collect())
            }
            (Self::Matching(network), Prepared::Matching(prepared)) => {
                let mut sums: Vec<Vec<f32>> = Vec::new();
                let share = 1.0 / prepared.len() as f32;
                for prompts in prepared {
                    let logits = network.forward(queries, prompts)?;
                    sums.resize(b, Vec::new());
                    for (i, sum) in sums.iter_mut().enumerate() {
                        add_memberships(&logits.get(i)?, share, sum)?;
                    }
                }
                let output = |sum| (Output::Memberships(sum), side as u32 / 2);
                Ok(sums.into_iter().map(output).collect())
            }
            _ => unreachable!("prompts were prepared by this network"),
        }
    }
}

/// Of two by two pixels each the share of each class, `[C, N, size / 2, size / 2]`.
fn shares(masks: &[u8], set: &PromptSet, size: usize, device: &Device) -> Result<Tensor> {
    let half = size / 2;
    let classes = &set.palette[1..];
    let mut shares = vec![0f32; classes.len() * set.count * half * half];
    let planes = shares.chunks_exact_mut((half * half).max(1)).enumerate();
    for (number, plane) in planes {
        let (class, prompt) = (number / set.count, number % set.count);
        let (pixels, _) = masks.as_chunks::<3>();
        let pixels = &pixels[prompt * size * size..][..size * size];
        for (at, _) in pixels
            .iter()
            .enumerate()
            .filter(|(_, pixel)| **pixel == classes[class])
        {
            plane[at / size / 2 * half + at % size / 2] += 0.25;
        }
    }
    let shape = (classes.len(), set.count, half, half);
    Ok(Tensor::from_vec(shares, shape, device)?)
}

/// Adds a share of the memberships that logits `[C, rows, columns]` of classes against background stand for: the odds of
/// every class are as they are, and all sum to 1.
fn add_memberships(logits: &Tensor, share: f32, sum: &mut Vec<f32>) -> Result<()> {
    let classes = logits.dim(0)?;
    let logits = logits.permute((1, 2, 0))?.flatten_all()?.to_vec1::<f32>()?;
    let pixels = logits.chunks_exact(classes);
    sum.resize(pixels.len() * (classes + 1), 0.0);
    for (sum, logits) in sum.chunks_exact_mut(classes + 1).zip(pixels) {
        let odds = logits.iter().map(|logit| logit.clamp(-30.0, 30.0).exp());
        let part = share / (1.0 + odds.clone().sum::<f32>());
        sum[0] += part;
        sum[1..]
            .iter_mut()
            .zip(odds)
            .for_each(|(sum, odds)| *sum += part * odds);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn odds_of_classes_become_memberships_that_sum_to_one() {
        let logits = [3f32.ln(), 0.0, f32::NEG_INFINITY, 1f32.ln()];
        let logits = Tensor::from_slice(&logits, (2, 1, 2), &Device::Cpu).unwrap();
        let mut sum = Vec::new();
        add_memberships(&logits, 1.0, &mut sum).unwrap();
        // The first pixel has odds of 3 and 0, the second of 1 and 1.
        let expected = [0.25, 0.75, 0.0, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0];
        for (found, expected) in sum.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-6, "{sum:?}");
        }
    }
}
