//! `run.json`: what a run was and what became of every item.

use std::collections::BTreeMap;

use eyre::{Result, WrapErr};
use seggpt_store::Setup;
use serde::{Serialize, Serializer, ser::Error};

use crate::{
    Settings,
    folder::Folder,
    journal::{Journal, Tally},
    record::{Outcome, Record, now},
    totals::ClassTotal,
};

const FILE: &str = "run.json";

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Under way.
    Running,
    /// Every item has an outcome, as far as the source says how many there are.
    Finished,
    /// The inputs ended before every item had an outcome.
    Incomplete,
    /// By the user.
    Stopped,
    /// By an error.
    Broken,
}

/// What is known of a run beside its items.
#[derive(Clone, Debug, Serialize)]
pub struct Run {
    /// Of dora-seggpt.
    pub version: &'static str,
    /// How far it is.
    pub state: State,
    /// The process that writes it.
    pub pid: u32,
    /// The dataflow.
    pub run: String,
    /// What its results depend on.
    pub run_key: String,
    /// RFC 3339.
    pub started_at: String,
    /// RFC 3339; of a run under way, when this was written.
    pub finished_at: String,
    /// Between the two.
    pub seconds: f64,
    /// What broke it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// How many items the source said there are, those of earlier runs not included.
    pub announced: Option<u64>,
    /// Messages that the engine dropped on the way to this node.
    pub dropped: u64,
    /// What was wrong with the prompts.
    pub warnings: Vec<String>,
    /// This node's.
    pub settings: Settings,
    /// What the run was started with, where whoever started it wrote that down.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub setup: Option<Setup>,
}

impl Run {
    /// A run that starts now. `setup`: what it was started with, where that is known.
    pub fn start(settings: Settings, run: &str, setup: Option<Setup>) -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION"),
            state: State::Running,
            pid: std::process::id(),
            run: run.to_owned(),
            run_key: settings.run_key.clone(),
            started_at: now(),
            finished_at: now(),
            seconds: 0.0,
            error: None,
            announced: None,
            dropped: 0,
            warnings: vec![],
            settings,
            setup,
        }
    }

    /// How many items have no outcome.
    pub fn missing(&self, tally: Tally) -> u64 {
        self.total(tally)
            .unwrap_or(0)
            .saturating_sub(tally.done + tally.failed)
    }

    /// How many items there are, those that earlier runs left included; `None` where the source does not say.
    pub fn total(&self, tally: Tally) -> Option<u64> {
        self.announced.map(|total| total + tally.earlier)
    }
}

/// Writes `run.json`.
///
/// # Errors
/// The journal cannot be read, or the file not be written.
pub fn write(folder: &Folder, run: &Run, journal: &Journal) -> Result<()> {
    let (tally, totals) = (journal.tally(), journal.totals());
    let summary = Summary {
        run,
        counts: Counts {
            total: run.total(tally),
            done: tally.done,
            failed: tally.failed,
            earlier: tally.earlier,
            stale: tally.stale,
        },
        confidence: totals.confidence(),
        classes: totals.classes().collect(),
        provenance: &totals.provenances,
        milliseconds: totals.stages(),
        items: Items(journal),
    };
    folder.put_with(FILE, |file| {
        serde_json::to_writer_pretty(file, &summary).wrap_err("the summary of the run")
    })
}

#[derive(Serialize)]
struct Summary<'a> {
    #[serde(flatten)]
    run: &'a Run,
    counts: Counts,
    confidence: Option<f64>,
    classes: Vec<&'a ClassTotal>,
    provenance: &'a [seggpt_contract::Provenance],
    milliseconds: BTreeMap<&'a str, crate::totals::Milliseconds>,
    items: Items<'a>,
}

#[derive(Serialize)]
struct Counts {
    total: Option<u64>,
    done: u64,
    failed: u64,
    earlier: u64,
    stale: u64,
}

/// Read from the journal one by one.
struct Items<'a>(&'a Journal);

#[derive(Serialize)]
struct Entry {
    #[serde(flatten)]
    record: Record,
    earlier: bool,
}

impl Serialize for Items<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeSeq;
        let records = self
            .0
            .records(&[Outcome::Failed, Outcome::Done], |_| true)
            .map_err(S::Error::custom)?;
        let mut items = serializer.serialize_seq(None)?;
        for record in records {
            let (record, earlier) = record.map_err(S::Error::custom)?;
            items.serialize_element(&Entry { record, earlier })?;
        }
        items.end()
    }
}
