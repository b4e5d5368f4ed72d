//! Whole runs on a toy network.
#![allow(clippy::unwrap_used)]

mod common;

use std::{collections::BTreeMap, fs, path::Path};

use common::halves;
use seggpt::{Architecture, Device, inspect};
use seggpt_train::{Limit, Outcome, Progress, Score, Settings, TrainError, Watch, run};

#[derive(Default)]
struct Log {
    losses: BTreeMap<u64, f64>,
    scores: Vec<(u64, Score)>,
    notes: Vec<String>,
    stop_after: Option<u32>,
    asked: u32,
}

impl Watch for Log {
    fn progress(&mut self, progress: &Progress) {
        self.losses.insert(progress.step, progress.loss);
    }

    fn score(&mut self, step: u64, score: &Score) {
        self.scores.push((step, *score));
    }

    fn note(&mut self, text: &str) {
        self.notes.push(text.into());
    }

    fn stop(&mut self) -> bool {
        self.asked += 1;
        self.stop_after.is_some_and(|count| self.asked >= count)
    }
}

fn settings(yaml: &str) -> Settings {
    let yaml = format!(
        "network: {{preset: small, image_size: 16, width: 64, depth: 2, heads: 2, mlp_width: 64, decoder_width: 8, \
         kept_blocks: [1], stem_width: 24}}\nvalidation: {{every: 10, samples: 8}}\n{yaml}"
    );
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), yaml).unwrap();
    Settings::read(file.path()).unwrap()
}

fn train(
    settings: &Settings,
    folder: &Path,
    limit: Limit,
    log: &mut Log,
) -> Result<Outcome, TrainError> {
    run(settings, folder, limit, &Device::Cpu, &halves, log)
}

const STAGES: &str = "stages: [{steps: 12, size: 16, batch: 3}, {steps: 11, size: 24, batch: 2, accumulate: 2}]\n\
                      optimisation: {learning_rate: 2.0e-3, warmup: 3, drop_path: 0.2, average: 0.9}\n\
                      checkpoint_every: 5\nworkers: 2\n";

/// A state's bytes without the seconds that it took.
fn tensors(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let bytes = fs::read(folder.join("state.safetensors")).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    file.tensors()
        .into_iter()
        .map(|(name, view)| (name, view.data().to_vec()))
        .collect()
}

#[test]
fn a_run_that_is_interrupted_anywhere_ends_with_the_same_bits() {
    let settings = settings(STAGES);
    let whole = tempfile::tempdir().unwrap();
    let mut log = Log::default();
    let outcome = train(&settings, whole.path(), Limit::default(), &mut log).unwrap();
    assert!(outcome.complete && outcome.step == 23);

    let broken = tempfile::tempdir().unwrap();
    let mut second = Log {
        stop_after: Some(7),
        ..Log::default()
    };
    assert_eq!(
        train(&settings, broken.path(), Limit::default(), &mut second)
            .unwrap()
            .step,
        7
    );
    // As after kill -9: a later state is lost, and a part file lies about.
    let state = fs::read(broken.path().join("state.safetensors")).unwrap();
    let mut third = Log {
        stop_after: Some(8),
        ..Log::default()
    };
    assert_eq!(
        train(&settings, broken.path(), Limit::default(), &mut third)
            .unwrap()
            .step,
        15
    );
    fs::write(broken.path().join("state.safetensors"), state).unwrap();
    fs::write(broken.path().join("state.safetensors.part"), b"half").unwrap();
    let mut fourth = Log::default();
    assert_eq!(
        train(
            &settings,
            broken.path(),
            Limit {
                steps: Some(20),
                time: None
            },
            &mut fourth
        )
        .unwrap()
        .step,
        20
    );
    assert!(fourth.notes.contains(&"resumed after step 7".to_owned()));
    assert!(
        train(
            &settings,
            broken.path(),
            Limit::default(),
            &mut Log::default()
        )
        .unwrap()
        .complete
    );

    assert_eq!(tensors(whole.path()), tensors(broken.path()));
    for file in ["model.safetensors", "best.safetensors"] {
        let read = |folder: &Path| fs::read(folder.join(file)).unwrap();
        assert!(read(whole.path()) == read(broken.path()), "{file}");
    }
}

#[test]
fn the_number_of_loading_threads_does_not_change_the_result() {
    let (one, three) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for (folder, workers) in [(&one, 1), (&three, 3)] {
        let settings = Settings {
            workers,
            ..settings(STAGES)
        };
        train(
            &settings,
            folder.path(),
            Limit {
                steps: Some(6),
                time: None,
            },
            &mut Log::default(),
        )
        .unwrap();
    }
    assert_eq!(tensors(one.path()), tensors(three.path()));
}

#[test]
fn a_toy_task_is_learnt_and_the_folder_holds_what_it_should() {
    let settings = settings(
        "stages: [{steps: 200, size: 16, batch: 8}]\noptimisation: {learning_rate: 2.0e-3, warmup: 20, average: 0.98}\n\
         checkpoint_every: 100\n",
    );
    let folder = tempfile::tempdir().unwrap();
    let mut log = Log::default();
    let outcome = train(&settings, folder.path(), Limit::default(), &mut log).unwrap();
    let best = outcome.best.unwrap();
    assert!(best.iou > 0.8, "{:?}", log.scores);
    let (first, last) = (log.losses[&20], log.losses[&200]);
    // The same distance costs more from step to step, for beta falls.
    assert!(last < 0.7 * first, "{first} to {last}");
    let model = inspect(&folder.path().join("model.safetensors")).unwrap();
    assert_eq!(
        (model.architecture, model.dtype.as_str()),
        (Architecture::SegGpt(settings.network.config()), "f16")
    );
    let page = fs::read_to_string(folder.path().join("index.html")).unwrap();
    assert!(
        page.contains("<polyline")
            && page.contains("data:image/png;base64,")
            && !page.contains("http://")
    );
    assert!(
        fs::read_dir(folder.path())
            .unwrap()
            .all(|entry| !entry.unwrap().path().ends_with(".part"))
    );
}

#[test]
fn another_architecture_or_seed_is_not_resumed() {
    let folder = tempfile::tempdir().unwrap();
    let first = settings(STAGES);
    train(
        &first,
        folder.path(),
        Limit {
            steps: Some(1),
            time: None,
        },
        &mut Log::default(),
    )
    .unwrap();
    let refusal = |settings: &Settings| {
        let error = train(
            settings,
            folder.path(),
            Limit::default(),
            &mut Log::default(),
        )
        .unwrap_err();
        error.to_string()
    };
    let mut deeper = first.clone();
    deeper.network.depth = Some(3);
    assert!(refusal(&deeper).contains("another architecture"));
    assert!(
        refusal(&Settings {
            seed: 9,
            ..first.clone()
        })
        .contains("seed 1")
    );
    fs::write(
        folder.path().join("state.safetensors"),
        b"nothing of the kind",
    )
    .unwrap();
    assert!(refusal(&first).contains("cannot resume from"));
}

#[test]
fn a_random_start_and_a_checkpoint_can_be_trained_on() {
    let folder = tempfile::tempdir().unwrap();
    let random = settings(&format!("start: random\n{STAGES}"));
    train(
        &random,
        folder.path(),
        Limit {
            steps: Some(2),
            time: None,
        },
        &mut Log::default(),
    )
    .unwrap();
    let checkpoint = folder.path().join("best.safetensors");
    let tuned = settings(&format!(
        "start: {{checkpoint: {}}}\n{STAGES}",
        checkpoint.display()
    ));
    let other = tempfile::tempdir().unwrap();
    train(
        &tuned,
        other.path(),
        Limit {
            steps: Some(2),
            time: None,
        },
        &mut Log::default(),
    )
    .unwrap();
    assert_eq!(
        inspect(&other.path().join("best.safetensors"))
            .unwrap()
            .architecture,
        Architecture::SegGpt(random.network.config())
    );
}

#[test]
fn values_without_sense_are_named() {
    for (change, field) in [
        ("stages: []", "stages"),
        (
            "stages: [{steps: 1, size: 16, batch: 1}]\nmasking: {ratio: 2.0}",
            "masking.ratio",
        ),
        (
            "stages: [{steps: 1, size: 16, batch: 1}]\nbeta: {from: 0.0}",
            "beta.from",
        ),
    ] {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), change).unwrap();
        let error = Settings::read(file.path()).unwrap_err().to_string();
        assert!(error.contains(field), "{error}");
    }
}
