//! How well the query's mask is painted, on samples of files that are never trained on.

use std::collections::BTreeSet;

use seggpt::{Trainable, pixels};
use seggpt_random::Rng;
use seggpt_samples::{RgbImage, Source};
use serde::{Deserialize, Serialize};

use crate::{Batch, Task, TrainError, loss::smooth_l1};

/// What a validation finds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Mean over samples of the mean IoU of the colours that the prompts show, 0..=1.
    pub iou: f64,
    /// Where between black (0) and its colour (1) a pixel must lie to count as painted, for that IoU: the best of
    /// several.
    #[serde(alias = "cut")]
    pub threshold: f64,
    /// The loss, at the beta of the last step.
    pub loss: f64,
}

impl Score {
    /// Whether the IoU is larger, and not by what a number loses on its way through a file.
    pub(crate) fn exceeds(&self, other: &Self) -> bool {
        self.iou - other.iou > 1e-9
    }
}

/// A sample and what the network painted.
pub(crate) struct Picture {
    pub(crate) task: Task,
    pub(crate) answer: RgbImage,
}

const THRESHOLDS: [f64; 8] = [0.03, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6];

/// Seeds of validation are those of a stream of its own.
const STREAM: u64 = 0x5eed_0f0a_110c_a7e5;

/// The fixed samples of a run, in equal parts of 1 to `most` prompts.
pub(crate) fn tasks(
    source: &mut dyn Source,
    count: usize,
    most: usize,
    patch: usize,
    seed: u64,
) -> Vec<Task> {
    let task = |i| {
        let seed = Rng::derive(seed ^ STREAM, i as u64);
        Task::ask(source.sample(seed, 1 + i * most / count), patch)
    };
    (0..count).map(task).collect()
}

/// How tasks are measured.
#[derive(Clone, Copy)]
pub(crate) struct Measure<'a> {
    /// Tasks at once.
    pub(crate) batch: usize,
    /// Of the loss.
    pub(crate) beta: f64,
    /// So many answers are kept.
    pub(crate) pictures: usize,
    /// The colours that count; none: those of the prompts' masks.
    pub(crate) colours: Option<&'a [[u8; 3]]>,
}

/// What answers tasks with paint.
pub(crate) trait Painter {
    /// The mean loss of the queries, and the colours of each, pixel by pixel, not rounded. `beta` is that of the smooth L1
    /// loss, where there is such.
    fn paint(&self, tasks: &[Task], beta: f64) -> Result<(f64, Vec<Vec<f32>>), TrainError>;
}

impl Painter for Trainable {
    fn paint(&self, tasks: &[Task], beta: f64) -> Result<(f64, Vec<Vec<f32>>), TrainError> {
        let made = Batch::new(tasks, self.config().patch_size, self.device())?;
        let painted = self.forward(&made.canvases, None)?.detach();
        let loss = smooth_l1(&painted, &made.target, &made.weight, beta)?.to_scalar::<f32>()?;
        let side = painted.dim(2)?;
        let planes = painted
            .narrow(1, side, side)?
            .permute((0, 3, 1, 2))?
            .contiguous()?;
        Ok((f64::from(loss), pixels::painted(&planes)?))
    }
}

/// Lets tasks be painted and scores them.
pub(crate) fn measure(
    network: &impl Painter,
    tasks: &[Task],
    how: Measure,
) -> Result<(Score, Vec<Picture>), TrainError> {
    let (mut loss, mut kept) = (0.0, Vec::new());
    let mut ious = [0.0; THRESHOLDS.len()];
    let alike = tasks.chunk_by(|a, b| a.sample.prompts.len() == b.sample.prompts.len());
    let every = (tasks.len() / how.pictures.max(1)).max(1);
    let mut number = 0;
    for some in alike.flat_map(|run| run.chunks(how.batch.max(1))) {
        let (value, painted) = network.paint(some, how.beta)?;
        loss += value * some.len() as f64;
        for (task, colours) in some.iter().zip(painted) {
            let side = task.sample.query.width();
            let found = sample_ious(task, how.colours, &colours);
            ious.iter_mut()
                .zip(found)
                .for_each(|(sum, iou)| *sum += iou);
            if number % every == 0 && kept.len() < how.pictures {
                let bytes = colours.iter().map(|value| value.round() as u8).collect();
                let answer = RgbImage::from_raw(side, side, bytes).unwrap_or_default();
                kept.push(Picture {
                    task: task.clone(),
                    answer,
                });
            }
            number += 1;
        }
    }
    let count = tasks.len().max(1) as f64;
    let best = ious
        .iter()
        .zip(THRESHOLDS)
        .max_by(|a, b| a.0.total_cmp(b.0));
    let (iou, threshold) = best.map_or((0.0, 0.5), |(iou, threshold)| (iou / count, threshold));
    Ok((
        Score {
            iou,
            threshold,
            loss: loss / count,
        },
        kept,
    ))
}

/// Mean IoU over the colours at each of [`THRESHOLDS`].
fn sample_ious(
    task: &Task,
    colours: Option<&[[u8; 3]]>,
    painted: &[f32],
) -> [f64; THRESHOLDS.len()] {
    let sample = &task.sample;
    let shown = || {
        let colours: BTreeSet<[u8; 3]> = sample
            .prompts
            .iter()
            .flat_map(|prompt| prompt.mask.pixels())
            .map(|pixel| pixel.0)
            .filter(|rgb| *rgb != [0; 3])
            .collect();
        colours.into_iter().collect()
    };
    let colours: Vec<[u8; 3]> = colours.map_or_else(shown, <[_]>::to_vec);
    if colours.is_empty() {
        return [0.0; THRESHOLDS.len()];
    }
    // Per colour and threshold: pixels in both, and in one or the other.
    let mut both = vec![[0u32; THRESHOLDS.len()]; colours.len()];
    let mut either = both.clone();
    for (i, (rgb, truth)) in painted
        .as_chunks::<3>()
        .0
        .iter()
        .zip(sample.query_mask.pixels())
        .enumerate()
    {
        if sample
            .valid
            .as_ref()
            .is_some_and(|valid| valid.as_raw()[i] == 0)
        {
            continue;
        }
        let (found, share) = nearest(&colours, *rgb);
        for (class, colour) in colours.iter().enumerate() {
            let is = truth.0 == *colour;
            for (threshold, level) in THRESHOLDS.iter().enumerate() {
                let says = class == found && share > *level;
                both[class][threshold] += u32::from(is && says);
                either[class][threshold] += u32::from(is || says);
            }
        }
    }
    std::array::from_fn(|threshold| {
        let iou = |class: usize| {
            f64::from(both[class][threshold]) / f64::from(either[class][threshold].max(1))
        };
        let there = (0..colours.len()).filter(|class| either[*class][threshold] > 0);
        match there.clone().count() {
            // Nothing is there, and nothing was found.
            0 => 1.0,
            count => there.map(iou).sum::<f64>() / count as f64,
        }
    })
}

/// The colour whose line from black passes nearest by, and how far along it: 0 black, 1 the colour.
fn nearest(colours: &[[u8; 3]], rgb: [f32; 3]) -> (usize, f64) {
    let mut best = (0, 0.0, f64::INFINITY);
    for (index, colour) in colours.iter().enumerate() {
        let colour = colour.map(f64::from);
        let rgb = rgb.map(f64::from);
        let length: f64 = colour.iter().map(|c| c * c).sum();
        let share =
            (colour.iter().zip(rgb).map(|(c, x)| c * x).sum::<f64>() / length).clamp(0.0, 1.0);
        let distance: f64 = colour
            .iter()
            .zip(rgb)
            .map(|(c, x)| (x - share * c).powi(2))
            .sum();
        if distance < best.2 {
            best = (index, share, distance);
        }
    }
    (best.0, best.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pixel_belongs_to_the_colour_on_whose_line_it_lies() {
        let colours = [[200, 0, 0], [0, 100, 100]];
        assert_eq!(nearest(&colours, [100.0, 0.0, 0.0]), (0, 0.5));
        assert_eq!(nearest(&colours, [0.0, 110.0, 110.0]), (1, 1.0));
        assert_eq!(nearest(&colours, [0.0; 3]).1, 0.0);
    }
}
