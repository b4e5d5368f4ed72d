//! Which queries each protocol makes of a set.

mod classes;
mod episodes;
mod panoptic;
mod semantic;
mod video;

use std::{collections::BTreeMap, sync::Arc};

use seggpt_contract::SegType;
use seggpt_datasets::Dataset;

use crate::{BenchmarkError, Kind, Protocol, opened::Opened};

/// A query before it has its place.
pub(crate) struct QueryDraft {
    pub name: String,
    pub class: Option<u16>,
    pub classes: Arc<[u16]>,
    pub sample: usize,
    pub pool: Arc<[usize]>,
    pub seg_type: SegType,
    /// The query whose prediction it builds on, by its place among those of the split.
    pub after: Option<usize>,
}

/// The queries of a set, or of a fold of it, before they have their place.
pub(crate) struct SplitDraft {
    pub name: String,
    pub kind: Kind,
    /// The classes to be found; `None`: all.
    pub only: Option<Vec<u16>>,
    pub introduced: BTreeMap<usize, Vec<u16>>,
    pub queries: Vec<QueryDraft>,
}

/// The drafts of a set, and notes for people.
pub(crate) struct SplitDrafts {
    pub drafts: Vec<SplitDraft>,
    pub notes: Vec<String>,
}

/// The queries of a set: one draft, or one a fold.
pub(crate) fn of(
    opened: &Opened,
    protocol: &Protocol,
    shots: usize,
) -> Result<SplitDrafts, BenchmarkError> {
    let kind = protocol.kind.unwrap_or(opened.kind);
    let (introduced, queries) = match kind {
        Kind::Classes => (BTreeMap::new(), classes::queries(opened, protocol)?),
        Kind::Semantic => (BTreeMap::new(), semantic::queries(opened, protocol)?),
        Kind::Panoptic => (BTreeMap::new(), panoptic::queries(opened, protocol)?),
        Kind::Video => video::queries(opened, protocol)?,
        Kind::Episodes => return episodes::drafts(opened, protocol, shots),
    };
    let draft = SplitDraft {
        name: opened.dataset.name().to_owned(),
        kind,
        only: None,
        introduced,
        queries,
    };
    Ok(SplitDrafts {
        drafts: vec![draft],
        notes: Vec::new(),
    })
}

fn refuse(set: &dyn Dataset, reason: impl Into<String>) -> BenchmarkError {
    BenchmarkError::Protocol {
        set: set.name().to_owned(),
        reason: reason.into(),
    }
}

fn class_name(set: &dyn Dataset, class: u16) -> String {
    let named = set.classes().iter().find(|known| known.id == class);
    named.map_or_else(|| format!("class {class}"), |class| class.name.clone())
}
