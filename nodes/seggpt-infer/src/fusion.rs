//! How much the network and the pixel classifier count for each class.
//!
//! Which of the two sees a class depends on the class: vessels are pixels, clothing is a meaning. The prompts' own masks
//! tell: both predict pieces of the prompts that they were not shown, and the weights of a multinomial
//! logistic regression are fitted on what came of it.

/// Odds of one class against background as a power of the odds of both: `exp(network * n + pixels * p + offset)` of their
/// logarithms n and p.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weights {
    /// The power of the network's odds.
    pub network: f32,
    /// The power of the pixel classifier's odds.
    pub pixels: f32,
    /// The logarithm of what both leave out.
    pub offset: f32,
}

impl Weights {
    /// The pixel classifier's odds as they are, the network's to a power.
    pub fn fixed(network: f32) -> Self {
        Self {
            network,
            pixels: 1.0,
            offset: 0.0,
        }
    }
}

/// A pixel of a piece that neither was given.
pub(crate) struct Observation {
    /// Logarithms of the odds of each class against background: the network's, the pixel classifier's. `None`: what was
    /// given instead of this piece has no such class.
    pub(crate) odds: Vec<Option<[f32; 2]>>,
    /// 0 for background, else the class's number from 1.
    pub(crate) label: usize,
}

/// Neither prediction counts for more than 199 to 1.
pub(crate) const LEAST: f32 = 0.005;
/// Neighbouring pixels say the same: so many that say something of their own are taken to be among all.
const INDEPENDENT: f32 = 150.0;
/// How far a weight may lie from where it starts, as a variance: of the two powers, and of the offset.
const SPREAD: [f32; 3] = [0.5, 0.5, 0.1];
const ROUNDS: usize = 12;

/// Fits the weights of `classes` classes; those of which nothing was observed stay at `start`.
///
/// Blockwise Newton steps on the penalised likelihood, which has one optimum. No power becomes negative.
pub(crate) fn fit(observations: &[Observation], classes: usize, start: Weights) -> Vec<Weights> {
    let origin = [start.network, start.pixels, start.offset];
    let mut weights = vec![origin; classes];
    let share = INDEPENDENT / observations.len().max(1) as f32;
    for _ in 0..ROUNDS {
        for class in 0..classes {
            let step = step(observations, &weights, class, origin, share);
            let weights = &mut weights[class];
            weights.iter_mut().zip(step).for_each(|(w, s)| *w += s);
            weights[..2]
                .iter_mut()
                .for_each(|power| *power = power.max(0.0));
        }
    }
    let named = |[network, pixels, offset]: [f32; 3]| Weights {
        network,
        pixels,
        offset,
    };
    weights.into_iter().map(named).collect()
}

/// The Newton step of one class's weights.
fn step(
    observations: &[Observation],
    weights: &[[f32; 3]],
    class: usize,
    origin: [f32; 3],
    share: f32,
) -> [f32; 3] {
    let (mut gradient, mut curvature) = ([0.0; 3], [[0.0; 3]; 3]);
    for observation in observations {
        let Some([n, p]) = observation.odds[class] else {
            continue;
        };
        let x = [n, p, 1.0];
        let likely = probability(observation, weights, class);
        let missed = f32::from(u8::from(observation.label == class + 1)) - likely;
        let weight = share * (likely * (1.0 - likely)).max(1e-4);
        for row in 0..3 {
            gradient[row] += share * missed * x[row];
            for column in 0..3 {
                curvature[row][column] += weight * x[row] * x[column];
            }
        }
    }
    for at in 0..3 {
        gradient[at] -= (weights[class][at] - origin[at]) / SPREAD[at];
        curvature[at][at] += 1.0 / SPREAD[at];
    }
    // Newton's steps overshoot where nearly all is certain.
    solve(curvature, gradient).map(|step| step.clamp(-0.5, 0.5))
}

fn probability(observation: &Observation, weights: &[[f32; 3]], class: usize) -> f32 {
    let odds = |(odds, [network, pixels, offset]): (&Option<[f32; 2]>, &[f32; 3])| {
        odds.map_or(0.0, |[n, p]| (network * n + pixels * p + offset).exp())
    };
    let each = observation.odds.iter().zip(weights);
    let all: f32 = 1.0 + each.map(odds).sum::<f32>();
    odds((&observation.odds[class], &weights[class])) / all
}

/// The solution of a symmetric positive definite system, by elimination.
#[allow(clippy::needless_range_loop)] // two rows of one matrix
fn solve(mut matrix: [[f32; 3]; 3], mut right: [f32; 3]) -> [f32; 3] {
    for pivot in 0..3 {
        for row in pivot + 1..3 {
            let factor = matrix[row][pivot] / matrix[pivot][pivot];
            for column in pivot..3 {
                matrix[row][column] -= factor * matrix[pivot][column];
            }
            right[row] -= factor * right[pivot];
        }
    }
    for row in (0..3).rev() {
        let known: f32 = (row + 1..3).map(|at| matrix[row][at] * right[at]).sum();
        right[row] = (right[row] - known) / matrix[row][row];
    }
    right
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `count` pixels, half of them of the one class: both predictions are right as often as told, with odds of 9 to 1.
    fn observed(count: usize, network: usize, pixels: usize) -> Vec<Observation> {
        let prediction = |label: usize, at: usize, right: usize| {
            let is_right = at % 10 < right;
            if (label == 1) == is_right { 2.2 } else { -2.2 }
        };
        (0..count)
            .map(|at| {
                let label = at % 2;
                // Mistakes of the two fall together no more often than by chance.
                let odds = [
                    prediction(label, at / 2, network),
                    prediction(label, at / 20, pixels),
                ];
                Observation {
                    odds: vec![Some(odds)],
                    label,
                }
            })
            .collect()
    }

    #[test]
    fn the_prediction_that_is_right_counts() {
        let start = Weights::fixed(0.3);
        let [knows] = fit(&observed(4000, 9, 5), 1, start)[..] else {
            panic!("one class")
        };
        assert!(knows.network > 0.6 && knows.pixels < 0.3, "{knows:?}");
        let [sees] = fit(&observed(4000, 5, 9), 1, start)[..] else {
            panic!("one class")
        };
        assert!(sees.network < 0.15 && sees.pixels > 0.7, "{sees:?}");
    }

    #[test]
    fn without_evidence_weights_stay_where_they_start() {
        let start = Weights::fixed(0.3);
        assert_eq!(fit(&[], 2, start), [start; 2]);
        let unseen = Observation {
            odds: vec![None],
            label: 1,
        };
        assert_eq!(fit(&[unseen], 1, start), [start]);
    }

    #[test]
    fn no_power_is_negative() {
        let wrong = fit(&observed(4000, 1, 9), 1, Weights::fixed(1.0));
        assert_eq!(wrong[0].network, 0.0);
    }

    #[test]
    fn a_system_is_solved() {
        let matrix = [[4.0, 1.0, 0.5], [1.0, 3.0, 0.25], [0.5, 0.25, 2.0]];
        let found = solve(matrix, [7.5, 7.75, 7.0]);
        for (found, expected) in found.iter().zip([1.0, 2.0, 3.0]) {
            assert!((found - expected).abs() < 1e-5, "{found}");
        }
    }
}
