//! Whole runs on a tiny matching network.
#![allow(clippy::unwrap_used)]

mod common;

use std::{collections::BTreeMap, fs, path::Path};

use common::{Quiet, halves};
use seggpt::{
    DTypeChoice, Device, MatchingConfig,
    matching::{Network, Trainable, random},
};
use seggpt_train::{Limit, Outcome, Settings, TrainError, run};

/// A network of drawn weights.
fn network(path: &Path) {
    let config = MatchingConfig::tiny();
    let tensors = random(&config, 5).unwrap();
    let network = Trainable::new(config, tensors, &Device::Cpu).unwrap();
    network.save(path, DTypeChoice::F32).unwrap();
}

fn settings(start: &Path, more: &str) -> Settings {
    let yaml = format!(
        "start: {{checkpoint: {}}}\nstages: [{{steps: 30, size: 56, batch: 2, prompts: 2}}]\n\
         optimisation: {{learning_rate: 3.0e-3, warmup: 3, average: 0.8}}\n\
         validation: {{every: 30, samples: 6}}\ncheckpoint_every: 7\n{more}",
        start.display()
    );
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), yaml).unwrap();
    Settings::read(file.path()).unwrap()
}

fn train(settings: &Settings, out: &Path, limit: Limit) -> Result<Outcome, TrainError> {
    run(settings, out, limit, &Device::Cpu, &halves, &mut Quiet)
}

fn tensors(file: &Path) -> BTreeMap<String, Vec<u8>> {
    let bytes = fs::read(file).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let tensors = file.tensors().into_iter();
    tensors
        .map(|(name, view)| (name, view.data().to_vec()))
        .collect()
}

#[test]
fn the_head_learns_and_the_encoder_stays_wherever_a_run_is_interrupted() {
    let folder = tempfile::tempdir().unwrap();
    let start = folder.path().join("start.safetensors");
    network(&start);
    let settings = settings(&start, "");
    let (whole, broken) = (folder.path().join("whole"), folder.path().join("broken"));
    let outcome = train(&settings, &whole, Limit::default()).unwrap();
    assert!(outcome.complete);
    assert!(outcome.best.unwrap().iou > 0.7, "{:?}", outcome.best);

    train(&settings, &broken, Limit::new(Some(11), None)).unwrap();
    train(&settings, &broken, Limit::default()).unwrap();
    let state = "state.safetensors";
    assert!(tensors(&whole.join(state)) == tensors(&broken.join(state)));

    // Nothing is left of the file that the run began with, and nothing else is needed.
    fs::remove_file(&start).unwrap();
    let trained = whole.join("model.safetensors");
    Network::load(&trained, &Device::Cpu, DTypeChoice::F32).unwrap();
    let (first, last) = (tensors(&whole.join(state)), tensors(&broken.join(state)));
    let encoder = |name: &&String| name.starts_with("encoder/");
    assert!(
        first
            .keys()
            .filter(encoder)
            .all(|name| first[name] == last[name])
    );
}

#[test]
fn pictures_that_fill_no_whole_patches_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let start = folder.path().join("start.safetensors");
    network(&start);
    let mut settings = settings(&start, "");
    settings.stages[0].size = 60;
    let error = train(&settings, &folder.path().join("out"), Limit::default()).unwrap_err();
    assert!(
        error.to_string().contains("multiples of the patch, 14"),
        "{error}"
    );
}
