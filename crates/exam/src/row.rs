use std::{
    collections::HashSet,
    fs::{self, File, OpenOptions},
    io::{BufRead, BufReader, ErrorKind, Write},
    path::{Path, PathBuf},
};

use seggpt_eval::LabelPlane;
use serde::{Deserialize, Serialize};

use crate::{
    Exam, ExamError, Kept, Maker, Mark, Protocol, Scores, SetScore,
    cases::{Case, Cases},
    score::mean,
};

/// Where rows are, in the folder of results.
pub(crate) const ROWS: &str = "rows";
const JOURNAL: &str = "journal.jsonl";
const SCORES: &str = "scores.json";

/// The marks of one way to answer, in a folder of its own: `journal.jsonl` has a line a mark, so that an interrupted row
/// goes on; `kept/` answers that open questions build on; `cases/` the worst answers as pictures; `scores.json` what it all
/// comes to.
pub struct Row {
    name: String,
    folder: PathBuf,
    journal: File,
    done: HashSet<String>,
    cases: Cases,
    kept: Kept,
}

/// The first line of a journal.
#[derive(Serialize, Deserialize)]
struct Header {
    run_key: String,
}

/// A finished row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RowScores {
    /// What tables call it; its folder under `rows/`.
    pub row: String,
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
    /// Opens the row `name` under `out`; what was answered under another `run_key` is dropped.
    ///
    /// # Errors
    /// [`ExamError::Results`]: a name that cannot be a folder's, or files that cannot be read or written.
    pub fn open(out: &Path, name: &str, run_key: &str) -> Result<Self, ExamError> {
        let is_plain =
            !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0']);
        if !is_plain {
            return Err(ExamError::results(
                out,
                format!("`{name}` cannot be the name of a row: no slashes, no dot in front"),
            ));
        }
        let folder = out.join(ROWS).join(name);
        let failed = |error: std::io::Error| ExamError::results(&folder, error);
        fs::create_dir_all(&folder).map_err(failed)?;
        let path = folder.join(JOURNAL);
        let answered =
            answered(&path, run_key).map_err(|error| ExamError::results(&path, error))?;
        let kept = Kept::of(&folder);
        let (done, length) = match answered {
            Some(answered) => answered,
            None => {
                Cases::clear(&folder);
                kept.clear();
                let header = Header {
                    run_key: run_key.to_owned(),
                };
                let line = serde_json::to_string(&header).expect("a text serialises") + "\n";
                fs::write(&path, &line).map_err(failed)?;
                (HashSet::new(), line.len() as u64)
            }
        };
        let journal = OpenOptions::new()
            .append(true)
            .open(&path)
            .map_err(failed)?;
        // A run that was killed leaves half a line.
        journal.set_len(length).map_err(failed)?;
        Ok(Self {
            name: name.to_owned(),
            cases: Cases::open(&folder)?,
            kept,
            folder,
            journal,
            done,
        })
    }

    /// Whether a question has been answered.
    #[must_use]
    pub fn has(&self, item: &str) -> bool {
        self.done.contains(item)
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
    /// [`Exam::marked_at`]. When this returns, the mark is with the operating system.
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
        let line = serde_json::to_string(mark).expect("numbers and texts serialise") + "\n";
        self.journal
            .write_all(line.as_bytes())
            .map_err(|error| ExamError::results(self.folder.join(JOURNAL), error))?;
        self.done.insert(mark.item.clone());
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
        let path = self.folder.join(JOURNAL);
        let file = File::open(&path).map_err(|error| ExamError::results(&path, error))?;
        let mut scores = Scores::new(exam);
        let (mut maker, mut times) = (Maker::default(), Vec::new());
        for line in BufReader::new(file).lines().skip(1) {
            let line = line.map_err(|error| ExamError::results(&path, error))?;
            let mark: Mark = serde_json::from_str(&line).map_err(|error| {
                ExamError::results(&path, format!("changed while in use: {error}"))
            })?;
            scores.add(&mark)?;
            times.push(mark.milliseconds);
            maker = mark.maker;
        }
        let row = RowScores {
            row: self.name.clone(),
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

    /// The scores of a row under `out`; `None` where there are none.
    ///
    /// # Errors
    /// [`ExamError::Results`]: they are there, but cannot be read.
    pub fn read(out: &Path, row: &str) -> Result<Option<Self>, ExamError> {
        let path = out.join(ROWS).join(row).join(SCORES);
        match fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(ExamError::results(&path, error)),
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map(Some)
                .map_err(|error| ExamError::results(&path, error)),
        }
    }

    /// Its worst answers, the worst first.
    pub(crate) fn cases(&self, out: &Path) -> Result<Vec<Case>, ExamError> {
        Ok(Cases::open(&out.join(ROWS).join(&self.row))?.all())
    }
}

/// What was answered under this key, and the length of the whole lines that say it; `None`: nothing, or another key.
fn answered(path: &Path, run_key: &str) -> std::io::Result<Option<(HashSet<String>, u64)>> {
    #[derive(Deserialize)]
    struct Item {
        item: String,
    }
    let mut file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        opened => BufReader::new(opened?),
    };
    let (mut line, mut length, mut done) = (Vec::new(), 0, HashSet::new());
    loop {
        line.clear();
        let read = file.read_until(b'\n', &mut line)? as u64;
        if read == 0 || line.last() != Some(&b'\n') {
            return Ok((length > 0).then_some((done, length)));
        }
        if length == 0 {
            let header: Option<Header> = serde_json::from_slice(&line).ok();
            if header.is_none_or(|header| header.run_key != run_key) {
                return Ok(None);
            }
        } else {
            match serde_json::from_slice::<Item>(&line) {
                Ok(Item { item }) => done.insert(item),
                Err(_) => return Ok(Some((done, length))),
            };
        }
        length += read;
    }
}

/// Writes a file beside its place, then moves it there.
pub(crate) fn put(path: &Path, bytes: &[u8]) -> Result<(), ExamError> {
    let part = path.with_extension("part");
    fs::write(&part, bytes)
        .and_then(|()| fs::rename(&part, path))
        .map_err(|error| ExamError::results(path, error))
}
