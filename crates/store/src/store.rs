//! A folder of results, open for writing.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    fs::File,
    io::{self, BufRead, BufReader},
    marker::PhantomData,
    path::{Path, PathBuf},
    time::Duration,
};

use rayon::prelude::*;

use crate::{
    RUN_PID, Refusal, Spec,
    claim::name_of,
    disk::{Disk, Real, part_of},
    header::Header,
    journal_path,
    lock::{Lock, RUN, WRITER, holder},
    record::{Record, are_whole, scan},
};

/// How long the writer of a run that was killed may take to die.
const TIMEOUT: Duration = Duration::from_secs(15);

/// A folder of results, open for writing; one process at a time has it.
#[derive(Debug)]
pub struct Store<R: Record> {
    pub(crate) root: PathBuf,
    disk: Box<dyn Disk>,
    /// The journal's length, and how much of it is forgotten.
    pub(crate) end: u64,
    pub(crate) blank: u64,
    pub(crate) entries: HashMap<String, Entry<R::Brief>>,
    left: usize,
    staged: Vec<Staged<R>>,
    staging: HashSet<String>,
    _locks: Vec<Lock>,
    _records: PhantomData<R>,
}

/// What memory keeps of a record.
#[derive(Clone, Copy, Debug)]
pub struct Entry<B> {
    /// Where its line begins.
    pub offset: u64,
    /// Whether this run made it.
    pub own: bool,
    /// Its brief.
    pub brief: B,
}

#[derive(Debug)]
struct Staged<R> {
    record: R,
    files: Vec<PathBuf>,
}

/// A record that is on disk, with its files.
#[derive(Debug)]
pub struct Committed<R: Record> {
    /// It.
    pub record: R,
    /// The record of the same item that counted before.
    pub overruled: Option<Entry<R::Brief>>,
}

/// A file that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("{}: cannot be written: {error}", path.display())]
pub struct StageError {
    /// Its place.
    pub path: PathBuf,
    /// Why not.
    pub error: io::Error,
}

impl StageError {
    /// Whether a name is to blame and not the disk: too long, or no name at all on this system.
    #[must_use]
    pub fn blames_the_name(&self) -> bool {
        use io::ErrorKind::{
            AlreadyExists, InvalidFilename, InvalidInput, IsADirectory, NotADirectory,
        };
        matches!(
            self.error.kind(),
            AlreadyExists | InvalidFilename | InvalidInput | NotADirectory | IsADirectory
        )
    }
}

impl<R: Record> Store<R> {
    /// Opens the folder `root`, which is made where it is missing. `key`: what the results belong to; empty: to no known
    /// settings, and nothing of an earlier run counts. `run`: what records of this run say; those that are there already
    /// are its own.
    ///
    /// # Errors
    /// Another process writes there; the results are of another key; the disk refuses.
    pub fn open(root: &Path, key: &str, run: &str) -> Result<Self, Refusal> {
        // In this order: an orphan holds both and lets go of both.
        let mut locks = vec![Lock::take(root, WRITER, TIMEOUT)?];
        if !is_ours(root) {
            locks.push(Lock::take(root, RUN, Duration::ZERO)?);
        }
        match Header::read(root)? {
            None => Header::new(key, &Spec::new()).begin(root)?,
            Some(held) if held.key == key => {}
            Some(held) => {
                return Err(Refusal::OtherKey {
                    root: root.to_owned(),
                    held: name_of(&held.key).to_owned(),
                    key: key.to_owned(),
                });
            }
        }
        let (mut entries, mut broken, mut left) = (HashMap::new(), 0, 0);
        let scanned = scan(root, |offset, record: R| {
            let own = !run.is_empty() && record.run() == run;
            let entry = Entry {
                offset,
                own,
                brief: record.brief(),
            };
            let counts = own || !key.is_empty();
            let whole = are_whole(root, record.files());
            if counts && !whole {
                broken += 1;
            }
            if !counts && whole {
                left += 1;
            }
            if counts && whole {
                entries.insert(record.item().to_owned(), entry);
            } else {
                entries.remove(record.item());
            }
        })?;
        if broken > 0 {
            tracing::warn!(
                "{}: {broken} records do not count, their files are gone or of another length",
                root.display()
            );
        }
        let mut store = Self {
            root: root.to_owned(),
            disk: Box::new(Real),
            end: scanned.end,
            blank: 0,
            entries,
            left,
            staged: vec![],
            staging: HashSet::new(),
            _locks: locks,
            _records: PhantomData,
        };
        if scanned.torn {
            store.append(b"\n")?;
        }
        Ok(store)
    }

    /// The records that count, by item. Those that are staged are not among them.
    #[must_use]
    pub fn entries(&self) -> &HashMap<String, Entry<R::Brief>> {
        &self.entries
    }

    /// How many results of earlier runs there are that do not count, since they have no key.
    #[must_use]
    pub fn left(&self) -> usize {
        self.left
    }

    /// How many records wait for [`commit`](Self::commit).
    #[must_use]
    pub fn staged(&self) -> usize {
        self.staged.len()
    }

    /// Whether a record of the item waits for [`commit`](Self::commit).
    #[must_use]
    pub fn is_staged(&self, item: &str) -> bool {
        self.staging.contains(item)
    }

    /// Writes the files of a record beside their places, and keeps the record for [`commit`](Self::commit). `files`:
    /// paths relative to the folder, checked by [`check_name`](crate::names::check_name), and contents.
    ///
    /// # Errors
    /// A file cannot be written; nothing is staged then.
    pub fn stage(&mut self, record: R, files: &[(String, Vec<u8>)]) -> Result<(), StageError> {
        self.stage_with(record, files, &[])
    }

    /// As [`stage`](Self::stage), with files that are too large for memory: `written` lie at [`part_of`] their places
    /// already.
    ///
    /// # Errors
    /// As [`stage`](Self::stage).
    pub fn stage_with(
        &mut self,
        record: R,
        files: &[(String, Vec<u8>)],
        written: &[String],
    ) -> Result<(), StageError> {
        let paths: Vec<PathBuf> = files.iter().map(|(file, _)| self.root.join(file)).collect();
        let outcome: Result<(), StageError> =
            paths
                .par_iter()
                .zip(files)
                .try_for_each(|(path, (_, bytes))| {
                    self.disk
                        .write(&part_of(path), bytes)
                        .map_err(|error| StageError {
                            path: path.clone(),
                            error,
                        })
                });
        if let Err(error) = outcome {
            for path in &paths {
                // What is left of it is in the way of nothing; the first error is the one to tell.
                let _ = std::fs::remove_file(part_of(path));
            }
            return Err(error);
        }
        self.staging.insert(record.item().to_owned());
        let written = written.iter().map(|file| self.root.join(file));
        self.staged.push(Staged {
            record,
            files: paths.into_iter().chain(written).collect(),
        });
        Ok(())
    }

    /// Puts all that is staged in its place. What it returns is on disk: files, their names, and the journal.
    ///
    /// # Errors
    /// [`Refusal::Io`]. What was staged then counts as not done.
    pub fn commit(&mut self) -> Result<Vec<Committed<R>>, Refusal> {
        if self.staged.is_empty() {
            return Ok(vec![]);
        }
        let staged = std::mem::take(&mut self.staged);
        self.staging.clear();
        let files: Vec<&PathBuf> = staged.iter().flat_map(|staged| &staged.files).collect();
        files
            .par_iter()
            .try_for_each(|path| self.disk.sync(&part_of(path)).map_err(Refusal::io(path)))?;
        let mut folders = BTreeSet::new();
        for path in files {
            self.disk
                .rename(&part_of(path), path)
                .map_err(Refusal::io(path))?;
            // A folder that was made on the way is a name in the one above it.
            let above = path.ancestors().skip(1);
            folders.extend(above.take_while(|folder| folder.starts_with(&self.root)));
        }
        for folder in folders {
            self.disk.sync_dir(folder).map_err(Refusal::io(folder))?;
        }
        seggpt_fault::at_any("after-rename", staged.iter().map(|it| it.record.item()));
        let (mut lines, mut offsets) = (Vec::new(), Vec::new());
        for Staged { record, .. } in &staged {
            offsets.push(self.end + lines.len() as u64);
            serde_json::to_writer(&mut lines, record).map_err(|error| Refusal::Io {
                path: journal_path(&self.root),
                error: error.into(),
            })?;
            lines.push(b'\n');
        }
        self.append(&lines)?;
        let committed = staged.into_iter().zip(offsets);
        Ok(committed
            .map(|(Staged { record, .. }, offset)| {
                let entry = Entry {
                    offset,
                    own: true,
                    brief: record.brief(),
                };
                let overruled = self.entries.insert(record.item().to_owned(), entry);
                Committed { record, overruled }
            })
            .collect())
    }

    /// The records at these offsets, one at a time.
    ///
    /// # Errors
    /// [`Refusal::Io`]: the journal cannot be read, or was changed by somebody else.
    pub fn read(
        &self,
        offsets: Vec<u64>,
    ) -> Result<impl Iterator<Item = Result<R, Refusal>> + use<R>, Refusal> {
        let path = journal_path(&self.root);
        let mut file = BufReader::new(File::open(&path).map_err(Refusal::io(&path))?);
        let mut at = 0_u64;
        let mut line = String::new();
        Ok(offsets.into_iter().map(move |offset| {
            line.clear();
            // Mostly the next line, which is in the buffer.
            file.seek_relative(offset.wrapping_sub(at).cast_signed())
                .and_then(|()| file.read_line(&mut line))
                .and_then(|read| {
                    at = offset + read as u64;
                    serde_json::from_str(&line).map_err(io::Error::from)
                })
                .map_err(Refusal::io(&path))
        }))
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        let path = journal_path(&self.root);
        self.disk
            .append(&path, bytes)
            .and_then(|()| self.disk.sync(&path))
            .map_err(Refusal::io(&path))?;
        self.end += bytes.len() as u64;
        Ok(())
    }
}

/// Whether whoever started this run has the claim.
fn is_ours(root: &Path) -> bool {
    let pid = std::env::var(RUN_PID).ok();
    let Some(pid) = pid.and_then(|pid| pid.parse::<u32>().ok()) else {
        return false;
    };
    holder(root, RUN).is_some_and(|holder| holder.pid == pid)
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
