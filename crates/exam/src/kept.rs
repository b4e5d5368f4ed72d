use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use seggpt_eval::LabelPlane;
use seggpt_imaging::{annotation::Ids, write};
use seggpt_prompt_library::memory::Shown;

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

    /// Keeps how sure an answer is of each class, for policies that ask.
    ///
    /// # Errors
    /// The disk refuses it.
    pub fn keep_shown(&self, question: usize, shown: &[Shown]) -> Result<(), ExamError> {
        fs::create_dir_all(&self.folder)
            .map_err(|error| ExamError::results(&self.folder, error))?;
        let text = serde_json::to_vec(shown).map_err(|error| {
            ExamError::results(self.sure(question), std::io::Error::from(error))
        })?;
        put(&self.sure(question), &text)
    }

    /// How sure the answer to a question is of each class; empty where nobody kept that.
    pub(crate) fn shown(&self, question: usize) -> Result<Vec<Shown>, ExamError> {
        let path = self.sure(question);
        match fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
            text => text
                .and_then(|text| Ok(serde_json::from_slice(&text)?))
                .map_err(|error| ExamError::results(path, error)),
        }
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
        let files = questions
            .iter()
            .flat_map(|at| [self.file(*at), self.sure(*at)]);
        for path in files {
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

    fn sure(&self, question: usize) -> PathBuf {
        self.folder.join(format!("{question}.json"))
    }

    pub(crate) fn file(&self, question: usize) -> PathBuf {
        self.folder.join(format!("{question}.png"))
    }
}
