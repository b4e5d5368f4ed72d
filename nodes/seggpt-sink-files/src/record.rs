//! How an item ended: a line of the journal, an entry of `run.json`, a card of the report.

use std::{collections::BTreeMap, time::Duration};

use chrono::{SecondsFormat, Utc};
use seggpt_contract::{
    ClassResult, Failure, Identity, Mask, Parameter, Position, Provenance, Status,
};
use serde::{Deserialize, Serialize};

/// How an item ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// As in its identity.
    pub item: String,
    /// Its files are called so.
    pub name: String,
    /// Path or URI of the picture.
    pub source: String,
    /// Position in its run.
    pub index: u64,
    /// Whether it has a mask.
    pub status: Outcome,
    /// Why it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The node that gave up on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_in: Option<String>,
    /// What its result depends on.
    #[serde(default)]
    pub run_key: String,
    /// The dataflow that made it.
    #[serde(default)]
    pub run: String,
    /// Bytes of the picture's file, where the source knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_size: Option<i64>,
    /// When that file was changed last, in nanoseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_mtime: Option<i64>,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Which part of the source it is.
    #[serde(default, skip_serializing_if = "is_whole")]
    pub position: Position,
    /// When the picture was taken, where the source knows (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// Its files by kind (`mask`, `overlay`, ...), relative to the folder of results.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// How many bytes each has.
    #[serde(default)]
    pub bytes: BTreeMap<String, u64>,
    /// The classes and their shares.
    #[serde(default)]
    pub classes: Vec<ClassResult>,
    /// Mean confidence over all pixels, 0 to 1.
    #[serde(default)]
    pub confidence: f32,
    /// How many instances there are, where asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instances: Option<usize>,
    /// The examples that guided it.
    #[serde(default)]
    pub prompts: Vec<PromptRef>,
    /// How the mask was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provenance: Option<Provenance>,
    /// What was not taken as its file has it, and what could not be done for it besides its mask.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Whether the report has pictures of it.
    #[serde(default)]
    pub pictured: bool,
    /// RFC 3339.
    pub finished_at: String,
}

impl seggpt_store::Record for Record {
    type Brief = Brief;

    fn item(&self) -> &str {
        &self.item
    }

    fn run(&self) -> &str {
        &self.run
    }

    fn files(&self) -> Vec<(&str, u64)> {
        seggpt_store::sized(&self.files, &self.bytes)
    }

    fn brief(&self) -> Brief {
        Brief {
            index: self.index,
            outcome: self.status,
            pictured: self.pictured,
        }
    }
}

/// What is asked for most.
#[derive(Clone, Copy, Debug)]
pub struct Brief {
    /// Position in its run.
    pub index: u64,
    /// How it ended.
    pub outcome: Outcome,
    /// Whether the report has pictures of it.
    pub pictured: bool,
}

/// As [`Status`], for files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Its mask is written.
    Done,
    /// It has no mask.
    Failed,
}

impl From<Outcome> for Status {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done => Self::Done,
            Outcome::Failed => Self::Failed,
        }
    }
}

/// An example that guided an item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PromptRef {
    /// Its name in the prompt library.
    pub name: String,
    /// How well it fits, as the selection strategy counts.
    pub score: f32,
}

impl PromptRef {
    /// A score that is no number becomes 0, since JSON has no other.
    pub fn new(name: &str, score: f32) -> Self {
        Self {
            name: name.to_owned(),
            score: finite(score),
        }
    }
}

/// JSON knows neither infinity nor NaN.
fn finite(number: f32) -> f32 {
    if number.is_finite() { number } else { 0.0 }
}

impl Record {
    /// The record of an item that is done, so far without results.
    pub fn done(identity: &Identity, run_key: &str, run: &str) -> Self {
        let integer = |key: &str| match identity.extra.get(key) {
            Some(Parameter::Integer(number)) => Some(*number),
            _ => None,
        };
        Self {
            item: identity.item.clone(),
            name: identity.name.clone(),
            source: identity.source.clone(),
            index: identity.index,
            status: Outcome::Done,
            error: None,
            failed_in: None,
            run_key: run_key.to_owned(),
            run: run.to_owned(),
            file_size: integer("file_size"),
            file_mtime: integer("file_mtime"),
            width: identity.width,
            height: identity.height,
            position: identity.position,
            time: identity
                .time
                .map(|time| time.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
            files: BTreeMap::new(),
            bytes: BTreeMap::new(),
            classes: vec![],
            confidence: 0.0,
            instances: None,
            prompts: vec![],
            provenance: None,
            notes: identity.notes.clone(),
            pictured: false,
            finished_at: now(),
        }
    }

    /// The record of an item that failed.
    pub fn failed(identity: &Identity, run_key: &str, run: &str, failure: Failure) -> Self {
        Self {
            status: Outcome::Failed,
            error: Some(failure.error),
            failed_in: (!failure.node.is_empty()).then_some(failure.node),
            ..Self::done(identity, run_key, run)
        }
    }

    /// Takes over what a mask says of itself. `prompts`: the examples that came with the picture; where none did, those
    /// that the mask names.
    pub fn fill(&mut self, mask: &Mask, prompts: Vec<PromptRef>) {
        self.classes = mask.classes.clone();
        for class in &mut self.classes {
            class.confidence = finite(class.confidence);
        }
        self.instances = mask
            .instances
            .as_ref()
            .map(|instances| instances.table.len());
        let named = || {
            mask.provenance
                .prompts
                .iter()
                .map(|(name, score)| PromptRef::new(name, *score))
                .collect()
        };
        self.prompts = if prompts.is_empty() { named() } else { prompts };
        self.provenance = Some(mask.provenance.clone());
    }

    /// Adds the time of a stage.
    pub fn took(&mut self, stage: &str, time: Duration) {
        if let Some(provenance) = &mut self.provenance {
            provenance
                .milliseconds
                .insert(stage.to_owned(), time.as_secs_f64() * 1000.0);
        }
    }

    /// Milliseconds of all stages together.
    pub fn milliseconds(&self) -> f64 {
        self.provenance
            .iter()
            .flat_map(|p| p.milliseconds.values())
            .sum()
    }
}

/// This moment, to the second, as text.
pub fn now() -> String {
    Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn is_whole(position: &Position) -> bool {
    *position == Position::Whole
}
