//! Training on from checkpoints of every kind.
#![allow(clippy::unwrap_used)]

mod common;

use std::{
    fs,
    path::{Path, PathBuf},
};

use common::{Quiet, halves};
use seggpt::{DTypeChoice, Device, Trainable, convert};
use seggpt_train::{Limit, Outcome, Settings, run};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/golden/seggpt-tiny")
        .join(name)
}

fn train(checkpoint: &Path, folder: &Path) -> Outcome {
    let yaml = folder.join("train.yml");
    fs::write(
        &yaml,
        format!(
            "start: {{checkpoint: {}}}\nstages: [{{steps: 3, size: 64, batch: 2}}]\nbeta: {{from: 0.01, to: 0.01}}\n\
             optimisation: {{learning_rate: 1.0e-3, warmup: 0, layer_decay: 0.8, drop_path: 0.1, average: 0.0}}\n\
             validation: {{every: 3, samples: 2}}\n",
            checkpoint.display()
        ),
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
    .unwrap()
}

#[test]
fn every_kind_of_published_checkpoint_can_be_trained_on_and_moves_least_at_its_beginning() {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("own.safetensors");
    convert(&golden(""), &own, DTypeChoice::F32).unwrap();
    let pth = fs::read_dir(golden("")).unwrap();
    let pth = pth
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|extension| extension == "pth"));
    let load = |path: &Path| Trainable::load(path, &Device::Cpu, seggpt::DType::F32).unwrap();
    let mut results = Vec::new();
    for (kind, checkpoint) in [
        ("hf", golden("")),
        ("pth", pth.unwrap()),
        ("own", own.clone()),
    ] {
        let out = folder.path().join(kind);
        fs::create_dir(&out).unwrap();
        assert!(train(&checkpoint, &out).complete);
        results.push(fs::read(out.join("model.safetensors")).unwrap());
    }
    assert!(results[0] == results[1] && results[1] == results[2]);

    let (before, after) = (
        load(&own),
        load(&folder.path().join("own/model.safetensors")),
    );
    let moved = |name: &str| {
        let of = |network: &Trainable| network.weights()[name].as_detached_tensor();
        let apart = (of(&after) - of(&before)).unwrap().abs().unwrap();
        apart.mean_all().unwrap().to_scalar::<f32>().unwrap()
    };
    let (early, late) = (
        moved("blocks.0.mlp.fc1.weight"),
        moved("blocks.23.mlp.fc1.weight"),
    );
    assert!(late > 10.0 * early, "{early}, {late}");
}
