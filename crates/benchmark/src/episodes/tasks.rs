use std::{cmp::Reverse, collections::BTreeMap};

use seggpt_datasets::{Dataset, Role};

use crate::BenchmarkError;

/// Finding one class of a set, or one object of a video, in all queries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassTask {
    /// The video, in a set of videos.
    pub video: Option<String>,
    /// The class.
    pub class: u16,
    /// The prompts: samples that show the class, the one with most of it first.
    pub prompts: Vec<usize>,
    /// The queries, whether or not they show the class.
    pub queries: Vec<usize>,
}

/// The share of a picture beyond which a class leaves too little to tell it from.
const FILLED: f64 = 2.0 / 3.0;

/// One task per class of a set whose samples have roles ([`Role`]), or per class and video in a set
/// of videos: the `shots` prompts that show most of the class, and the queries.
///
/// Prompts are compared by pixels at long side `side`; those that the class fills by more than two
/// thirds come after the others.
///
/// The mean over the tasks of the IoU accumulated over their queries is the score that this
/// project's tables show. Classes that no prompt shows have no task.
///
/// # Errors
/// [`BenchmarkError::Episodes`] if no sample is a prompt; what reading the prompts' truth can raise.
pub fn class_tasks(
    dataset: &dyn Dataset,
    shots: usize,
    side: usize,
) -> Result<Vec<ClassTask>, BenchmarkError> {
    let mut prompts: BTreeMap<(Option<&str>, u16), Vec<Shown>> = BTreeMap::new();
    let mut queries: BTreeMap<Option<&str>, Vec<usize>> = BTreeMap::new();
    for (index, sample) in dataset.samples().iter().enumerate() {
        let video = sample.frame.as_ref().map(|frame| frame.video.as_str());
        match sample.role {
            Some(Role::Query) => queries.entry(video).or_default().push(index),
            None => {}
            Some(Role::Prompt) => {
                let labels = dataset.truth(index)?.labels;
                let labels = labels.resized(long_side(labels.size(), side));
                for class in labels.classes() {
                    let area = labels.mask(class).area();
                    let filled = area as f64 > FILLED * labels.values().len() as f64;
                    let shown = Shown {
                        filled,
                        area: Reverse(area),
                        index,
                    };
                    prompts.entry((video, class)).or_default().push(shown);
                }
            }
        }
    }
    if prompts.is_empty() {
        let reason = format!(
            "no sample of {} is a prompt that shows a class",
            dataset.name()
        );
        return Err(BenchmarkError::Episodes { reason });
    }
    let task = |((video, class), mut shown): ((Option<&str>, u16), Vec<Shown>)| {
        shown.sort();
        let of_video = queries.get(&video).map_or(&[][..], Vec::as_slice);
        ClassTask {
            video: video.map(str::to_owned),
            class,
            prompts: shown
                .into_iter()
                .take(shots.max(1))
                .map(|shown| shown.index)
                .collect(),
            queries: of_video.to_vec(),
        }
    };
    Ok(prompts.into_iter().map(task).collect())
}

/// A prompt that shows a class; the best comes first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Shown {
    filled: bool,
    area: Reverse<usize>,
    index: usize,
}

/// The size (width, height) at which the longer side has `side` pixels; smaller pictures grow.
#[must_use]
pub fn long_side((width, height): (usize, usize), side: usize) -> (usize, usize) {
    let scale = side as f64 / width.max(height).max(1) as f64;
    let scaled = |length: usize| ((length as f64 * scale).round_ties_even() as usize).max(1);
    (scaled(width), scaled(height))
}
