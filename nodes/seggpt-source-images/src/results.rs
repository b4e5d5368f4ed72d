//! Folders of results, whose pictures are nobody's input.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use seggpt_store::journal_path;

/// Knows which folders lie in a folder of results.
#[derive(Debug, Default)]
pub(crate) struct Results {
    known: HashMap<PathBuf, bool>,
}

impl Results {
    /// Whether a file lies in a folder of results, wherever its path leads.
    pub(crate) fn hold(&mut self, file: &Path) -> bool {
        let Ok(file) = fs::canonicalize(file) else {
            return false; // it fails when it is read
        };
        file.parent().is_some_and(|folder| self.are(folder))
    }

    fn are(&mut self, folder: &Path) -> bool {
        if let Some(known) = self.known.get(folder) {
            return *known;
        }
        let are =
            journal_path(folder).exists() || folder.parent().is_some_and(|above| self.are(above));
        self.known.insert(folder.to_owned(), are);
        are
    }
}
