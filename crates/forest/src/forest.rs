use rayon::prelude::*;
use seggpt_imaging::RgbImage;

use seggpt_random::Rng;

use crate::{
    features::{COUNT, features},
    tree::{Growth, Samples, Tree},
};

/// How a forest is grown.
#[derive(Debug, Clone, Copy)]
pub struct Forest {
    /// How many trees answer.
    pub trees: usize,
    /// Pixels that they learn from, drawn evenly over all examples.
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

/// A picture to learn from.
#[derive(Debug, Clone, Copy)]
pub struct Labelled<'a> {
    /// The picture.
    pub picture: &'a RgbImage,
    /// A label for every pixel, row by row.
    pub labels: &'a [u16],
}

impl Forest {
    /// Learns from examples; pixels with the label `ignore` teach nothing. `None` if no pixel is labelled.
    #[must_use]
    pub fn learn(&self, examples: &[Labelled], ignore: u16) -> Option<Classifier> {
        let mut labels: Vec<u16> = examples
            .iter()
            .flat_map(|example| example.labels)
            .copied()
            .filter(|&label| label != ignore)
            .collect();
        labels.sort_unstable();
        labels.dedup();
        if labels.is_empty() {
            return None;
        }
        let mut rng = Rng::with_keys(self.seed, &[]);
        let share = self.pixels.div_ceil(examples.len());
        let (mut rows, mut classes) = (Vec::new(), Vec::new());
        for example in examples {
            let values = features(example.picture);
            let of = example.labels;
            let labelled: Vec<usize> = (0..of.len()).filter(|&at| of[at] != ignore).collect();
            for at in rng.take(labelled, share) {
                rows.extend_from_slice(&values[at * COUNT..][..COUNT]);
                let class = labels.partition_point(|&label| label < of[at]);
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
        let grow = |tree| {
            Tree::grow(
                &samples,
                &growth,
                &mut Rng::with_keys(self.seed, &[1, tree]),
            )
        };
        let trees = (0..self.trees.max(1) as u64)
            .into_par_iter()
            .map(grow)
            .collect();
        Some(Classifier { trees, labels })
    }
}

/// Pixels that a thread classifies at a time.
const PIXELS: usize = 1024;

/// What was learnt.
pub struct Classifier {
    trees: Vec<Tree>,
    labels: Vec<u16>,
}

impl Classifier {
    /// The labels that it knows, in ascending order.
    #[must_use]
    pub fn labels(&self) -> &[u16] {
        &self.labels
    }

    /// How likely each of [`labels`](Self::labels) is at every pixel, `[height * width, labels]`; a pixel's add up to 1.
    #[must_use]
    pub fn shares(&self, picture: &RgbImage) -> Vec<f32> {
        let values = features(picture);
        let count = self.labels.len();
        let mut shares = vec![0.0; values.len() / COUNT * count];
        // Tree by tree over some pixels, so that a tree stays in the cache.
        shares
            .par_chunks_mut(PIXELS * count)
            .zip(values.par_chunks(PIXELS * COUNT))
            .for_each(|(shares, values)| {
                for tree in &self.trees {
                    let rows = values.chunks_exact(COUNT);
                    for (shares, row) in shares.chunks_exact_mut(count).zip(rows) {
                        let votes = shares.iter_mut().zip(tree.shares(row));
                        votes.for_each(|(share, vote)| *share += vote);
                    }
                }
                let trees = self.trees.len() as f32;
                shares.iter_mut().for_each(|share| *share /= trees);
            });
        shares
    }

    /// The likeliest label of every pixel, the smaller of two equally likely ones.
    #[must_use]
    pub fn predict(&self, picture: &RgbImage) -> Vec<u16> {
        let label = |shares: &[f32]| {
            let best =
                (0..shares.len()).max_by(|&a, &b| shares[a].total_cmp(&shares[b]).then(b.cmp(&a)));
            self.labels[best.unwrap_or(0)]
        };
        self.shares(picture)
            .par_chunks_exact(self.labels.len())
            .map(label)
            .collect()
    }
}
