//! Listing folders and reading the small text files that data sets come with.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use super::Class;
use crate::EvalError;

const PICTURES: [&str; 7] = ["jpg", "jpeg", "png", "webp", "bmp", "tif", "tiff"];

pub(super) fn text(path: &Path) -> Result<String, EvalError> {
    fs::read_to_string(path).map_err(|source| unreadable(path, source))
}

pub(super) fn unreadable(path: &Path, source: std::io::Error) -> EvalError {
    let path = path.to_owned();
    EvalError::Read { path, source }
}

pub(super) fn wrong(path: &Path, reason: impl Into<String>) -> EvalError {
    EvalError::Format {
        path: path.to_owned(),
        reason: reason.into(),
    }
}

/// The entries of a folder by name.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, EvalError> {
    let listed = fs::read_dir(folder).map_err(|source| unreadable(folder, source))?;
    let mut paths = listed
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|source| unreadable(folder, source))?;
    paths.sort();
    Ok(paths)
}

/// The folders in a folder, by name.
pub(super) fn folders(folder: &Path) -> Result<Vec<PathBuf>, EvalError> {
    Ok(entries(folder)?
        .into_iter()
        .filter(|path| path.is_dir())
        .collect())
}

/// The pictures of a folder by their name without extension.
pub(super) fn pictures(folder: &Path) -> Result<BTreeMap<String, PathBuf>, EvalError> {
    let is_picture = |path: &PathBuf| {
        let extension = path.extension().and_then(OsStr::to_str).unwrap_or_default();
        PICTURES
            .iter()
            .any(|known| extension.eq_ignore_ascii_case(known))
    };
    let named = |path: PathBuf| (stem(&path), path);
    Ok(entries(folder)?
        .into_iter()
        .filter(is_picture)
        .map(named)
        .collect())
}

/// The name of a file without its extension.
pub(super) fn stem(path: &Path) -> String {
    path.file_stem()
        .map(|stem| stem.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// The last part of a path.
pub(super) fn name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// The lines of a list that are not empty.
pub(super) fn list(path: &Path) -> Result<Vec<String>, EvalError> {
    let text = text(path)?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    Ok(lines.map(str::to_owned).collect())
}

/// A table of `id TAB name` lines.
pub(super) fn classes(path: &Path) -> Result<Vec<Class>, EvalError> {
    let mut classes = BTreeMap::new();
    for line in list(path)? {
        let row = line.split_once('\t').and_then(|(id, name)| {
            let id: u16 = id.parse().ok().filter(|id| (1..u16::MAX).contains(id))?;
            Some(Class::new(id, name))
        });
        let class = row.ok_or_else(|| {
            wrong(
                path,
                format!("`{line}` is not an id of 1..65534, a tab and a name"),
            )
        })?;
        if let Some(twice) = classes.insert(class.id, class) {
            return Err(wrong(path, format!("id {} is listed twice", twice.id)));
        }
    }
    Ok(classes.into_values().collect())
}
