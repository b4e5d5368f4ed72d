use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use seggpt_imaging::LabelPlane;
use seggpt_metrics::mean;
use seggpt_store::{Refusal, Store, store::StageError};
use serde::{Deserialize, Serialize};

use crate::{
    Benchmark, BenchmarkError, Predictor, Protocol, QueryScore, ScoreSum, SplitScore, Stored,
    cases::{Case, Cases},
    disk::put,
};

/// Where rows are, in the folder of results.
pub(crate) const ROWS: &str = "rows";
const SCORES: &str = "scores.json";

/// The scores of one configuration, under one run key, in a folder of its own: a store whose journal has a line a score, so
/// that an interrupted row goes on; `predictions/` those that open queries build on; `cases/` the worst predictions as pictures;
/// `scores.json` what it all comes to.
pub struct Row {
    name: String,
    run_key: String,
    run: String,
    folder: PathBuf,
    store: Store<QueryScore>,
    cases: Cases,
    stored: Stored,
}

/// A finished row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RowScores {
    /// What tables call it; its folder under `rows/`.
    pub row: String,
    /// What its predictions depend on; its folder under `rows/ROW/`.
    #[serde(default)]
    pub run_key: String,
    /// What predicted.
    #[serde(alias = "maker")]
    pub predictor: Predictor,
    /// Which prompts were chosen.
    pub select: String,
    /// How many guided a prediction.
    pub k: usize,
    /// How queries were chosen and predictions compared.
    pub protocol: Protocol,
    /// Every set's scores.
    pub sets: Vec<SplitScore>,
    /// Queries that got no prediction, in the last run.
    pub failed: usize,
    /// Mean time of a prediction in milliseconds; `None` where it was not measured.
    pub milliseconds: Option<f64>,
    /// Of this crate.
    pub version: String,
}

impl Row {
    /// Opens the row `name` under `out`, beside those of other keys. Without a key, only predictions of the run that is called
    /// `run` count, where that has a name.
    ///
    /// # Errors
    /// [`BenchmarkError::Results`]: a name or key that cannot be a folder's, another process that writes there, or files that
    /// cannot be read or written.
    pub fn open(out: &Path, name: &str, run_key: &str, run: &str) -> Result<Self, BenchmarkError> {
        for word in [name, key_folder(run_key)] {
            let is_plain =
                !word.is_empty() && !word.starts_with('.') && !word.contains(['/', '\\', '\0']);
            if !is_plain {
                return Err(BenchmarkError::results(
                    out,
                    format!(
                        "`{word}` cannot be the name or key of a row: no slashes, no dot in front"
                    ),
                ));
            }
        }
        let folder = folder(out, name, run_key);
        fs::create_dir_all(&folder).map_err(|error| BenchmarkError::results(&folder, error))?;
        let store = Store::open(&folder, run_key, run).map_err(|error| refused(&folder, &error))?;
        let stored = Stored::of(&folder);
        if store.entries().is_empty() {
            Cases::clear(&folder);
            stored.clear();
        }
        Ok(Self {
            name: name.to_owned(),
            run_key: run_key.to_owned(),
            run: run.to_owned(),
            cases: Cases::open(&folder)?,
            stored,
            folder,
            store,
        })
    }

    /// Whether a query has a prediction.
    #[must_use]
    pub fn has(&self, item: &str) -> bool {
        self.store.entries().contains_key(item)
    }

    /// The queries that this run has done: before its process was started again.
    pub fn own(&self) -> impl Iterator<Item = &str> {
        let entries = self.store.entries().iter().filter(|(_, entry)| entry.own);
        entries.map(|(item, _)| item.as_str())
    }

    /// The queries that have no prediction yet.
    ///
    /// # Errors
    /// [`BenchmarkError::Results`]: one of them builds on a prediction that was here, but is no more.
    pub fn open_queries(&self, benchmark: &Benchmark) -> Result<Vec<usize>, BenchmarkError> {
        let open = |at: &usize| !self.has(&benchmark.queries[*at].item);
        let open: Vec<usize> = (0..benchmark.queries.len()).filter(open).collect();
        for &at in &open {
            let lost = |before: &usize| {
                self.has(&benchmark.queries[*before].item) && !self.stored.has(*before)
            };
            if let Some(lost) = benchmark.before(&benchmark.queries[at]).find(lost) {
                let reason = format!(
                    "it is gone, and open queries build on it; remove {} to start this row anew",
                    self.folder.display()
                );
                return Err(BenchmarkError::results(self.stored.file(lost), reason));
            }
        }
        Ok(open)
    }

    /// The predictions that open queries build on.
    #[must_use]
    pub fn stored(&self) -> &Stored {
        &self.stored
    }

    /// Adds a score and, if it is among the worst, its pictures. `prediction` has the picture's size, or that of
    /// [`Benchmark::eval_size`]. When this returns, the score is on disk.
    ///
    /// # Errors
    /// The disk refuses it.
    pub fn add(
        &mut self,
        benchmark: &Benchmark,
        query: usize,
        score: &QueryScore,
        prediction: &LabelPlane,
    ) -> Result<(), BenchmarkError> {
        self.cases.consider(benchmark, query, score, prediction)?;
        let chain = benchmark.chain(query);
        if chain.len() > 1 {
            self.stored.store(query, prediction)?;
        }
        let unwritten = |error: StageError| BenchmarkError::results(&self.folder, error);
        let score = QueryScore {
            run: self.run.clone(),
            ..score.clone()
        };
        self.store.stage(score, &[]).map_err(unwritten)?;
        self.store
            .commit()
            .map_err(|error| refused(&self.folder, &error))?;
        if chain.len() > 1
            && chain
                .iter()
                .all(|&at| self.has(&benchmark.queries[at].item))
        {
            self.stored.remove(&chain)?;
        }
        Ok(())
    }

    /// Adds everything up and writes `scores.json`. `failed`: how many queries got no prediction in this run.
    ///
    /// # Errors
    /// The journal cannot be read, or the scores not be written.
    pub fn finish(
        &self,
        benchmark: &Benchmark,
        select: &str,
        failed: usize,
    ) -> Result<RowScores, BenchmarkError> {
        let mut offsets: Vec<u64> = self.store.entries().values().map(|it| it.offset).collect();
        offsets.sort_unstable();
        let failed_to_read = |error: Refusal| refused(&self.folder, &error);
        let mut scores = ScoreSum::new(benchmark);
        let (mut predictor, mut times) = (Predictor::default(), Vec::new());
        for score in self.store.read(offsets).map_err(failed_to_read)? {
            let score = score.map_err(failed_to_read)?;
            scores.add(&score)?;
            times.push(score.milliseconds);
            predictor = score.predictor;
        }
        let row = RowScores {
            row: self.name.clone(),
            run_key: self.run_key.clone(),
            predictor,
            select: select.to_owned(),
            k: benchmark.shots,
            protocol: benchmark.protocol.clone(),
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

    /// Queries that there are, and those with a prediction.
    #[must_use]
    pub fn progress(&self) -> (usize, usize) {
        let sum = |of: fn(&SplitScore) -> usize| self.sets.iter().map(of).sum();
        (sum(|set| set.queries), sum(|set| set.scored))
    }

    /// The scores of a row under `out`, of this key; `None` where there are none.
    ///
    /// # Errors
    /// [`BenchmarkError::Results`]: they are there, but cannot be read.
    pub fn read(out: &Path, row: &str, run_key: &str) -> Result<Option<Self>, BenchmarkError> {
        read(&folder(out, row, run_key).join(SCORES))
    }

    /// The scores of a row under `out`, of all keys, the newest first.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub(crate) fn all(out: &Path, row: &str) -> Result<Vec<Self>, BenchmarkError> {
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

    /// Its worst predictions, the worst first.
    pub(crate) fn cases(&self, out: &Path) -> Result<Vec<Case>, BenchmarkError> {
        Ok(Cases::open(&folder(out, &self.row, &self.run_key))?.all())
    }
}

fn read(path: &Path) -> Result<Option<RowScores>, BenchmarkError> {
    match fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(BenchmarkError::results(path, error)),
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|error| BenchmarkError::results(path, error)),
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

fn refused(folder: &Path, refusal: &Refusal) -> BenchmarkError {
    BenchmarkError::results(folder, refusal)
}
