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

use crate::model::PromptSet;

/// A label that no palette has.
const UNKNOWN: u16 = u16::MAX;
/// Neither opinion counts for more than 199 to 1.
const SURE: f32 = 0.005;

/// The classifier of the prompts that were shown last.
#[derive(Default)]
pub struct Refiner {
    shown: Option<(PromptSet, Classifier)>,
}

impl Refiner {
    /// What the query's pixels look like: how likely each of `palette` (background first) is, `[S * S, palette]` at the
    /// canvases' side S. A class that the prompts do not show has probability 0.
    ///
    /// # Errors
    /// No pixel of the prompts has a colour of the palette.
    pub fn look(&mut self, canvases: &Canvases, palette: &[Rgb]) -> Result<Vec<f32>> {
        let asked = PromptSet::of(canvases);
        let shown = match self.shown.take() {
            Some(shown) if shown.0 == asked => shown,
            _ => (asked, learn(&canvases.prompts, palette)?),
        };
        let (_, classifier) = self.shown.insert(shown);
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

fn learn(prompts: &[Prompt], palette: &[Rgb]) -> Result<Classifier> {
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

/// Both opinions in one: memberships `[side * side, classes]`, in which a class begins where it outweighs background.
///
/// `painted` are memberships `[size * size, classes]`, in which a class begins at `cut`, and whose odds count to the power
/// of `trust`; `pixels` are those of [`Refiner::look`], `[side * side, classes]`. Background is first in both.
///
/// # Errors
/// The fields are not of these sizes.
pub fn combine(
    painted: &[f32],
    size: usize,
    (cut, trust): (Cut, f32),
    pixels: &[f32],
    side: usize,
    classes: usize,
) -> Result<Vec<f32>> {
    let mut fused = enlarge(painted, classes, (size, size), (side, side))?;
    ensure!(
        fused.len() == pixels.len(),
        "the query is not of the canvases' size"
    );
    let begins = cut.share() / (1.0 - cut.share());
    fused
        .par_chunks_exact_mut(classes)
        .zip(pixels.par_chunks_exact(classes))
        .for_each(|(fused, pixels)| {
            let [painted_ground, ground] = [fused[0].max(SURE), pixels[0].max(SURE)];
            let mut sum = 1.0;
            for (value, pixel) in fused.iter_mut().zip(pixels).skip(1) {
                let painted = value.max(SURE) / painted_ground / begins;
                *value = painted.powf(trust) * pixel.max(SURE) / ground;
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
    fn an_unsure_opinion_leaves_the_decision_to_the_other() {
        let cut = Cut::new(0.2).unwrap();
        let fused = |painted: f32, pixel: f32| {
            let opinions = [[1.0 - painted, painted], [1.0 - pixel, pixel]];
            combine(&opinions[0], 1, (cut, 1.0), &opinions[1], 1, 2).unwrap()[1]
        };
        assert!((fused(0.2, 0.7) - 0.7).abs() < 1e-6, "on the cut");
        assert!(
            (fused(0.5, 0.5) - 0.8).abs() < 1e-6,
            "four times the odds of the cut"
        );
        assert!(fused(0.3, 0.2) < 0.5 && fused(0.6, 0.3) > 0.5);
    }

    #[test]
    fn the_network_counts_as_much_as_it_is_trusted() {
        let fused = |trust| {
            let cut = (Cut::NEAREST, trust);
            combine(&[0.2, 0.8], 1, cut, &[0.5, 0.5], 1, 2).unwrap()[1]
        };
        assert!((fused(1.0) - 0.8).abs() < 1e-6);
        assert!(
            (fused(0.5) - 2.0 / 3.0).abs() < 1e-6,
            "odds of two, the root of four"
        );
    }

    #[test]
    fn neither_opinion_is_final() {
        let fused = combine(&[0.0, 1.0], 1, (Cut::NEAREST, 1.0), &[1.0, 0.0], 1, 2).unwrap();
        assert!((fused[1] - 0.5).abs() < 1e-6, "{fused:?}");
    }
}
