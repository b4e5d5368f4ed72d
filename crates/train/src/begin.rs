//! The state that a run begins with.

use seggpt::{
    Architecture, DType, Device, Trainable, matching, pixels,
    start::{self, Structure},
};
use seggpt_random::Rng;
use seggpt_samples::Part;

use crate::{
    Batch, Settings, Sources, Start, Task, TrainError, Watch, loss::smooth_l1, state::State,
    student::Student,
};

/// Samples that a structured start is fitted to.
const SAMPLES: usize = 32;

pub(crate) fn begin(
    settings: &Settings,
    device: &Device,
    sources: &Sources,
    watch: &mut dyn Watch,
) -> Result<State, TrainError> {
    let config = settings.network.config();
    let network = match &settings.start {
        Start::Checkpoint(path) => match seggpt::architecture(path)? {
            Architecture::SegGpt(_) => Student::SegGpt(Trainable::load(path, device, DType::F32)?),
            Architecture::Matching(_) => {
                Student::Matching(matching::Trainable::load(path, device)?)
            }
        },
        Start::Random => {
            let weights = start::random(&config, settings.seed)?;
            Student::SegGpt(Trainable::new(config, weights, device, DType::F32)?)
        }
        Start::Structured => Student::SegGpt(structured(settings, device, sources, watch)?),
    };
    State::begin(network, settings.seed)
}

/// Tries what the structure leaves open, one after the other, on a few samples with the query hidden.
fn structured(
    settings: &Settings,
    device: &Device,
    sources: &Sources,
    watch: &mut dyn Watch,
) -> Result<Trainable, TrainError> {
    let config = settings.network.config();
    let size = settings.stages[0].size;
    let mut source = sources(size, Part::Training)?;
    let seed = Rng::derive(settings.seed, u64::MAX);
    let tasks: Vec<Task> = (0..SAMPLES as u64)
        .map(|i| Task::ask(source.sample(Rng::derive(seed, i), 1), config.patch_size))
        .collect();
    let rgb: Vec<u8> = tasks
        .iter()
        .flat_map(|task| task.sample.query.as_raw().iter().copied())
        .collect();
    let pictures = pixels::normalise(&rgb, SAMPLES, size as usize, size as usize, &Device::Cpu)?;
    let batches = tasks
        .chunks(16)
        .map(|some| Batch::new(some, config.patch_size, device));
    let batches = batches.collect::<Result<Vec<_>, _>>()?;

    let make = |structure: Structure| -> Result<Trainable, TrainError> {
        let weights = start::structured(&config, settings.seed, &pictures, structure)?;
        Ok(Trainable::new(config.clone(), weights, device, DType::F32)?)
    };
    let judge = |structure: Structure| -> Result<f64, TrainError> {
        let network = make(structure)?;
        let mut loss = 0.0;
        for batch in &batches {
            let painted = network.forward(&batch.canvases, None)?.detach();
            loss += f64::from(
                smooth_l1(&painted, &batch.target, &batch.weight, settings.beta.from)?
                    .to_scalar::<f32>()?,
            );
        }
        Ok(loss / batches.len() as f64)
    };
    let mut best = Structure::default();
    let mut least = judge(best)?;
    // The contrast first, for the others show little where it is wrong, and once more at the end.
    let contrasts = |best: Structure| {
        [0.25, 0.35, 0.5, 0.7]
            .map(|contrast| Structure { contrast, ..best })
            .to_vec()
    };
    let sharper = |best: Structure| {
        [6.0, 12.0, 24.0]
            .map(|sharpness| Structure { sharpness, ..best })
            .to_vec()
    };
    let whiter = |best: Structure| {
        [0.0, 1.0]
            .map(|whitening| Structure { whitening, ..best })
            .to_vec()
    };
    for round in [
        &contrasts as &dyn Fn(Structure) -> Vec<Structure>,
        &sharper,
        &whiter,
        &contrasts,
    ] {
        for structure in round(best) {
            let loss = judge(structure)?;
            if loss < least {
                (best, least) = (structure, loss);
            }
        }
    }
    watch.note(&format!(
        "structured start: sharpness {}, whitening {}, contrast {}, loss {least:.4}",
        best.sharpness, best.whitening, best.contrast
    ));
    make(best)
}
