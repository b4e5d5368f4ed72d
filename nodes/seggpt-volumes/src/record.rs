//! How a volume ended: a line of the journal, an entry of `run.json`, a card of the report.

use std::collections::BTreeMap;

use chrono::{SecondsFormat, Utc};
use seggpt_contract::Provenance;
use serde::{Deserialize, Serialize};

/// How a volume ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    /// What the run calls it.
    pub item: String,
    /// Its files are called so.
    pub name: String,
    /// Path of the scan.
    pub source: String,
    /// Whether its labels are whole.
    pub status: Outcome,
    /// Why they are not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The dataflow that made it.
    #[serde(default)]
    pub run: String,
    /// Bytes and time of change of the scan's files, in nanoseconds since 1970.
    #[serde(default)]
    pub stamp: Vec<(u64, i64)>,
    /// Voxels along each axis.
    #[serde(default)]
    pub shape: [usize; 3],
    /// Lengths of a voxel's edges in millimetres.
    #[serde(default)]
    pub zooms: [f64; 3],
    /// Where its indices grow to, such as `RAS`.
    #[serde(default)]
    pub orientation: String,
    /// The voxel axis that slices are stacked along.
    #[serde(default)]
    pub axis: usize,
    /// Which grey values were shown.
    #[serde(default)]
    pub levels: String,
    /// The slices that were given.
    #[serde(default)]
    pub labelled: Vec<usize>,
    /// How many questions there were.
    #[serde(default)]
    pub questions: usize,
    /// Its files by kind, relative to the folder of results.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// How many bytes each has.
    #[serde(default)]
    pub bytes: BTreeMap<String, u64>,
    /// The classes and their voxels.
    #[serde(default)]
    pub classes: Vec<ClassVolume>,
    /// How the last answer came about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provenance: Option<Provenance>,
    /// What is to be said of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// RFC 3339.
    pub finished_at: String,
}

/// A class and how much of a volume it got.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ClassVolume {
    /// Its value in label volumes.
    pub id: u16,
    /// For people.
    pub name: String,
    /// In which it is shown.
    pub color: [u8; 3],
    /// Its voxels.
    pub voxels: u64,
    /// The same in millilitres.
    pub millilitres: f64,
}

/// Whether a volume is whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Every slice has an answer.
    Done,
    /// Slices have none, or all of it has none.
    Failed,
}

/// Kinds of files.
pub const LABELS: &str = "labels";
/// As [`LABELS`].
pub const SEGMENTATION: &str = "segmentation";

impl Record {
    /// The label volume.
    pub fn labels(&self) -> Option<&String> {
        self.files.get(LABELS)
    }

    /// The DICOM segmentation.
    pub fn segmentation(&self) -> Option<&String> {
        self.files.get(SEGMENTATION)
    }
}

impl seggpt_store::Record for Record {
    type Brief = Outcome;

    fn item(&self) -> &str {
        &self.item
    }

    fn run(&self) -> &str {
        &self.run
    }

    fn files(&self) -> Vec<(&str, u64)> {
        seggpt_store::sized(&self.files, &self.bytes)
    }

    fn brief(&self) -> Outcome {
        self.status
    }
}

/// This moment, to the second, as text.
pub fn now() -> String {
    Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true)
}
