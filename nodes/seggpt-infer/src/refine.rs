//! Sharpens a coarse painting by what single pixels look like.
//!
//! A network with a small input knows what belongs together, but not where exactly it ends, and loses what is thinner than
//! its patches. A pixel classifier, learned from the prompts as they came, sees every pixel but no things. Both opinions
//! are odds of a class against background, and are multiplied.

use eyre::{Result, ensure};
use rayon::prelude::*;
use seggpt_contract::{Canvases, Prompt};
use seggpt_forest::{Classifier, Forest, Labelled};
use seggpt_imaging::{
    BLACK, Rgb,
    decode::{Cut, enlarge},
};

use crate::{
    fusion::Weights,
    holdout,
    model::{Model, PromptSet},
};

/// A label that no palette has.
pub(crate) const UNKNOWN: u16 = u16::MAX;
/// Neither opinion counts for more than 199 to 1.
pub(crate) const SURE: f32 = 0.005;

/// The classifier of the prompts that were shown last, and how much it counts.
pub struct Refiner {
    /// Whether the weights are fitted on the prompts, or stay at `start`.
    fits: bool,
    start: Weights,
    shown: Option<Shown>,
}

struct Shown {
    set: PromptSet,
    classifier: Classifier,
    weights: Vec<Weights>,
}

/// What the query's pixels look like.
pub struct Opinion<'a> {
    /// How likely each colour of the palette (background first) is, `[S * S, palette]` at the canvases' side S. A class that
    /// the prompts do not show has probability 0.
    pub shares: Vec<f32>,
    /// How much that counts beside the network, of each class.
    pub weights: &'a [Weights],
}

impl Refiner {
    /// Weights are `start`, or are fitted from there.
    pub fn new(start: Weights, fits: bool) -> Self {
        Self {
            fits,
            start,
            shown: None,
        }
    }

    /// Another that has been shown nothing yet.
    pub fn twin(&self) -> Self {
        Self::new(self.start, self.fits)
    }

    /// What the query's pixels look like, and how much that counts beside what `model` answers, where a class begins at `cut`.
    ///
    /// # Errors
    /// No pixel of the prompts has a colour of the palette, or the network fails.
    pub fn look(&mut self, canvases: &Canvases, model: &Model, cut: Cut) -> Result<Opinion<'_>> {
        let set = PromptSet::of(canvases);
        let shown = match self.shown.take() {
            Some(shown) if shown.set == set => shown,
            _ => Shown {
                classifier: learn(&canvases.prompts, &set.palette)?,
                weights: match self.fits {
                    true => holdout::fitted(model, &set, cut, self.start)?,
                    false => vec![self.start; set.palette.len() - 1],
                },
                set,
            },
        };
        let Shown {
            set,
            classifier,
            weights,
        } = self.shown.insert(shown);
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
        Ok(Opinion { shares, weights })
    }
}

/// Of each pixel the colour's number in a palette, [`UNKNOWN`] for any other.
pub(crate) fn labels(mask: &[u8], palette: &[Rgb]) -> Vec<u16> {
    let label = |pixel: &[u8; 3]| {
        let at = palette.iter().position(|color| color == pixel);
        at.map_or(UNKNOWN, |at| at as u16)
    };
    mask.as_chunks().0.iter().map(label).collect()
}

fn learn(prompts: &[Prompt], palette: &[Rgb]) -> Result<Classifier> {
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

/// Both opinions in one: memberships `[side * side, classes]`, in which a class begins where it outweighs background.
///
/// `painted` are memberships `[size * size, classes]`, in which a class begins at `cut`; `pixels` are those of
/// [`Refiner::look`], with shares `[side * side, classes]`. Background is first in both.
///
/// # Errors
/// The fields are not of these sizes.
pub fn combine(
    painted: &[f32],
    size: usize,
    cut: Cut,
    pixels: &Opinion,
    side: usize,
    classes: usize,
) -> Result<Vec<f32>> {
    let mut fused = enlarge(painted, classes, (size, size), (side, side))?;
    ensure!(
        fused.len() == pixels.shares.len(),
        "the query is not of the canvases' size"
    );
    let begins = cut.share() / (1.0 - cut.share());
    fused
        .par_chunks_exact_mut(classes)
        .zip(pixels.shares.par_chunks_exact(classes))
        .for_each(|(fused, seen)| {
            let [painted_ground, ground] = [fused[0].max(SURE), seen[0].max(SURE)];
            let mut sum = 1.0;
            let both = fused.iter_mut().zip(seen).skip(1);
            for ((value, pixel), weights) in both.zip(pixels.weights) {
                let painted = value.max(SURE) / painted_ground / begins;
                let pixel = pixel.max(SURE) / ground;
                *value = painted.powf(weights.network)
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

    fn fused(painted: f32, pixel: f32, cut: Cut, weights: Weights) -> f32 {
        let opinion = Opinion {
            shares: vec![1.0 - pixel, pixel],
            weights: &[weights],
        };
        combine(&[1.0 - painted, painted], 1, cut, &opinion, 1, 2).unwrap()[1]
    }

    #[test]
    fn an_unsure_opinion_leaves_the_decision_to_the_other() {
        let cut = Cut::new(0.2).unwrap();
        let fused = |painted, pixel| fused(painted, pixel, cut, Weights::fixed(1.0));
        assert!((fused(0.2, 0.7) - 0.7).abs() < 1e-6, "on the cut");
        assert!(
            (fused(0.5, 0.5) - 0.8).abs() < 1e-6,
            "four times the odds of the cut"
        );
        assert!(fused(0.3, 0.2) < 0.5 && fused(0.6, 0.3) > 0.5);
    }

    #[test]
    fn each_opinion_counts_as_much_as_its_weight() {
        let fused = |network, pixels, offset: f32| {
            let weights = Weights {
                network,
                pixels,
                offset,
            };
            fused(0.8, 0.2, Cut::NEAREST, weights)
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
    fn neither_opinion_is_final() {
        let fused = fused(1.0, 0.0, Cut::NEAREST, Weights::fixed(1.0));
        assert!((fused - 0.5).abs() < 1e-6, "{fused}");
    }
}
