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

use crate::{
    fusion::{LEAST, Weights},
    holdout,
    model::Model,
    prompt_set::{PromptSet, UNKNOWN, labels},
};

/// The classifier of the last prompts, and how much it counts.
pub struct Refiner {
    /// Whether the weights are fitted on the prompts, or stay at `start`.
    fits: bool,
    start: Weights,
    cached: Option<Cached>,
}

struct Cached {
    set: PromptSet,
    classifier: Classifier,
    weights: Vec<Weights>,
}

/// What the classifier predicts for a query.
pub struct PixelPrediction<'a> {
    /// How likely each pixel is of each colour of the palette (background first), `[S * S, palette]` at the canvases' side S.
    /// A class that the prompts do not show has probability 0.
    pub proba: Vec<f32>,
    /// How much that counts beside the network, of each class.
    pub weights: &'a [Weights],
}

impl Refiner {
    /// Weights are `start`, or are fitted from there.
    pub fn new(start: Weights, fits: bool) -> Self {
        Self {
            fits,
            start,
            cached: None,
        }
    }

    /// Another with nothing cached.
    pub fn share(&self) -> Self {
        Self::new(self.start, self.fits)
    }

    /// What the query's pixels look like, and how much that counts beside the output of `model`, where a class begins at
    /// `threshold`.
    ///
    /// # Errors
    /// No pixel of the prompts has a colour of the palette, or the network fails.
    pub fn predict_proba(
        &mut self,
        canvases: &Canvases,
        model: &Model,
        threshold: Threshold,
    ) -> Result<PixelPrediction<'_>> {
        let set = PromptSet::of(canvases);
        let cached = match self.cached.take() {
            Some(cached) if cached.set == set => cached,
            _ => Cached {
                classifier: fit(&canvases.prompts, &set.palette)?,
                weights: match self.fits {
                    true => holdout::fitted(model, &set, threshold, self.start)?,
                    false => vec![self.start; set.palette.len() - 1],
                },
                set,
            },
        };
        let Cached {
            set,
            classifier,
            weights,
        } = self.cached.insert(cached);
        let palette = &set.palette;
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
        Ok(PixelPrediction {
            proba: shares,
            weights,
        })
    }
}

fn fit(prompts: &[Prompt], palette: &[Rgb]) -> Result<Classifier> {
    let read: Vec<_> = prompts
        .iter()
        .map(|prompt| (prompt.image.to_rgb(), labels(prompt.mask.bytes(), palette)))
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
/// `network` are memberships `[size * size, classes]`, in which a class begins at `threshold`; `pixels` is of
/// [`Refiner::predict_proba`], `[side * side, classes]`. Background is first in both.
///
/// # Errors
/// The fields are not of these sizes.
pub fn combine(
    network: &[f32],
    size: usize,
    threshold: Threshold,
    pixels: &PixelPrediction,
    side: usize,
    classes: usize,
) -> Result<Vec<f32>> {
    let mut fused = enlarge(network, classes, (size, size), (side, side))?;
    ensure!(
        fused.len() == pixels.proba.len(),
        "the query is not of the canvases' size"
    );
    let begins = threshold.value() / (1.0 - threshold.value());
    fused
        .par_chunks_exact_mut(classes)
        .zip(pixels.proba.par_chunks_exact(classes))
        .for_each(|(fused, proba)| {
            let [ground, pixel_ground] = [fused[0].max(LEAST), proba[0].max(LEAST)];
            let mut sum = 1.0;
            let both = fused.iter_mut().zip(proba).skip(1);
            for ((value, proba), weights) in both.zip(pixels.weights) {
                let network = value.max(LEAST) / ground / begins;
                let pixel = proba.max(LEAST) / pixel_ground;
                *value = network.powf(weights.network)
                    * pixel.powf(weights.pixels)
                    * weights.offset.exp();
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

    fn fused(network: f32, pixel: f32, threshold: Threshold, weights: Weights) -> f32 {
        let pixels = PixelPrediction {
            proba: vec![1.0 - pixel, pixel],
            weights: &[weights],
        };
        combine(&[1.0 - network, network], 1, threshold, &pixels, 1, 2).unwrap()[1]
    }

    #[test]
    fn an_unsure_prediction_leaves_the_decision_to_the_other() {
        let threshold = Threshold::new(0.2).unwrap();
        let fused = |network, pixel| fused(network, pixel, threshold, Weights::fixed(1.0));
        assert!((fused(0.2, 0.7) - 0.7).abs() < 1e-6, "on the threshold");
        assert!(
            (fused(0.5, 0.5) - 0.8).abs() < 1e-6,
            "four times the odds of the threshold"
        );
        assert!(fused(0.3, 0.2) < 0.5 && fused(0.6, 0.3) > 0.5);
    }

    #[test]
    fn each_prediction_counts_by_its_weight() {
        let fused = |network, pixels, offset: f32| {
            let weights = Weights {
                network,
                pixels,
                offset,
            };
            fused(0.8, 0.2, Threshold::NEAREST, weights)
        };
        assert!((fused(1.0, 0.0, 0.0) - 0.8).abs() < 1e-6);
        assert!((fused(0.0, 1.0, 0.0) - 0.2).abs() < 1e-6);
        assert!(
            (fused(0.5, 0.0, 0.0) - 2.0 / 3.0).abs() < 1e-6,
            "odds of two, the root of four"
        );
        assert!((fused(1.0, 1.0, 3f32.ln()) - 0.75).abs() < 1e-6);
    }

    #[test]
    fn neither_prediction_is_final() {
        let fused = fused(1.0, 0.0, Threshold::NEAREST, Weights::fixed(1.0));
        assert!((fused - 0.5).abs() < 1e-6, "{fused}");
    }
}
