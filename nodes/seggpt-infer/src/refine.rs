//! Refines a coarse prediction by what single pixels look like.
//!
//! A network with a small input knows what belongs together, but not where exactly it ends, and loses what is thinner than
//! its patches. A pixel classifier, learned from the prompts as they came, sees every pixel but no things. Both predictions
//! are odds of a class against background, and are multiplied.

use eyre::{Result, ensure};
use rayon::prelude::*;
use seggpt_contract::{Canvases, Prompt};
use seggpt_forest::{Classifier, Forest, Labelled};
use seggpt_imaging::{
    BLACK, Rgb,
    decode::{Threshold, enlarge},
};

use crate::prompt_set::PromptSet;

/// A label that no palette has.
const UNKNOWN: u16 = u16::MAX;
/// Neither prediction counts for more than 199 to 1.
const LEAST: f32 = 0.005;

/// The classifier of the last prompts.
#[derive(Default)]
pub struct Refiner {
    cached: Option<(PromptSet, Classifier)>,
}

impl Refiner {
    /// How likely each pixel of the query is of each colour of `palette` (background first), `[S * S, palette]` at the
    /// canvases' side S. A class that the prompts do not show has probability 0.
    ///
    /// # Errors
    /// No pixel of the prompts has a colour of the palette.
    pub fn predict_proba(&mut self, canvases: &Canvases, palette: &[Rgb]) -> Result<Vec<f32>> {
        let prompts = PromptSet::of(canvases);
        let cached = match self.cached.take() {
            Some(cached) if cached.0 == prompts => cached,
            _ => (prompts, fit(&canvases.prompts, palette)?),
        };
        let (_, classifier) = self.cached.insert(cached);
        let known = classifier.shares(&canvases.query.to_rgb());
        let labels: Vec<usize> = classifier
            .labels()
            .iter()
            .map(|&label| label.into())
            .collect();
        let mut shares = vec![0.0; known.len() / labels.len() * palette.len()];
        let pixels = shares.chunks_exact_mut(palette.len());
        for (pixel, known) in pixels.zip(known.chunks_exact(labels.len())) {
            labels
                .iter()
                .zip(known)
                .for_each(|(&label, &share)| pixel[label] = share);
        }
        Ok(shares)
    }
}

fn fit(prompts: &[Prompt], palette: &[Rgb]) -> Result<Classifier> {
    let label = |pixel: &[u8; 3]| {
        let at = palette.iter().position(|color| color == pixel);
        at.map_or(UNKNOWN, |at| at as u16)
    };
    let read: Vec<_> = prompts
        .iter()
        .map(|prompt| {
            let labels: Vec<u16> = prompt
                .mask
                .bytes()
                .as_chunks()
                .0
                .iter()
                .map(label)
                .collect();
            (prompt.image.to_rgb(), labels)
        })
        .collect();
    let examples: Vec<_> = read
        .iter()
        .map(|(picture, labels)| Labelled { picture, labels })
        .collect();
    let classifier = Forest::default().learn(&examples, UNKNOWN);
    ensure!(
        classifier.is_some(),
        "no pixel of the prompts' masks has the colour of a class or {BLACK:?}"
    );
    Ok(classifier.expect("just checked"))
}

/// Both predictions in one: memberships `[side * side, classes]`, in which a class begins where it outweighs background.
///
/// `painted` are memberships `[size * size, classes]`, in which a class begins at `cut`, and whose odds count to the power
/// of `network_weight`; `pixels` are those of [`Refiner::predict_proba`], `[side * side, classes]`. Background is first in both.
///
/// # Errors
/// The fields are not of these sizes.
pub fn combine(
    painted: &[f32],
    size: usize,
    (threshold, network_weight): (Threshold, f32),
    pixels: &[f32],
    side: usize,
    classes: usize,
) -> Result<Vec<f32>> {
    let mut fused = enlarge(painted, classes, (size, size), (side, side))?;
    ensure!(
        fused.len() == pixels.len(),
        "the query is not of the canvases' size"
    );
    let begins = threshold.value() / (1.0 - threshold.value());
    fused
        .par_chunks_exact_mut(classes)
        .zip(pixels.par_chunks_exact(classes))
        .for_each(|(fused, pixels)| {
            let [painted_ground, ground] = [fused[0].max(LEAST), pixels[0].max(LEAST)];
            let mut sum = 1.0;
            for (value, pixel) in fused.iter_mut().zip(pixels).skip(1) {
                let painted = value.max(LEAST) / painted_ground / begins;
                *value = painted.powf(network_weight) * pixel.max(LEAST) / ground;
                sum += *value;
            }
            fused[0] = 1.0;
            fused.iter_mut().for_each(|value| *value /= sum);
        });
    Ok(fused)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_unsure_prediction_leaves_the_decision_to_the_other() {
        let threshold = Threshold::new(0.2).unwrap();
        let fused = |painted: f32, pixel: f32| {
            let both = [[1.0 - painted, painted], [1.0 - pixel, pixel]];
            combine(&both[0], 1, (threshold, 1.0), &both[1], 1, 2).unwrap()[1]
        };
        assert!((fused(0.2, 0.7) - 0.7).abs() < 1e-6, "on the threshold");
        assert!(
            (fused(0.5, 0.5) - 0.8).abs() < 1e-6,
            "four times the odds of the threshold"
        );
        assert!(fused(0.3, 0.2) < 0.5 && fused(0.6, 0.3) > 0.5);
    }

    #[test]
    fn the_network_counts_by_its_weight() {
        let fused = |network_weight| {
            let threshold = (Threshold::NEAREST, network_weight);
            combine(&[0.2, 0.8], 1, threshold, &[0.5, 0.5], 1, 2).unwrap()[1]
        };
        assert!((fused(1.0) - 0.8).abs() < 1e-6);
        assert!(
            (fused(0.5) - 2.0 / 3.0).abs() < 1e-6,
            "odds of two, the root of four"
        );
    }

    #[test]
    fn neither_prediction_is_final() {
        let fused = combine(&[0.0, 1.0], 1, (Threshold::NEAREST, 1.0), &[1.0, 0.0], 1, 2).unwrap();
        assert!((fused[1] - 0.5).abs() < 1e-6, "{fused:?}");
    }
}
