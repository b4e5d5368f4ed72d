//! One extremely randomised tree (Geurts, Ernst, Wehenkel 2006): at every node a few features are
//! drawn with one random threshold each, and the split that separates the classes best is kept.

use seggpt_random::Rng;

/// Rows of features with a class index each.
pub(crate) struct Samples<'a> {
    pub features: &'a [f32],
    /// Features per row.
    pub count: usize,
    pub classes: &'a [u16],
    pub class_count: usize,
}

impl Samples<'_> {
    fn value(&self, row: u32, feature: usize) -> f32 {
        self.features[row as usize * self.count + feature]
    }
}

pub(crate) struct Growth {
    /// Rows below which a node is not split.
    pub smallest: usize,
    /// Levels below the root.
    pub deepest: usize,
}

pub(crate) struct Tree {
    nodes: Vec<Node>,
    /// Shares of the classes, one after another, of every leaf.
    shares: Vec<f32>,
    class_count: usize,
}

enum Node {
    /// Rows below the threshold go to the next node, others to `right`.
    Split {
        feature: u32,
        threshold: f32,
        right: u32,
    },
    Leaf {
        first_share: u32,
    },
}

impl Tree {
    pub(crate) fn grow(samples: &Samples, growth: &Growth, rng: &mut Rng) -> Self {
        let mut tree = Self {
            nodes: Vec::new(),
            shares: Vec::new(),
            class_count: samples.class_count,
        };
        let mut rows: Vec<u32> = (0..samples.classes.len() as u32).collect();
        tree.node(samples, &mut rows, growth, growth.deepest, rng);
        tree
    }

    /// The shares of the classes where a row ends up.
    pub(crate) fn shares(&self, row: &[f32]) -> &[f32] {
        let mut at = 0;
        loop {
            match self.nodes[at] {
                Node::Leaf { first_share } => {
                    return &self.shares[first_share as usize..][..self.class_count];
                }
                Node::Split {
                    feature,
                    threshold,
                    right,
                } => {
                    at = if row[feature as usize] < threshold {
                        at + 1
                    } else {
                        right as usize
                    };
                }
            }
        }
    }

    fn node(
        &mut self,
        samples: &Samples,
        rows: &mut [u32],
        growth: &Growth,
        levels: usize,
        rng: &mut Rng,
    ) {
        let counts = counts(samples, rows.iter());
        let pure = counts.iter().filter(|&&count| count > 0).count() < 2;
        let split = if pure || rows.len() < growth.smallest || levels == 0 {
            None
        } else {
            best_split(samples, rows, &counts, rng)
        };
        let Some((feature, threshold)) = split else {
            let first_share = self.shares.len() as u32;
            self.shares
                .extend(counts.iter().map(|&count| count as f32 / rows.len() as f32));
            self.nodes.push(Node::Leaf { first_share });
            return;
        };
        let at = self.nodes.len();
        let right = 0; // known once the left side is grown
        self.nodes.push(Node::Split {
            feature: feature as u32,
            threshold,
            right,
        });
        let middle = partition(rows, |&row| samples.value(row, feature) < threshold);
        let (left_rows, right_rows) = rows.split_at_mut(middle);
        self.node(samples, left_rows, growth, levels - 1, rng);
        let here = self.nodes.len() as u32;
        if let Node::Split { right, .. } = &mut self.nodes[at] {
            *right = here;
        }
        self.node(samples, right_rows, growth, levels - 1, rng);
    }
}

fn counts<'r>(samples: &Samples, rows: impl Iterator<Item = &'r u32>) -> Vec<u32> {
    let mut counts = vec![0; samples.class_count];
    rows.for_each(|&row| counts[usize::from(samples.classes[row as usize])] += 1);
    counts
}

/// Among as many features as the root of their number, each with a random threshold, the one whose
/// sides are purest (Gini); `None` if none of them varies.
fn best_split(samples: &Samples, rows: &[u32], all: &[u32], rng: &mut Rng) -> Option<(usize, f32)> {
    let tries = (samples.count as f32).sqrt().ceil() as usize;
    let mut best: Option<(f32, usize, f32)> = None;
    let mut values = Vec::with_capacity(rows.len());
    let mut left = vec![0; all.len()];
    for feature in rng.take((0..samples.count).collect(), tries) {
        values.clear();
        values.extend(rows.iter().map(|&row| samples.value(row, feature)));
        let (low, high) = values
            .iter()
            .fold((f32::MAX, f32::MIN), |(low, high), &value| {
                (low.min(value), high.max(value))
            });
        let threshold = low + (high - low) * (1.0 - rng.unit());
        if threshold <= low {
            continue;
        }
        left.fill(0);
        for (&row, &value) in rows.iter().zip(&values) {
            left[usize::from(samples.classes[row as usize])] += u32::from(value < threshold);
        }
        let right: Vec<u32> = all
            .iter()
            .zip(&left)
            .map(|(all, left)| all - left)
            .collect();
        let purity = purity(&left) + purity(&right);
        if best.is_none_or(|(known, ..)| purity > known) {
            best = Some((purity, feature, threshold));
        }
    }
    best.map(|(_, feature, threshold)| (feature, threshold))
}

/// The number of rows times one minus their Gini impurity.
fn purity(counts: &[u32]) -> f32 {
    let total: u32 = counts.iter().sum();
    let squares: f32 = counts.iter().map(|&count| (count as f32).powi(2)).sum();
    if total == 0 {
        0.0
    } else {
        squares / total as f32
    }
}

/// Moves the rows that are `first` to the front; their number.
fn partition(rows: &mut [u32], first: impl Fn(&u32) -> bool) -> usize {
    let mut middle = 0;
    for at in 0..rows.len() {
        if first(&rows[at]) {
            rows.swap(at, middle);
            middle += 1;
        }
    }
    middle
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_learns_a_corner_that_no_single_threshold_separates() {
        let mut rng = Rng::with_keys(1, &[]);
        let features: Vec<f32> = (0..2000).map(|_| rng.unit()).collect();
        let inside = |row: &[f32]| u16::from(row[0] > 0.5 && row[1] > 0.3);
        let classes: Vec<u16> = features.chunks_exact(2).map(inside).collect();
        let samples = Samples {
            features: &features,
            count: 2,
            classes: &classes,
            class_count: 2,
        };
        let growth = Growth {
            smallest: 2,
            deepest: 30,
        };
        let tree = Tree::grow(&samples, &growth, &mut rng);
        let fresh: Vec<f32> = (0..1000).map(|_| rng.unit()).collect();
        let right = fresh
            .chunks_exact(2)
            .filter(|row| tree.shares(row)[usize::from(inside(row))] > 0.5);
        assert!(right.count() > 470, "500 fresh points");
    }

    #[test]
    fn a_tree_of_equal_rows_answers_their_shares() {
        let (features, classes) = ([1.0; 4], [0, 0, 0, 1]);
        let samples = Samples {
            features: &features,
            count: 1,
            classes: &classes,
            class_count: 2,
        };
        let growth = Growth {
            smallest: 2,
            deepest: 5,
        };
        let tree = Tree::grow(&samples, &growth, &mut Rng::with_keys(1, &[]));
        assert_eq!(tree.shares(&[7.0]), [0.75, 0.25]);
    }
}
