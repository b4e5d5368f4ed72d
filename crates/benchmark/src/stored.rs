use std::{
    fs,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use seggpt_imaging::{LabelPlane, annotation::Ids, write};
use seggpt_prompt_library::memory::Shown;

use crate::{BenchmarkError, disk::put};

/// Predictions of a row that later queries build on: a file each, beside the journal, until no query needs them.
#[derive(Clone, Debug)]
pub struct Stored {
    folder: PathBuf,
}

impl Stored {
    pub(crate) fn of(row: &Path) -> Self {
        Self {
            folder: row.join("predictions"),
        }
    }

    /// Removes all.
    pub(crate) fn clear(&self) {
        // What cannot be removed is overwritten before it is read.
        let _ = fs::remove_dir_all(&self.folder);
    }

    pub(crate) fn store(
        &self,
        query: usize,
        prediction: &LabelPlane,
    ) -> Result<(), BenchmarkError> {
        fs::create_dir_all(&self.folder)
            .map_err(|error| BenchmarkError::results(&self.folder, error))?;
        let png = write::ids_png16(prediction.values(), prediction.size())?;
        put(&self.file(query), &png)
    }

    /// Stores how sure a prediction is of each class, for policies that need it.
    ///
    /// # Errors
    /// The disk refuses it.
    pub fn store_shown(&self, query: usize, shown: &[Shown]) -> Result<(), BenchmarkError> {
        fs::create_dir_all(&self.folder)
            .map_err(|error| BenchmarkError::results(&self.folder, error))?;
        let path = self.shown_file(query);
        let text = serde_json::to_vec(shown)
            .map_err(|error| BenchmarkError::results(&path, io::Error::from(error)))?;
        put(&path, &text)
    }

    /// How sure the prediction for a query is of each class; empty where nobody stored that.
    pub(crate) fn shown(&self, query: usize) -> Result<Vec<Shown>, BenchmarkError> {
        let path = self.shown_file(query);
        match fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
            text => text
                .and_then(|text| Ok(serde_json::from_slice(&text)?))
                .map_err(|error| BenchmarkError::results(path, error)),
        }
    }

    pub(crate) fn has(&self, query: usize) -> bool {
        self.file(query).exists()
    }

    /// The prediction for a query; `None` where it has none.
    pub(crate) fn load(&self, query: usize) -> Result<Option<LabelPlane>, BenchmarkError> {
        let path = self.file(query);
        if !path.exists() {
            return Ok(None);
        }
        let ids = Ids::open(&path)?;
        let size = (ids.size.0 as usize, ids.size.1 as usize);
        Ok(Some(LabelPlane::new(size, ids.values)?))
    }

    /// Removes some, and the folder when it is empty.
    pub(crate) fn remove(&self, queries: &[usize]) -> Result<(), BenchmarkError> {
        let files = queries
            .iter()
            .flat_map(|at| [self.file(*at), self.shown_file(*at)]);
        for path in files {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(BenchmarkError::results(path, error));
                }
                _ => {}
            }
        }
        let _ = fs::remove_dir(&self.folder);
        Ok(())
    }

    fn shown_file(&self, query: usize) -> PathBuf {
        self.folder.join(format!("{query}.json"))
    }

    pub(crate) fn file(&self, query: usize) -> PathBuf {
        self.folder.join(format!("{query}.png"))
    }
}
