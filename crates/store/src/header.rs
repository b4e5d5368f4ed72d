//! The first line of a journal: whose results these are.

use std::{
    fs::File,
    io::{BufRead, BufReader, ErrorKind},
    path::Path,
};

use serde::{Deserialize, Serialize};

use crate::{
    OWN, Refusal, Spec,
    disk::{self, Disk, Real},
    journal_path,
    lock::now,
};

/// Of the journal's form.
const VERSION: u32 = 1;

/// Whose results these are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The version of the journal's form.
    seggpt_journal: u32,
    /// The key of the spec; empty: the results belong to no known settings.
    pub key: String,
    /// What decided the results, as far as it is known.
    pub spec: Spec,
    /// Of dora-seggpt.
    pub version: String,
    /// RFC 3339.
    pub created: String,
}

impl Header {
    /// A header of results that begin now.
    #[must_use]
    pub fn new(key: &str, spec: &Spec) -> Self {
        Self {
            seggpt_journal: VERSION,
            key: key.to_owned(),
            spec: spec.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            created: now(),
        }
    }

    /// That of the results in `root`; `None` where there are none.
    ///
    /// # Errors
    /// [`Refusal::Foreign`], also for a journal of the kind that lay beside the results; [`Refusal::Io`].
    pub fn read(root: &Path) -> Result<Option<Self>, Refusal> {
        let path = journal_path(root);
        let file = match File::open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let older = root.join(OLDER);
                return match older.try_exists().map_err(Refusal::io(&older))? {
                    false => Ok(None),
                    true => Err(Refusal::Foreign {
                        journal: older,
                        reason: "no header".into(),
                    }),
                };
            }
            opened => opened.map_err(Refusal::io(&path))?,
        };
        let foreign = |reason: String| Refusal::Foreign {
            journal: path.clone(),
            reason,
        };
        let mut line = Vec::new();
        BufReader::new(file)
            .read_until(b'\n', &mut line)
            .map_err(Refusal::io(&path))?;
        let header: Self = serde_json::from_slice(&line)
            .map_err(|error| foreign(format!("its header cannot be read: {error}")))?;
        if header.seggpt_journal != VERSION || line.last() != Some(&b'\n') {
            return Err(foreign(format!("form {}", header.seggpt_journal)));
        }
        Ok(Some(header))
    }

    /// Begins a journal with it: whole on disk, or not there at all.
    ///
    /// # Errors
    /// [`Refusal::Io`].
    pub fn begin(&self, root: &Path) -> Result<(), Refusal> {
        let line = serde_json::to_string(self).expect("texts serialise") + "\n";
        let own = root.join(OWN);
        std::fs::create_dir_all(&own).map_err(Refusal::io(&own))?;
        let path = journal_path(root);
        disk::put(&Real, &path, line.as_bytes()).map_err(Refusal::io(&path))?;
        // The name of the folder itself.
        Real.sync_dir(root).map_err(Refusal::io(root))
    }
}

/// Where journals lay before they had a header.
pub(crate) const OLDER: &str = "journal.jsonl";
