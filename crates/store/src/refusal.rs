//! Why a folder of results cannot be taken.

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::spec::Change;

/// Why a folder of results cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Another process works on it.
    #[error(
        "{}: process {pid} writes there since {since}; wait for it, stop it, or choose another --out",
        root.display()
    )]
    InUse {
        /// Of the other process; 0 where it cannot be read.
        pid: u32,
        /// When the other began, RFC 3339; empty where it cannot be read.
        since: String,
        /// The folder of results.
        root: PathBuf,
    },
    /// Its results were made with other settings.
    #[error(
        "{}: its results were made with other settings ({}); choose another --out, or move them aside with --replace",
        root.display(),
        changes.iter().map(Change::to_string).collect::<Vec<_>>().join("; ")
    )]
    Differs {
        /// The folder of results.
        root: PathBuf,
        /// What differs.
        changes: Vec<Change>,
    },
    /// Its results were made under another key, or under one where this run has none.
    #[error(
        "{}: holds results of {held}, and this run has {}; choose another --out, or move them aside with --replace",
        root.display(),
        if key.is_empty() { "no run key" } else { key }
    )]
    OtherKey {
        /// The folder of results.
        root: PathBuf,
        /// The key of what is there.
        held: String,
        /// The key of this run; empty: none.
        key: String,
    },
    /// It holds results of an earlier run, and neither that nor this one has a key.
    #[error(
        "{}: holds {count} results of an earlier run, and neither that run nor this one has a RUN_KEY that would tell \
         whether they belong together; choose another OUT, move them away, or start the dataflow with `seggpt run`, which \
         makes keys",
        root.display()
    )]
    WithoutKey {
        /// The folder of results.
        root: PathBuf,
        /// How many.
        count: usize,
    },
    /// Its journal is none that this version reads.
    #[error(
        "{}: this journal is of another version or damaged ({reason}); choose another --out, or move the results aside with --replace",
        journal.display()
    )]
    Foreign {
        /// The journal.
        journal: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The disk refuses.
    #[error("{}: {error}", path.display())]
    Io {
        /// What was to be read or written.
        path: PathBuf,
        /// Why it was not.
        error: io::Error,
    },
}

impl Refusal {
    /// For `map_err`.
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::Io {
            path: path.to_owned(),
            error,
        }
    }
}
