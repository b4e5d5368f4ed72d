//! How a map ended: a line of the journal, an entry of `run.json`.

use std::collections::BTreeMap;

use chrono::{SecondsFormat, Utc};
use seggpt_raster::{
    Placement,
    work::{Found, Work},
};
use serde::{Deserialize, Serialize};

/// How a map ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// What the run calls the map.
    pub item: String,
    /// Its files are called so.
    pub name: String,
    /// Path or URI of its file.
    pub source: String,
    /// Its place in its run.
    pub index: u64,
    /// `done`; `failed` where tiles failed: the mask has holes then.
    pub status: Outcome,
    /// What failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What its result depends on.
    #[serde(default)]
    pub run_key: String,
    /// The dataflow that made it.
    #[serde(default)]
    pub run: String,
    /// Bytes of its file.
    pub file_size: u64,
    /// When that file was changed last, in nanoseconds since 1970.
    pub file_mtime: i64,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// How many tiles it was cut into.
    pub tiles: u32,
    /// How many of them hold nothing.
    pub empty: u32,
    /// How many of them failed.
    pub failed: u32,
    /// Pixels that hold nothing, or of which nothing is known.
    pub nothing: u64,
    /// The classes, with their pixels.
    pub classes: Vec<Share>,
    /// How many regions got a polygon or a number, where they are wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regions: Option<u32>,
    /// Its files by kind (`mask`, `confidence`, ...), relative to the folder of results.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// How many bytes each has.
    #[serde(default)]
    pub bytes: BTreeMap<String, u64>,
    /// RFC 3339.
    pub finished_at: String,
}

/// A class and how much of the map it got.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Share {
    /// Its id.
    pub id: u16,
    /// Its name.
    pub name: String,
    /// Its colour.
    pub color: [u8; 3],
    /// Its pixels.
    pub pixels: u64,
    /// Their mean confidence, 0 to 1.
    pub confidence: f32,
}

/// How a map ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Every tile of it is answered, or holds nothing.
    Done,
    /// Tiles failed.
    Failed,
}

impl Record {
    /// Of a map whose rows are all written.
    #[must_use]
    pub fn of(work: &Work, run_key: &str, run: &str) -> Self {
        let placement: &Placement = work.placement();
        let sum = |of: fn(&seggpt_raster::work::Row) -> u32| work.rows().iter().map(of).sum();
        let (failed, empty): (u32, u32) = (sum(|row| row.failed), sum(|row| row.empty));
        let tiles = work.grid().len();
        Self {
            item: placement.map.clone(),
            name: placement.name.clone(),
            source: placement.source.clone(),
            index: placement.index,
            status: if failed > 0 {
                Outcome::Failed
            } else {
                Outcome::Done
            },
            error: (failed > 0)
                .then(|| format!("{failed} of {tiles} tiles failed; the mask has holes there")),
            run_key: run_key.to_owned(),
            run: run.to_owned(),
            file_size: placement.stamp.0,
            file_mtime: placement.stamp.1,
            width: placement.size.0,
            height: placement.size.1,
            tiles,
            empty,
            failed,
            nothing: work.rows().iter().map(|row| row.nothing).sum(),
            classes: work.classes().into_iter().map(Share::from).collect(),
            regions: None,
            files: BTreeMap::new(),
            bytes: BTreeMap::new(),
            finished_at: Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true),
        }
    }
}

impl From<Found> for Share {
    fn from(found: Found) -> Self {
        let mean = found.sure as f64 / found.pixels.max(1) as f64 / 255.0;
        Self {
            id: found.class.id,
            name: found.class.name,
            color: found.class.color,
            pixels: found.pixels,
            confidence: mean as f32,
        }
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
