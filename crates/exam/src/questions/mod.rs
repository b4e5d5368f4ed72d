//! Which questions each protocol asks of a set.

mod classes;
mod episodes;
mod panoptic;
mod semantic;
mod video;

use std::{collections::BTreeMap, sync::Arc};

use seggpt_contract::SegType;
use seggpt_eval::data::Dataset;

use crate::{ExamError, Kind, Protocol, open::Found};

/// A question before it has its place.
pub(crate) struct Asked {
    pub name: String,
    pub class: Option<u16>,
    pub wanted: Arc<[u16]>,
    pub query: usize,
    pub pool: Arc<[usize]>,
    pub seg_type: SegType,
    /// The question whose answer it builds on, by its place among those of the paper.
    pub after: Option<usize>,
}

/// What is asked of a set, or of a fold of it.
pub(crate) struct Draft {
    pub name: String,
    pub kind: Kind,
    /// The classes that are asked for; `None`: all.
    pub only: Option<Vec<u16>>,
    pub introduced: BTreeMap<usize, Vec<u16>>,
    pub asked: Vec<Asked>,
}

/// The drafts of a set, and notes for people.
pub(crate) struct Drafts {
    pub drafts: Vec<Draft>,
    pub notes: Vec<String>,
}

/// The questions of a set: one draft, or one a fold.
pub(crate) fn of(found: &Found, protocol: &Protocol, shots: usize) -> Result<Drafts, ExamError> {
    let kind = protocol.kind.unwrap_or(found.kind);
    let (introduced, asked) = match kind {
        Kind::Classes => (BTreeMap::new(), classes::questions(found, protocol)?),
        Kind::Semantic => (BTreeMap::new(), semantic::questions(found, protocol)?),
        Kind::Panoptic => (BTreeMap::new(), panoptic::questions(found, protocol)?),
        Kind::Video => video::questions(found, protocol)?,
        Kind::Episodes => return episodes::drafts(found, protocol, shots),
    };
    let draft = Draft {
        name: found.dataset.name().to_owned(),
        kind,
        only: None,
        introduced,
        asked,
    };
    Ok(Drafts {
        drafts: vec![draft],
        notes: Vec::new(),
    })
}

fn refuse(set: &dyn Dataset, reason: impl Into<String>) -> ExamError {
    ExamError::Protocol {
        set: set.name().to_owned(),
        reason: reason.into(),
    }
}

fn class_name(set: &dyn Dataset, class: u16) -> String {
    let named = set.classes().iter().find(|known| known.id == class);
    named.map_or_else(|| format!("class {class}"), |class| class.name.clone())
}
