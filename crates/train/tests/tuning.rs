//! A prompt that learns, for a network that does not.
#![allow(clippy::unwrap_used)]

mod common;

use std::{fs, path::Path};

use common::{Quiet, halves, mask, picture};
use seggpt::{DType, Device, Trainable};
use seggpt_random::Rng;
use seggpt_samples::{Example, RgbImage, SegType};
use seggpt_train::{
    Limit, Settings, TrainError, run,
    tune::{Job, Tuned, Tuning, tune},
};

const SIZE: u32 = 16;
const COLOUR: [u8; 3] = [220, 120, 60];

/// A network that has learnt the halves.
fn trained(folder: &Path) -> std::path::PathBuf {
    let yaml = folder.join("train.yml");
    fs::write(
        &yaml,
        "network: {preset: small, image_size: 16, width: 64, depth: 2, heads: 2, mlp_width: 64, decoder_width: 8, \
         kept_blocks: [1], stem_width: 24}\nstages: [{steps: 120, size: 16, batch: 8}]\n\
         optimisation: {learning_rate: 2.0e-3, warmup: 20, average: 0.98}\nvalidation: {every: 120, samples: 8}\n",
    )
    .unwrap();
    let settings = Settings::read(&yaml).unwrap();
    run(
        &settings,
        folder,
        Limit::default(),
        &Device::Cpu,
        &halves,
        &mut Quiet,
    )
    .unwrap();
    folder.join("model.safetensors")
}

/// Labelled pictures, and a prompt that says little: a grey picture with a smear of the colour.
fn job<'a>(model: &Path, subject: &'a str, colours: &'a [[u8; 3]]) -> Job<'a> {
    let labelled = |split| Example {
        picture: picture(SIZE, split),
        mask: mask(SIZE, split, true, COLOUR),
    };
    Job {
        network: Trainable::load(model, &Device::Cpu, DType::F32).unwrap(),
        subject,
        prompt: Example {
            picture: RgbImage::from_pixel(SIZE, SIZE, image::Rgb([125; 3])),
            mask: mask(SIZE, 5, true, COLOUR),
        },
        training: [4, 7, 9, 12].map(labelled).to_vec(),
        validation: [5, 8, 11].map(labelled).to_vec(),
        colours,
        kind: SegType::Semantic,
    }
}

fn tuned(
    model: &Path,
    folder: &Path,
    subject: &str,
    steps: Option<u64>,
) -> Result<Tuned, TrainError> {
    let settings = Tuning {
        size: SIZE,
        steps: 60,
        every: 20,
        learning_rate: 0.03,
        ..Tuning::default()
    };
    let limit = Limit { steps, time: None };
    tune(
        job(model, subject, &[COLOUR]),
        &settings,
        folder,
        limit,
        &mut Quiet,
    )
}

#[test]
fn a_vague_prompt_becomes_a_good_one_and_an_interrupted_tuning_ends_with_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let model = trained(folder.path());
    let whole = tuned(&model, &path("whole"), "halves", None).unwrap();
    let (first, best) = (whole.first, whole.best);
    assert!(best.loss < 0.7 * first.loss, "{first:?} to {best:?}");
    assert!(best.iou > first.iou, "{first:?} to {best:?}");
    // What 8 bits cost.
    assert!(
        (whole.exact - best.loss).abs() < 0.05 * best.loss,
        "{whole:?}"
    );
    let page = fs::read_to_string(path("whole/index.html")).unwrap();
    assert!(page.contains("<polyline") && page.contains("tuned mask") && !page.contains("http://"));

    assert_eq!(
        tuned(&model, &path("broken"), "halves", Some(27))
            .unwrap()
            .step,
        27
    );
    let state = path("broken/tuning.safetensors");
    let kept = fs::read(&state).unwrap();
    tuned(&model, &path("broken"), "halves", Some(41)).unwrap();
    fs::write(&state, kept).unwrap();
    let broken = tuned(&model, &path("broken"), "halves", None).unwrap();
    let tensors = |run: &str| {
        let bytes = fs::read(path(run).join("tuning.safetensors")).unwrap();
        let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        let all = file.tensors().into_iter();
        let mut all: Vec<_> = all
            .filter(|(name, _)| !name.starts_with("best/"))
            .map(|(name, view)| (name, view.data().to_vec()))
            .collect();
        all.sort();
        all
    };
    assert!(tensors("whole") == tensors("broken"));
    assert_eq!(broken.step, 60);

    let other = tuned(&model, &path("whole"), "something else", None).unwrap_err();
    assert!(other.to_string().contains("it is of halves"), "{other}");
}

#[test]
fn a_picture_can_learn_alone() {
    let folder = tempfile::tempdir().unwrap();
    let model = trained(folder.path());
    let job = job(&model, "halves", &[COLOUR]);
    let mask = job.prompt.mask.clone();
    let settings = Tuning {
        size: SIZE,
        steps: 20,
        every: 20,
        learning_rate: 0.03,
        mask: false,
        ..Tuning::default()
    };
    let tuned = tune(
        job,
        &settings,
        &folder.path().join("out"),
        Limit::default(),
        &mut Quiet,
    )
    .unwrap();
    assert_eq!(tuned.prompt.mask, mask);
    assert!(tuned.best.loss < tuned.first.loss);
}

#[test]
fn values_without_sense_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let network = |folder: &Path| {
        let config = seggpt::Config::tiny();
        let weights = seggpt::start::random(&config, Rng::derive(1, 1)).unwrap();
        let path = folder.join("tiny.safetensors");
        let network = Trainable::new(config, weights, &Device::Cpu, DType::F32).unwrap();
        network.save(&path, seggpt::DTypeChoice::F32).unwrap();
        path
    };
    let model = network(folder.path());
    let refused = |settings: Tuning| {
        let job = job(&model, "halves", &[COLOUR]);
        let refused = tune(job, &settings, folder.path(), Limit::default(), &mut Quiet);
        refused.unwrap_err().to_string()
    };
    let good = Tuning {
        size: 64,
        ..Tuning::default()
    };
    for (field, settings) in [
        (
            "size",
            Tuning {
                size: 30,
                ..good.clone()
            },
        ),
        (
            "steps",
            Tuning {
                steps: 0,
                ..good.clone()
            },
        ),
        (
            "learning_rate",
            Tuning {
                learning_rate: 0.0,
                ..good
            },
        ),
    ] {
        let error = refused(settings);
        assert!(error.contains(field), "{error}");
    }
}
