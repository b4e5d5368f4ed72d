//! Moves the results of other settings aside.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, ErrorKind},
    path::{Component, Path, PathBuf},
};

use serde_json::Value;

use crate::{OWN, Refusal, header::OLDER, journal_path};

/// What a run writes besides what its records name.
const PAGES: [&str; 3] = ["run.json", "report.html", ".seggpt/report"];

/// Moves every file that the journals of `root` name, the pages and the journals to `.seggpt/replaced/KEY/`, the journals
/// last: when it is cut short, it can be done again.
pub(crate) fn aside(root: &Path, key: &str) -> Result<(), Refusal> {
    let journals = [root.join(OLDER), journal_path(root)];
    let target = free(&root.join(OWN).join("replaced"), key)?;
    for journal in &journals {
        for file in named(journal)? {
            shift(root, &target, &file)?;
        }
    }
    for page in PAGES {
        shift(root, &target, Path::new(page))?;
    }
    for journal in &journals {
        if let Ok(relative) = journal.strip_prefix(root) {
            shift(root, &target, relative)?;
        }
    }
    Ok(())
}

/// `KEY`, or `KEY-2` and so on where it is taken.
fn free(folder: &Path, key: &str) -> Result<PathBuf, Refusal> {
    let mut n = 1;
    loop {
        let name = match n {
            1 => key.to_owned(),
            n => format!("{key}-{n}"),
        };
        let path = folder.join(name);
        if !path.try_exists().map_err(Refusal::io(&path))? {
            return Ok(path);
        }
        n += 1;
    }
}

/// The files that a journal's records name, as far as they lead into the folder.
fn named(journal: &Path) -> Result<Vec<PathBuf>, Refusal> {
    let file = match File::open(journal) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(vec![]),
        opened => opened.map_err(Refusal::io(journal))?,
    };
    let mut files = vec![];
    for line in BufReader::new(file).split(b'\n') {
        let line = line.map_err(Refusal::io(journal))?;
        let Ok(record) = serde_json::from_slice::<Value>(&line) else {
            continue;
        };
        let named = record.get("files").and_then(Value::as_object);
        files.extend(
            named
                .into_iter()
                .flat_map(|files| files.values())
                .filter_map(path),
        );
    }
    files.retain(|file| {
        file.components()
            .all(|part| matches!(part, Component::Normal(_)))
    });
    Ok(files)
}

/// Of a file with its length, or of a bare one.
fn path(file: &Value) -> Option<PathBuf> {
    let path = file.get("path").unwrap_or(file);
    path.as_str().map(PathBuf::from)
}

/// One that is gone is no loss.
fn shift(root: &Path, target: &Path, relative: &Path) -> Result<(), Refusal> {
    let (from, to) = (root.join(relative), target.join(relative));
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).map_err(Refusal::io(folder))?;
    }
    match fs::rename(&from, &to) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        moved => moved.map_err(Refusal::io(&from)),
    }
}
