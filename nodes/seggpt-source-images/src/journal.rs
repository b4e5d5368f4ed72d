//! What an earlier run into the same folder has done: the sink's `journal.jsonl`, one JSON object a line.

use std::{collections::HashMap, fs, io::ErrorKind, path::Path};

use eyre::{Result, WrapErr};
use serde::Deserialize;

use crate::inputs::{Entry, Stamp};

/// The items that are done and need no sending.
#[derive(Debug, Default)]
pub struct Journal {
    done: HashMap<String, Stamp>,
}

/// What the source reads of a line; the sink writes more.
#[derive(Deserialize)]
struct Line {
    item: String,
    status: String,
    #[serde(default)]
    run_key: String,
    file_size: Option<u64>,
    file_mtime: Option<i64>,
}

impl Journal {
    /// Reads what was done under `run_key`; of several lines on an item, the last counts. No file: nothing was done.
    ///
    /// # Errors
    /// The file is there but cannot be read. Lines that do not parse (the last, where a run was killed) are passed over
    /// with a warning: their items are done again.
    pub fn read(path: &Path, run_key: &str) -> Result<Self> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => {
                return Err(error)
                    .wrap_err_with(|| format!("JOURNAL {}: cannot be read", path.display()));
            }
        };
        let mut done = HashMap::new();
        for (number, line) in bytes.split(|&byte| byte == b'\n').enumerate() {
            if line.trim_ascii().is_empty() {
                continue;
            }
            let line: Line = match serde_json::from_slice(line) {
                Ok(line) => line,
                Err(error) => {
                    tracing::warn!(
                        "{}, line {}: not read ({error})",
                        path.display(),
                        number + 1
                    );
                    continue;
                }
            };
            match (line.file_size, line.file_mtime) {
                (Some(size), Some(mtime)) if line.status == "done" && line.run_key == run_key => {
                    done.insert(line.item, Stamp { size, mtime });
                }
                _ => {
                    done.remove(&line.item);
                }
            }
        }
        Ok(Self { done })
    }

    /// Whether the item is done and its file unchanged.
    pub fn has(&self, entry: &Entry) -> bool {
        entry.stamp.is_some() && self.done.get(&entry.item) == entry.stamp.as_ref()
    }
}
