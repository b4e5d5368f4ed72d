//! From samples to what a matching network is shown, and what its answers cost.
//!
//! Features are the costly part of a step and need no gradient. So every picture of a sample is the query once, with the
//! others as its prompts, each time for a class that these show.

use std::collections::BTreeSet;

use seggpt::{
    Device, Tensor,
    matching::{Batch, Trainable},
    pixels,
};
use seggpt_imaging::decode::enlarge;
use seggpt_random::Rng;
use seggpt_samples::{GrayImage, RgbImage, Sample};

use crate::{Task, TrainError, loss::cross_entropy_and_dice};

type Colour = [u8; 3];

/// One question: a picture of a sample, and a class that its other pictures show.
struct Question {
    /// The sample's number.
    sample: usize,
    /// The picture's number in the sample, of which the query is the last.
    query: usize,
    colour: Colour,
}

/// The loss of all questions that samples of one number of prompts hold.
pub(crate) fn loss(
    network: &Trainable,
    tasks: &[Task],
    rng: &mut Rng,
) -> Result<Tensor, TrainError> {
    let samples: Vec<&Sample> = tasks.iter().map(|task| &task.sample).collect();
    let each = samples.first().map_or(0, |sample| sample.prompts.len() + 1);
    let mut questions = Vec::new();
    for (number, sample) in samples.iter().enumerate() {
        // Of prompts it is not known where their masks do not count.
        let first = if sample.valid.is_some() { each - 1 } else { 0 };
        for query in first..each {
            let prompts = (0..each).filter(|picture| *picture != query);
            let masks = prompts.map(|picture| mask_of(sample, picture));
            let colours = colours(masks);
            if !colours.is_empty() {
                questions.push(Question {
                    sample: number,
                    query,
                    colour: colours[rng.below(colours.len())],
                });
            }
        }
    }
    if questions.is_empty() {
        // No picture shows a class: nothing is to be learnt here.
        return Ok(Tensor::zeros((), seggpt::DType::F32, network.device())?);
    }
    let device = network.device();
    let pictures = pictures(&samples, device)?;
    let features = network.features(&pictures)?;
    let (mut prompts, mut queries) = (Vec::new(), Vec::new());
    let (mut masks, mut target, mut weight) = (Vec::new(), Vec::new(), Vec::new());
    for question in &questions {
        let sample = samples[question.sample];
        let number = |picture| (question.sample * each + picture) as u32;
        for picture in (0..each).filter(|picture| *picture != question.query) {
            prompts.push(number(picture));
            masks.extend(halved(mask_of(sample, picture), question.colour));
        }
        queries.push(number(question.query));
        target.extend(halved(mask_of(sample, question.query), question.colour));
        weight.extend(known(sample, question.query == each - 1));
    }
    let (_, _, height, width) = pictures.dims4()?;
    let (rows, columns) = (height / 2, width / 2);
    let b = questions.len();
    let batch = Batch {
        pictures,
        features,
        prompts: Tensor::from_vec(prompts, (b, each - 1), device)?,
        queries: Tensor::new(queries, device)?,
        masks: Tensor::from_vec(masks, (b, 1, each - 1, rows, columns), device)?,
    };
    let logits = network.forward(&batch)?.squeeze(1)?;
    let target = Tensor::from_vec(target, (b, rows, columns), device)?;
    let weight = Tensor::from_vec(weight, (b, rows, columns), device)?;
    Ok(cross_entropy_and_dice(&logits, &target, &weight)?)
}

/// Answers the queries of tasks in the colours of the prompts' classes. The loss is the mean over tasks of that of all
/// classes.
pub(crate) fn paint(
    network: &Trainable,
    tasks: &[Task],
) -> Result<(f64, Vec<Vec<f32>>), TrainError> {
    let (mut total, mut painted) = (0.0, Vec::with_capacity(tasks.len()));
    for Task { sample, .. } in tasks {
        let colours = colours(sample.prompts.iter().map(|prompt| &prompt.mask));
        let side = sample.query.width() as usize;
        if colours.is_empty() {
            painted.push(vec![0.0; side * side * 3]);
            continue;
        }
        let device = network.device();
        let pictures = pictures(&[sample], device)?;
        let half = side / 2;
        let masks = colours.iter().flat_map(|colour| {
            let prompts = sample.prompts.iter();
            prompts.flat_map(|prompt| halved(&prompt.mask, *colour))
        });
        let shape = (1, colours.len(), sample.prompts.len(), half, half);
        let prompts = sample.prompts.len() as u32;
        let logits = network.forward(&Batch {
            features: network.features(&pictures)?,
            pictures,
            prompts: Tensor::arange(0, prompts, device)?.unsqueeze(0)?,
            queries: Tensor::new(&[prompts], device)?,
            masks: Tensor::from_vec(masks.collect(), shape, device)?,
        })?;
        let logits = logits.detach().squeeze(0)?;
        let target = colours
            .iter()
            .flat_map(|colour| halved(&sample.query_mask, *colour));
        let target = Tensor::from_vec(target.collect(), logits.shape(), device)?;
        let weight = known(sample, true);
        let weight = Tensor::from_vec(weight, (1, half, half), device)?;
        let weight = weight.broadcast_as(logits.shape())?;
        total += f64::from(cross_entropy_and_dice(&logits, &target, &weight)?.to_scalar::<f32>()?);
        let logits = logits.permute((1, 2, 0))?.flatten_all()?.to_vec1::<f32>()?;
        // Of this size by construction.
        let logits =
            enlarge(&logits, colours.len(), (half, half), (side, side)).unwrap_or_default();
        painted.push(
            logits
                .chunks_exact(colours.len())
                .flat_map(|logits| mixed(&colours, logits))
                .collect(),
        );
    }
    Ok((total / tasks.len().max(1) as f64, painted))
}

/// The colours of classes and black, each as much as its odds are of all.
fn mixed(colours: &[Colour], logits: &[f32]) -> [f32; 3] {
    let odds = logits.iter().map(|logit| logit.clamp(-30.0, 30.0).exp());
    let all: f32 = 1.0 + odds.clone().sum::<f32>();
    let mut mixed = [0.0; 3];
    for (colour, odds) in colours.iter().zip(odds) {
        for (channel, value) in mixed.iter_mut().zip(colour) {
            *channel += odds / all * f32::from(*value);
        }
    }
    mixed
}

fn mask_of(sample: &Sample, picture: usize) -> &RgbImage {
    match sample.prompts.get(picture) {
        Some(prompt) => &prompt.mask,
        None => &sample.query_mask,
    }
}

/// All colours but black.
fn colours<'a>(masks: impl Iterator<Item = &'a RgbImage>) -> Vec<Colour> {
    let all: BTreeSet<Colour> = masks
        .flat_map(RgbImage::pixels)
        .map(|pixel| pixel.0)
        .filter(|colour| *colour != [0; 3])
        .collect();
    all.into_iter().collect()
}

/// All pictures of samples, each sample's query last, `[n, 3, height, width]`.
fn pictures(samples: &[&Sample], device: &Device) -> Result<Tensor, TrainError> {
    let each = samples.iter().flat_map(|sample| {
        let prompts = sample.prompts.iter().map(|prompt| &prompt.picture);
        prompts.chain([&sample.query])
    });
    let rgb: Vec<&[u8]> = each.map(|picture| &picture.as_raw()[..]).collect();
    let query = samples.first().map(|sample| sample.query.dimensions());
    let (width, height) = query.unwrap_or_default();
    let size = (height as usize, width as usize);
    Ok(pixels::normalise(
        &rgb.concat(),
        rgb.len(),
        size.0,
        size.1,
        device,
    )?)
}

/// Of two by two pixels each the share that `is`.
fn halves(width: u32, height: u32, is: impl Fn(u32, u32) -> bool) -> Vec<f32> {
    let cell = |x: u32, y: u32| {
        let four = [(0, 0), (1, 0), (0, 1), (1, 1)];
        let count = four
            .iter()
            .filter(|(a, b)| is(2 * x + a, 2 * y + b))
            .count();
        count as f32 / 4.0
    };
    let rows = 0..height / 2;
    rows.flat_map(|y| (0..width / 2).map(move |x| (x, y)))
        .map(|(x, y)| cell(x, y))
        .collect()
}

fn halved(mask: &RgbImage, colour: Colour) -> Vec<f32> {
    halves(mask.width(), mask.height(), |x, y| {
        mask.get_pixel(x, y).0 == colour
    })
}

/// Where a picture's mask counts; of prompts, everywhere.
fn known(sample: &Sample, is_query: bool) -> Vec<f32> {
    let (width, height) = sample.query.dimensions();
    let valid: Option<&GrayImage> = sample.valid.as_ref().filter(|_| is_query);
    halves(width, height, |x, y| {
        valid.is_none_or(|valid| valid.get_pixel(x, y).0[0] != 0)
    })
}
