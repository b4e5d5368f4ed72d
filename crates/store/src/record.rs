//! What a journal holds.

use std::{
    collections::BTreeMap,
    fmt::Debug,
    fs::{self, File},
    io::{BufRead, BufReader},
    path::Path,
};

use serde::{Serialize, de::DeserializeOwned};

use crate::{Refusal, journal_path};

/// How an item ended: a line of the journal.
pub trait Record: Serialize + DeserializeOwned {
    /// What memory keeps of it.
    type Brief: Copy + Debug;

    /// Of several records of an item, the last counts.
    fn item(&self) -> &str;
    /// The run that made it; empty where nobody says.
    fn run(&self) -> &str;
    /// Its files, relative to the folder of results, and how many bytes they have.
    fn files(&self) -> Vec<(&str, u64)>;
    /// What memory keeps of it.
    fn brief(&self) -> Self::Brief;
}

/// [`Record::files`] of a record that keeps its files, and how many bytes each has, by kind.
pub fn sized<'a>(
    files: &'a BTreeMap<String, String>,
    bytes: &BTreeMap<String, u64>,
) -> Vec<(&'a str, u64)> {
    let length = |kind| bytes.get(kind).copied().unwrap_or(0);
    let files = files.iter();
    files
        .map(|(kind, file)| (file.as_str(), length(kind)))
        .collect()
}

/// Whether all of these files are there, at their lengths.
pub fn are_whole<'a>(root: &Path, files: impl IntoIterator<Item = (&'a str, u64)>) -> bool {
    files.into_iter().all(|(file, bytes)| {
        fs::metadata(root.join(file)).is_ok_and(|it| it.is_file() && it.len() == bytes)
    })
}

/// What [`scan`] found besides records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scanned {
    /// The journal's length in bytes.
    pub end: u64,
    /// Whether it ends within a line.
    pub torn: bool,
}

/// Hands out every record of the journal in `root` with its offset, in the order in which they were written. Lines that
/// cannot be read are passed over; but for the last, where a run was killed, with a warning.
///
/// # Errors
/// [`Refusal::Io`]: the journal is not there or cannot be read.
pub fn scan<R: DeserializeOwned>(
    root: &Path,
    mut take: impl FnMut(u64, R),
) -> Result<Scanned, Refusal> {
    let path = journal_path(root);
    let mut file = BufReader::new(File::open(&path).map_err(Refusal::io(&path))?);
    let (mut line, mut unread) = (Vec::new(), None);
    let mut scanned = Scanned::default();
    for number in 1.. {
        line.clear();
        let read = file
            .read_until(b'\n', &mut line)
            .map_err(Refusal::io(&path))?;
        if read == 0 {
            break;
        }
        if let Some(number) = unread.take() {
            tracing::warn!("{}, line {number}: cannot be read", path.display());
        }
        let is_header = number == 1;
        if !is_header && !line.trim_ascii().is_empty() {
            match serde_json::from_slice(&line) {
                Ok(record) => take(scanned.end, record),
                Err(_) => unread = Some(number),
            }
        }
        scanned.end += read as u64;
        scanned.torn = line.last() != Some(&b'\n');
    }
    Ok(scanned)
}
