//! The items that a run listed, those that it skips included: what else the journal has is stale.

use std::{
    fs,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{
    OWN,
    disk::{self, Real},
};

#[derive(Serialize, Deserialize)]
struct Header {
    run: String,
}

fn path(root: &Path) -> PathBuf {
    root.join(OWN).join("items.jsonl")
}

/// Says which items the run `run` into `root` lists.
///
/// # Errors
/// The disk refuses it.
pub fn write<'a>(root: &Path, run: &str, items: impl Iterator<Item = &'a str>) -> io::Result<()> {
    let mut text = serde_json::to_string(&Header {
        run: run.to_owned(),
    })?;
    for item in items {
        text.push('\n');
        text += &serde_json::to_string(item)?;
    }
    disk::put(&Real, &path(root), text.as_bytes())
}

/// The items that the run lists; `None` while it has not said.
///
/// # Errors
/// The list is there but cannot be read.
pub fn read(root: &Path, run: &str) -> io::Result<Option<Vec<String>>> {
    let text = match fs::read_to_string(path(root)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        text => text?,
    };
    let mut lines = text.lines();
    let header: Option<Header> = lines
        .next()
        .and_then(|line| serde_json::from_str(line).ok());
    if header.is_none_or(|header| header.run != run) {
        return Ok(None);
    }
    let items: Result<_, _> = lines.map(serde_json::from_str).collect();
    Ok(Some(items?))
}
