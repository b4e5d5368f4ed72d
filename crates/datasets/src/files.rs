//! Listing folders and reading the small text files that data sets come with.

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
};

use seggpt_annotations::AnnotationsError;
use seggpt_files::{listing, text};

use crate::{Class, DatasetError};

pub(crate) fn text(path: &Path) -> Result<String, DatasetError> {
    text::open(path).map_err(|source| unreadable(path, source))
}

pub(crate) fn unreadable(path: &Path, source: std::io::Error) -> DatasetError {
    AnnotationsError::read(path, source).into()
}

pub(crate) fn wrong(path: &Path, reason: impl Into<String>) -> DatasetError {
    AnnotationsError::format(path, reason).into()
}

/// The folders in a folder.
pub(crate) fn folders(folder: &Path) -> Result<Vec<PathBuf>, DatasetError> {
    listing::folders(folder).map_err(|source| unreadable(folder, source))
}

/// The pictures of a folder, each by its name without ending, in natural order.
pub(crate) struct Pictures {
    files: Vec<(String, PathBuf)>,
    by_name: HashMap<String, usize>,
}

/// The pictures of a folder.
///
/// Two of one name, such as `a.png` and `a.jpg`, are refused: which of them is meant?
pub(crate) fn pictures(folder: &Path) -> Result<Pictures, DatasetError> {
    let paths = listing::pictures(folder).map_err(|source| unreadable(folder, source))?;
    let files: Vec<(String, PathBuf)> = paths.into_iter().map(|path| (stem(&path), path)).collect();
    let mut by_name = HashMap::new();
    for (at, (name, path)) in files.iter().enumerate() {
        if let Some(before) = by_name.insert(name.clone(), at) {
            let other: &(String, PathBuf) = &files[before];
            return Err(wrong(
                path,
                format!(
                    "{} is called so as well; rename or remove one of them",
                    other.1.display()
                ),
            ));
        }
    }
    Ok(Pictures { files, by_name })
}

impl Pictures {
    /// None: an empty folder's.
    pub(crate) fn none() -> Self {
        let (files, by_name) = (Vec::new(), HashMap::new());
        Self { files, by_name }
    }

    /// The picture of a name.
    pub(crate) fn get(&self, name: &str) -> Option<&PathBuf> {
        self.by_name.get(name).map(|&at| &self.files[at].1)
    }

    /// All by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &(String, PathBuf)> {
        self.files.iter()
    }
}

/// Width and height of a picture or mask, from its header.
pub(crate) fn size(path: &Path) -> Result<(usize, usize), DatasetError> {
    Ok(seggpt_annotations::size(path)?)
}

/// The name of a file without its extension.
pub(crate) fn stem(path: &Path) -> String {
    path.file_stem()
        .map(|stem| stem.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// The last part of a path.
pub(crate) fn name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// The lines of a list that are not empty.
pub(crate) fn list(path: &Path) -> Result<Vec<String>, DatasetError> {
    let text = text(path)?;
    Ok(text::lines(&text).map(str::to_owned).collect())
}

/// A table of `id TAB name` lines.
pub(crate) fn classes(path: &Path) -> Result<Vec<Class>, DatasetError> {
    let mut classes = BTreeMap::new();
    for line in list(path)? {
        let row = line.split_once('\t').and_then(|(id, name)| {
            let id: u16 = id
                .trim()
                .parse()
                .ok()
                .filter(|id| (1..u16::MAX).contains(id))?;
            Some(Class::new(id, name.trim()))
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
