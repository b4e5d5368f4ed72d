//! What earlier runs into the same folder have done, by the sink's journal.

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
};

use eyre::{Result, WrapErr, bail};
use seggpt_store::{
    header::Header,
    listing,
    record::{are_whole, scan},
};
use serde::Deserialize;

use super::{Listed, Stamp};

/// The items that are done.
#[derive(Debug, Default)]
pub struct Done {
    items: HashMap<String, Known>,
}

#[derive(Debug)]
struct Known {
    source: String,
    stamp: Option<Stamp>,
    is_whole: bool,
    /// Whether this run brought it to its end, before its source was started again.
    own: bool,
    is_done: bool,
}

/// What the source reads of a record; the sink writes more.
#[derive(Deserialize)]
struct Line {
    item: String,
    status: String,
    #[serde(default)]
    run: String,
    #[serde(default)]
    source: String,
    file_size: Option<u64>,
    file_mtime: Option<i64>,
    #[serde(default)]
    files: BTreeMap<String, String>,
    #[serde(default)]
    bytes: BTreeMap<String, u64>,
}

impl Done {
    /// Reads what was done in the folder `results` under `run_key`; of several records of an item, the last counts. Without
    /// a key, nothing was done. `run`: what this run is called.
    ///
    /// # Errors
    /// The journal is there but cannot be read.
    pub fn read(results: &Path, run_key: &str, run: &str) -> Result<Self> {
        let mut items = HashMap::new();
        let Some(header) = Header::read(results)? else {
            return Ok(Self::default());
        };
        if header.key != run_key {
            return Ok(Self::default()); // what is to become of it is the sink's word
        }
        scan(results, |_, line: Line| {
            let own = line.run == run;
            let is_done = line.status == "done";
            if !own && (!is_done || run_key.is_empty()) {
                items.remove(&line.item);
                return;
            }
            let bytes = |kind| line.bytes.get(kind).copied().unwrap_or(0);
            let files = line.files.iter();
            let files = files.map(|(kind, file)| (file.as_str(), bytes(kind)));
            let result = Known {
                own,
                is_done,
                is_whole: are_whole(results, files),
                source: line.source,
                stamp: line
                    .file_size
                    .zip(line.file_mtime)
                    .map(|(size, mtime)| Stamp { size, mtime }),
            };
            items.insert(line.item, result);
        })?;
        Ok(Self { items })
    }

    /// What is done in a folder of results; says to the sink which items the run `run` lists.
    ///
    /// # Errors
    /// As [`read`](Self::read) and [`check`](Self::check), or RESULTS cannot be written.
    pub fn of<L: Listed>(results: &Path, run_key: &str, run: &str, entries: &[L]) -> Result<Self> {
        let results = std::path::absolute(results).wrap_err("RESULTS")?;
        let done = Self::read(&results, run_key, run)?;
        done.check(&results, entries)?;
        listing::write(&results, run, entries.iter().map(Listed::item))
            .wrap_err_with(|| format!("RESULTS {}: cannot be written", results.display()))?;
        Ok(done)
    }

    /// Whether this run has brought the item to its end, done or failed.
    pub fn has_ended(&self, item: &str) -> bool {
        let result = self.items.get(item);
        result.is_some_and(|result| result.own && result.is_whole)
    }

    /// Whether an earlier run has done the entry: its files are whole, and its picture has not changed.
    pub fn has(&self, entry: &impl Listed) -> bool {
        let result = self.items.get(entry.item());
        result.is_some_and(|result| {
            !result.own
                && result.is_done
                && result.is_whole
                && entry.stamp().is_some()
                && result.stamp == entry.stamp()
                && result.source == entry.source()
        })
    }

    /// Makes sure that no entry is called like the result of another picture.
    ///
    /// # Errors
    /// One is: names both.
    pub fn check<L: Listed>(&self, results: &Path, entries: &[L]) -> Result<()> {
        for entry in entries {
            if let Some(result) = self.items.get(entry.item())
                && result.source != entry.source()
            {
                bail!(
                    "{}: holds the results of {} as `{}`, and {} is called so as well; choose another --out, or move the \
                     results aside with --replace",
                    results.display(),
                    result.source,
                    entry.item(),
                    entry.source()
                );
            }
        }
        Ok(())
    }
}
