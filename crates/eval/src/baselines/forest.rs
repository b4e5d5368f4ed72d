use rayon::prelude::*;
use seggpt_imaging::RgbImage;

use super::{
    Baseline, Example, Fitted, check,
    features::{COUNT, features},
    plane,
    tree::{Growth, Samples, Tree},
};
use crate::{EvalError, IGNORE, LabelPlane, random::Random};

/// A forest of extremely randomised trees on [`features`](super::features::features).
#[derive(Debug, Clone, Copy)]
pub struct Forest {
    /// How many trees answer.
    pub trees: usize,
    /// Prompt pixels that they learn from, drawn evenly over all prompts.
    pub pixels: usize,
    /// Pixels below which a node is not split.
    pub smallest: usize,
    /// Levels below the root.
    pub deepest: usize,
    /// What the draws follow from.
    pub seed: u64,
}

impl Default for Forest {
    fn default() -> Self {
        Self {
            trees: 40,
            pixels: 20_000,
            smallest: 4,
            deepest: 24,
            seed: 0,
        }
    }
}

impl Baseline for Forest {
    fn name(&self) -> &'static str {
        "forest"
    }

    fn fit(&self, prompts: &[Example]) -> Result<Box<dyn Fitted>, EvalError> {
        check(self.name(), prompts)?;
        let mut labels: Vec<u16> = prompts
            .iter()
            .flat_map(|prompt| prompt.labels.values())
            .copied()
            .collect();
        labels.retain(|&label| label != IGNORE);
        labels.sort_unstable();
        labels.dedup();

        let mut random = Random::new(self.seed, &[]);
        let share = self.pixels.div_ceil(prompts.len());
        let (mut rows, mut classes) = (Vec::new(), Vec::new());
        for prompt in prompts {
            let values = features(&prompt.picture);
            let of = prompt.labels.values();
            let labelled: Vec<usize> = (0..of.len()).filter(|&at| of[at] != IGNORE).collect();
            for at in random.take(labelled, share) {
                rows.extend_from_slice(&values[at * COUNT..][..COUNT]);
                let class = labels
                    .binary_search(&of[at])
                    .expect("every label is listed");
                classes.push(class as u16);
            }
        }
        let samples = Samples {
            features: &rows,
            count: COUNT,
            classes: &classes,
            class_count: labels.len(),
        };
        let growth = Growth {
            smallest: self.smallest.max(2),
            deepest: self.deepest,
        };
        let grow = |tree| Tree::grow(&samples, &growth, &mut Random::new(self.seed, &[1, tree]));
        let trees = (0..self.trees.max(1) as u64)
            .into_par_iter()
            .map(grow)
            .collect();
        Ok(Box::new(Grown { trees, labels }))
    }
}

struct Grown {
    trees: Vec<Tree>,
    labels: Vec<u16>,
}

impl Fitted for Grown {
    fn answer(&self, picture: &RgbImage) -> LabelPlane {
        let values = features(picture);
        let label = |row: &[f32]| {
            let mut votes = vec![0.0f32; self.labels.len()];
            for tree in &self.trees {
                votes
                    .iter_mut()
                    .zip(tree.shares(row))
                    .for_each(|(vote, share)| *vote += share);
            }
            let best =
                (0..votes.len()).max_by(|&a, &b| votes[a].total_cmp(&votes[b]).then(b.cmp(&a)));
            self.labels[best.expect("there is at least one label")]
        };
        plane(picture, values.par_chunks_exact(COUNT).map(label).collect())
    }
}
