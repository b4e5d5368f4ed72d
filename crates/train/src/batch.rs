//! From samples to what the network is shown.

use seggpt::{Canvases, Device, Tensor, pixels};
use seggpt_random::Rng;
use seggpt_samples::{Example, GrayImage, RgbImage, Sample};

use crate::{Masking, TrainError, mask};

/// One sample with what of it is hidden.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// The sample.
    pub sample: Sample,
    /// The hidden patches of the first prompt and of the query, row by row.
    pub hidden: Vec<bool>,
}

impl Task {
    /// Hides a part of a sample; what, follows from the seed.
    pub fn train(sample: Sample, masking: &Masking, patch: usize, seed: u64) -> Self {
        let side = sample.query.width() as usize / patch;
        let hidden = mask::draw(masking, side, &mut Rng::new(Rng::derive(seed, 1)));
        Self { sample, hidden }
    }

    /// Hides the query's mask.
    pub fn ask(sample: Sample, patch: usize) -> Self {
        let hidden = mask::whole(sample.query.width() as usize / patch);
        Self { sample, hidden }
    }
}

/// Tensors of several tasks.
pub struct Batch {
    /// What the network is shown.
    pub canvases: Canvases,
    /// What it should paint, `[B, 2 S, S, 3]`.
    pub target: Tensor,
    /// Where that counts, of the same shape: 1 where a pixel is hidden and valid, else 0.
    pub weight: Tensor,
}

impl Batch {
    /// Puts tasks of one size and number of prompts together.
    ///
    /// # Errors
    /// If they differ in that, or there are none.
    pub fn new(tasks: &[Task], patch: usize, device: &Device) -> Result<Self, TrainError> {
        let b = tasks.len();
        let first = tasks.first().map(|task| &task.sample);
        let side = first.map_or(0, |sample| sample.query.width()) as usize;
        let prompts = first.map_or(0, |sample| sample.prompts.len());
        let planes = |of: fn(&Example) -> &RgbImage,
                      query: fn(&Sample) -> &RgbImage|
         -> Result<Tensor, TrainError> {
            let halves = tasks.iter().flat_map(|Task { sample, .. }| {
                let prompts = sample.prompts.iter().map(of);
                prompts.chain([query(sample)])
            });
            let rgb: Vec<u8> = halves.flat_map(|half| half.as_raw()).copied().collect();
            let halves = prompts + 1;
            let planes = pixels::normalise(&rgb, b * halves, side, side, &Device::Cpu)?;
            Ok(planes.reshape((b, halves, 3, side, side))?)
        };
        let pictures = planes(|prompt| &prompt.picture, |sample| &sample.query)?;
        let masks = planes(|prompt| &prompt.mask, |sample| &sample.query_mask)?;
        let answers = Tensor::cat(&[masks.narrow(1, 0, 1)?, masks.narrow(1, prompts, 1)?], 1)?;
        let target =
            answers
                .permute((0, 1, 3, 4, 2))?
                .contiguous()?
                .reshape((b, 2 * side, side, 3))?;
        let weight: Vec<f32> = tasks
            .iter()
            .flat_map(|task| weights(task, side, patch))
            .collect();
        let masked: Vec<f32> = tasks
            .iter()
            .flat_map(|task| masked(&task.hidden, prompts))
            .collect();
        let kinds = tasks.iter().map(|task| task.sample.kind);
        Ok(Self {
            canvases: Canvases {
                pictures: pictures.to_device(device)?,
                masks: masks.to_device(device)?,
                masked: Tensor::from_vec(masked, (b, ()), device)?,
                kinds: kinds.collect(),
            },
            target: target.to_device(device)?,
            weight: Tensor::from_vec(weight, (b, 2 * side, side, 3), device)?,
        })
    }
}

/// 1 where a patch of the prompts and the query is hidden; of the prompts, only the first may have such.
fn masked(hidden: &[bool], prompts: usize) -> impl Iterator<Item = f32> {
    let (first, query) = hidden.split_at(hidden.len() / 2);
    let others = std::iter::repeat_n(&false, first.len() * prompts.saturating_sub(1));
    let all = first.iter().chain(others).chain(query);
    all.map(|hidden| f32::from(u8::from(*hidden)))
}

fn weights(task: &Task, side: usize, patch: usize) -> impl Iterator<Item = f32> {
    let valid = task.sample.valid.as_ref().map(GrayImage::as_raw);
    let columns = side / patch;
    (0..2 * side * side).flat_map(move |pixel| {
        let (row, column) = (pixel / side, pixel % side);
        let hidden = task.hidden[row / patch * columns + column / patch];
        let known = match valid {
            Some(valid) if row >= side => valid[pixel - side * side] != 0,
            _ => true,
        };
        [f32::from(u8::from(hidden && known)); 3]
    })
}
