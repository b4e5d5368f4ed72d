//! `run.json`: what a run was and what became of every volume.

use std::{collections::BTreeMap, path::Path, time::Instant};

use eyre::{Result, WrapErr};
use seggpt_contract::{Class, Provenance};
use seggpt_store::Setup;
use serde::Serialize;

use crate::{
    examples::Examples,
    marks::Marks,
    record::{Outcome, Record, now},
    settings::Settings,
};

/// The file.
pub const FILE: &str = "run.json";

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Under way.
    Running,
    /// Every volume has an outcome.
    Finished,
    /// By the user.
    Stopped,
    /// By an error.
    Broken,
}

/// What is known of a run beside its volumes.
#[derive(Clone, Debug, Serialize)]
pub struct Run {
    /// Of dora-seggpt.
    pub version: &'static str,
    /// How far it is.
    pub state: State,
    /// The dataflow.
    pub run: String,
    /// What its results depend on.
    pub run_key: String,
    /// RFC 3339.
    pub started_at: String,
    /// RFC 3339; of a run under way, when this was written.
    pub finished_at: String,
    /// What broke it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What was wrong with the examples, and with comparing.
    pub warnings: Vec<String>,
    /// What is asked for.
    pub classes: Vec<Class>,
    /// Who answered.
    pub provenance: Option<Provenance>,
    /// What the run was started with, where whoever started it wrote that down.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub setup: Option<Setup>,
    #[serde(skip)]
    started: Option<Instant>,
}

impl Run {
    /// A run that starts now.
    pub fn start(
        run: &str,
        settings: &Settings,
        examples: &Examples,
        setup: Option<Setup>,
    ) -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION"),
            state: State::Running,
            run: run.to_owned(),
            run_key: settings.run_key.clone(),
            started_at: now(),
            finished_at: now(),
            error: None,
            warnings: examples.warnings.clone(),
            classes: examples.classes().to_vec(),
            provenance: None,
            setup,
            started: Some(Instant::now()),
        }
    }

    /// Learns who answers.
    pub fn meet(&mut self, provenance: &Provenance) {
        self.provenance = Some(provenance.clone());
    }

    /// Seconds since it started.
    pub fn seconds(&self) -> f64 {
        self.started
            .map_or(0.0, |started| started.elapsed().as_secs_f64())
    }
}

#[derive(Serialize)]
struct Summary<'a> {
    #[serde(flatten)]
    run: &'a Run,
    seconds: f64,
    counts: Counts,
    volumes: Vec<Entry<'a>>,
}

/// Volumes.
#[derive(Serialize)]
struct Counts {
    total: usize,
    done: usize,
    failed: usize,
    earlier: usize,
}

#[derive(Serialize)]
struct Entry<'a> {
    #[serde(flatten)]
    record: &'a Record,
    earlier: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    dice: Option<&'a Marks>,
}

/// Writes `run.json`.
///
/// # Errors
/// The disk refuses it.
pub fn write(
    out: &Path,
    run: &Run,
    total: usize,
    records: &BTreeMap<String, (Record, bool)>,
    marks: &BTreeMap<String, Marks>,
) -> Result<()> {
    let count = |outcome| {
        let ended = records
            .values()
            .filter(|(record, _)| record.status == outcome);
        ended.count()
    };
    let summary = Summary {
        run,
        seconds: run.seconds(),
        counts: Counts {
            total,
            done: count(Outcome::Done),
            failed: count(Outcome::Failed),
            earlier: records.values().filter(|(_, earlier)| *earlier).count(),
        },
        volumes: records
            .values()
            .map(|(record, earlier)| Entry {
                record,
                earlier: *earlier,
                dice: marks.get(&record.name),
            })
            .collect(),
    };
    let text = serde_json::to_vec_pretty(&summary)?;
    let path = out.join(FILE);
    seggpt_store::put(&path, &text)
        .wrap_err_with(|| format!("{}: cannot be written", path.display()))
}
