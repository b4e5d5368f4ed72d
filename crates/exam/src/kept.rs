use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use seggpt_eval::LabelPlane;
use seggpt_imaging::{annotation::Ids, write};

use crate::{ExamError, row::put};

/// Answers of a row that later questions build on: a file each, beside the journal, until all that need it are answered.
#[derive(Clone, Debug)]
pub struct Kept {
    folder: PathBuf,
}

impl Kept {
    pub(crate) fn of(row: &Path) -> Self {
        Self {
            folder: row.join("kept"),
        }
    }

    /// Removes all.
    pub(crate) fn clear(&self) {
        // What cannot be removed is overwritten before it is read.
        let _ = fs::remove_dir_all(&self.folder);
    }

    pub(crate) fn keep(&self, question: usize, answer: &LabelPlane) -> Result<(), ExamError> {
        fs::create_dir_all(&self.folder)
            .map_err(|error| ExamError::results(&self.folder, error))?;
        let png = write::ids_png16(answer.values(), answer.size())?;
        put(&self.file(question), &png)
    }

    pub(crate) fn has(&self, question: usize) -> bool {
        self.file(question).exists()
    }

    /// The answer to a question; `None` where it has none.
    pub(crate) fn recall(&self, question: usize) -> Result<Option<LabelPlane>, ExamError> {
        let path = self.file(question);
        if !path.exists() {
            return Ok(None);
        }
        let ids = Ids::open(&path)?;
        let size = (ids.size.0 as usize, ids.size.1 as usize);
        Ok(Some(LabelPlane::new(size, ids.values)?))
    }

    /// Removes some, and the folder when it is empty.
    pub(crate) fn release(&self, questions: &[usize]) -> Result<(), ExamError> {
        for &question in questions {
            let path = self.file(question);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(ExamError::results(path, error));
                }
                _ => {}
            }
        }
        let _ = fs::remove_dir(&self.folder);
        Ok(())
    }

    pub(crate) fn file(&self, question: usize) -> PathBuf {
        self.folder.join(format!("{question}.png"))
    }
}
