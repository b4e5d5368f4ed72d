use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use seggpt_eval::LabelPlane;
use seggpt_store::{Refusal, Store, store::StageError};
use serde::{Deserialize, Serialize};

use crate::{
    Exam, ExamError, Kept, Maker, Mark, Protocol, Scores, SetScore,
    cases::{Case, Cases},
    score::mean,
};

/// Where rows are, in the folder of results.
pub(crate) const ROWS: &str = "rows";
const SCORES: &str = "scores.json";

/// The marks of one way to answer, under one run key, in a folder of its own: a store whose journal has a line a mark, so
/// that an interrupted row goes on; `kept/` answers that open questions build on; `cases/` the worst answers as pictures;
/// `scores.json` what it all comes to.
pub struct Row {
    name: String,
    run_key: String,
    run: String,
    folder: PathBuf,
    store: Store<Mark>,
    cases: Cases,
    kept: Kept,
}

/// A finished row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RowScores {
    /// What tables call it; its folder under `rows/`.
    pub row: String,
    /// What its answers depend on; its folder under `rows/ROW/`.
    #[serde(default)]
    pub run_key: String,
    /// Who answered.
    pub maker: Maker,
    /// Which prompts were chosen.
    pub select: String,
    /// How many guided an answer.
    pub k: usize,
    /// How questions were chosen and answers compared.
    pub protocol: Protocol,
    /// Every set's scores.
    pub sets: Vec<SetScore>,
    /// Questions that got no answer, in the last run.
    pub failed: usize,
    /// Mean time of an answer in milliseconds; `None` where it was not measured.
    pub milliseconds: Option<f64>,
    /// Of this crate.
    pub version: String,
}

impl Row {
    /// Opens the row `name` under `out`, beside those of other keys. Without a key, nothing that was answered counts but by
    /// the run that is called `run`, where that has a name.
    ///
    /// # Errors
    /// [`ExamError::Results`]: a name or key that cannot be a folder's, another process that writes there, or files that
    /// cannot be read or written.
    pub fn open(out: &Path, name: &str, run_key: &str, run: &str) -> Result<Self, ExamError> {
        for word in [name, key_folder(run_key)] {
            let is_plain =
                !word.is_empty() && !word.starts_with('.') && !word.contains(['/', '\\', '\0']);
            if !is_plain {
                return Err(ExamError::results(
                    out,
                    format!(
                        "`{word}` cannot be the name or key of a row: no slashes, no dot in front"
                    ),
                ));
            }
        }
        let folder = folder(out, name, run_key);
        fs::create_dir_all(&folder).map_err(|error| ExamError::results(&folder, error))?;
        let store = Store::open(&folder, run_key, run).map_err(|error| refused(&folder, &error))?;
        let kept = Kept::of(&folder);
        if store.entries().is_empty() {
            Cases::clear(&folder);
            kept.clear();
        }
        Ok(Self {
            name: name.to_owned(),
            run_key: run_key.to_owned(),
            run: run.to_owned(),
            cases: Cases::open(&folder)?,
            kept,
            folder,
            store,
        })
    }

    /// Whether a question has been answered.
    #[must_use]
    pub fn has(&self, item: &str) -> bool {
        self.store.entries().contains_key(item)
    }

    /// The questions that this run has answered: before its process was started again.
    pub fn own(&self) -> impl Iterator<Item = &str> {
        let entries = self.store.entries().iter().filter(|(_, entry)| entry.own);
        entries.map(|(item, _)| item.as_str())
    }

    /// The questions that have no answer yet.
    ///
    /// # Errors
    /// [`ExamError::Results`]: one of them builds on an answer that was here, but is no more.
    pub fn open_questions(&self, exam: &Exam) -> Result<Vec<usize>, ExamError> {
        let open = |at: &usize| !self.has(&exam.questions[*at].item);
        let open: Vec<usize> = (0..exam.questions.len()).filter(open).collect();
        for &at in &open {
            let lost =
                |before: &usize| self.has(&exam.questions[*before].item) && !self.kept.has(*before);
            if let Some(lost) = exam.before(&exam.questions[at]).find(lost) {
                let reason = format!(
                    "it is gone, and open questions build on it; remove {} to start this row anew",
                    self.folder.display()
                );
                return Err(ExamError::results(self.kept.file(lost), reason));
            }
        }
        Ok(open)
    }

    /// The answers that open questions build on.
    #[must_use]
    pub fn kept(&self) -> &Kept {
        &self.kept
    }

    /// Adds a mark and, if it is among the worst, its pictures. `answer` has the picture's size, or that of
    /// [`Exam::marked_at`]. When this returns, the mark is on disk.
    ///
    /// # Errors
    /// The disk refuses it.
    pub fn add(
        &mut self,
        exam: &Exam,
        question: usize,
        mark: &Mark,
        answer: &LabelPlane,
    ) -> Result<(), ExamError> {
        self.cases.consider(exam, question, mark, answer)?;
        let chain = exam.chain(question);
        if chain.len() > 1 {
            self.kept.keep(question, answer)?;
        }
        let unwritten = |error: StageError| ExamError::results(&self.folder, error);
        let mark = Mark {
            run: self.run.clone(),
            ..mark.clone()
        };
        self.store.stage(mark, &[]).map_err(unwritten)?;
        self.store
            .commit()
            .map_err(|error| refused(&self.folder, &error))?;
        if chain.len() > 1 && chain.iter().all(|&at| self.has(&exam.questions[at].item)) {
            self.kept.release(&chain)?;
        }
        Ok(())
    }

    /// Adds everything up and writes `scores.json`. `failed`: how many questions got no answer in this run.
    ///
    /// # Errors
    /// The journal cannot be read, or the scores not be written.
    pub fn finish(&self, exam: &Exam, select: &str, failed: usize) -> Result<RowScores, ExamError> {
        let mut offsets: Vec<u64> = self.store.entries().values().map(|it| it.offset).collect();
        offsets.sort_unstable();
        let failed_to_read = |error: Refusal| refused(&self.folder, &error);
        let mut scores = Scores::new(exam);
        let (mut maker, mut times) = (Maker::default(), Vec::new());
        for mark in self.store.read(offsets).map_err(failed_to_read)? {
            let mark = mark.map_err(failed_to_read)?;
            scores.add(&mark)?;
            times.push(mark.milliseconds);
            maker = mark.maker;
        }
        let row = RowScores {
            row: self.name.clone(),
            run_key: self.run_key.clone(),
            maker,
            select: select.to_owned(),
            k: exam.shots,
            protocol: exam.protocol.clone(),
            sets: scores.finish(),
            failed,
            milliseconds: mean(times.into_iter().filter(|time| *time > 0.0)),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        put(
            &self.folder.join(SCORES),
            serde_json::to_string_pretty(&row)
                .expect("numbers and texts serialise")
                .as_bytes(),
        )?;
        Ok(row)
    }
}

impl RowScores {
    /// The mean over the sets; `None` unless every set has a score.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        let scores: Option<Vec<f64>> = self.sets.iter().map(|set| set.score).collect();
        scores.and_then(mean)
    }

    /// Questions that there are, and those that were answered.
    #[must_use]
    pub fn progress(&self) -> (usize, usize) {
        let sum = |of: fn(&SetScore) -> usize| self.sets.iter().map(of).sum();
        (sum(|set| set.asked), sum(|set| set.answered))
    }

    /// The scores of a row under `out`, of this key; `None` where there are none.
    ///
    /// # Errors
    /// [`ExamError::Results`]: they are there, but cannot be read.
    pub fn read(out: &Path, row: &str, run_key: &str) -> Result<Option<Self>, ExamError> {
        read(&folder(out, row, run_key).join(SCORES))
    }

    /// The scores of a row under `out`, of all keys, the newest first.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub(crate) fn all(out: &Path, row: &str) -> Result<Vec<Self>, ExamError> {
        let folders = fs::read_dir(out.join(ROWS).join(row)).into_iter().flatten();
        let mut files: Vec<_> = folders
            .flatten()
            .filter_map(|folder| {
                let path = folder.path().join(SCORES);
                Some((fs::metadata(&path).ok()?.modified().ok()?, path))
            })
            .collect();
        files.sort_by(|a, b| b.cmp(a));
        let rows = files.iter().map(|(_, path)| read(path));
        rows.filter_map(Result::transpose).collect()
    }

    /// Its worst answers, the worst first.
    pub(crate) fn cases(&self, out: &Path) -> Result<Vec<Case>, ExamError> {
        Ok(Cases::open(&folder(out, &self.row, &self.run_key))?.all())
    }
}

fn read(path: &Path) -> Result<Option<RowScores>, ExamError> {
    match fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(ExamError::results(path, error)),
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|error| ExamError::results(path, error)),
    }
}

/// Where the row of this key is.
fn folder(out: &Path, row: &str, run_key: &str) -> PathBuf {
    out.join(ROWS).join(row).join(key_folder(run_key))
}

fn key_folder(run_key: &str) -> &str {
    if run_key.is_empty() {
        "no-key"
    } else {
        run_key
    }
}

fn refused(folder: &Path, refusal: &Refusal) -> ExamError {
    ExamError::results(folder, refusal)
}

/// Writes a file beside its place, then moves it there, onto the disk.
pub(crate) fn put(path: &Path, bytes: &[u8]) -> Result<(), ExamError> {
    seggpt_store::put(path, bytes).map_err(|error| ExamError::results(path, error))
}
