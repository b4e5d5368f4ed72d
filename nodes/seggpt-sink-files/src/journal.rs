//! `journal.jsonl`: one line a finished item, on disk before the item is acknowledged.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::{BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom, Write},
};

use eyre::{Result, WrapErr, eyre};
use seggpt_contract::Status;

use crate::{
    folder::Folder,
    record::{Outcome, Record},
};

const FILE: &str = "journal.jsonl";

/// Where an item's line is, and what is asked for most.
#[derive(Clone, Copy, Debug)]
struct Entry {
    offset: u64,
    index: u64,
    outcome: Outcome,
    earlier: bool,
    pictured: bool,
}

/// The finished items. Their records stay on disk; memory holds where.
#[derive(Debug)]
pub struct Journal {
    folder: Folder,
    file: File,
    end: u64,
    entries: HashMap<String, Entry>,
    tally: Tally,
}

/// How many items ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// With a mask, those of earlier runs included.
    pub done: u64,
    /// Without, those of earlier runs included.
    pub failed: u64,
    /// Of all these, how many an earlier run has left.
    pub earlier: u64,
    /// How many have pictures in the report.
    pub pictured: u64,
}

impl Tally {
    fn count(&mut self, entry: Entry, change: impl Fn(&mut u64)) {
        match entry.outcome {
            Outcome::Done => change(&mut self.done),
            Outcome::Failed => change(&mut self.failed),
        }
        if entry.earlier {
            change(&mut self.earlier);
        }
        if entry.pictured {
            change(&mut self.pictured);
        }
    }
}

impl Journal {
    /// Opens the journal of a folder. Lines of another run key, torn ones and those that a later line on the same item
    /// overrules are left out of it from now on.
    ///
    /// # Errors
    /// It is there but cannot be read, or cannot be written.
    pub fn open(folder: &Folder, run_key: &str) -> Result<Self> {
        let path = folder.path(FILE);
        let kept = keep(folder, run_key)
            .wrap_err_with(|| format!("{}: cannot be read", path.display()))?;
        let mut entries = HashMap::new();
        let mut end = 0;
        folder.put_with(FILE, |file| {
            let mut old = BufReader::new(match File::open(&path) {
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
                opened => opened?,
            });
            for (item, entry, length) in kept {
                old.seek(SeekFrom::Start(entry.offset))?;
                std::io::copy(&mut old.by_ref().take(length), file)?;
                file.write_all(b"\n")?;
                entries.insert(
                    item,
                    Entry {
                        offset: end,
                        ..entry
                    },
                );
                end += length + 1;
            }
            Ok(())
        })?;
        let file = fs::OpenOptions::new()
            .append(true)
            .open(&path)
            .wrap_err_with(|| format!("{}: cannot be opened for writing", path.display()))?;
        let mut tally = Tally::default();
        entries
            .values()
            .for_each(|entry| tally.count(*entry, |n| *n += 1));
        Ok(Self {
            folder: folder.clone(),
            file,
            end,
            entries,
            tally,
        })
    }

    /// Adds a finished item. When this returns, its line is with the operating system.
    ///
    /// # Errors
    /// The disk refuses it.
    pub fn add(&mut self, record: &Record) -> Result<()> {
        let mut line = serde_json::to_vec(record).wrap_err("a journal line")?;
        line.push(b'\n');
        self.file
            .write_all(&line)
            .wrap_err_with(|| format!("{}: cannot be written", self.folder.path(FILE).display()))?;
        let entry = Entry::of(record, self.end, false);
        self.tally.count(entry, |n| *n += 1);
        if let Some(overruled) = self.entries.insert(record.item.clone(), entry) {
            self.tally.count(overruled, |n| *n -= 1);
        }
        self.end += line.len() as u64;
        Ok(())
    }

    /// How the item ended in this run; `None` while it has not.
    pub fn finished(&self, item: &str) -> Option<Status> {
        let entry = self.entries.get(item).filter(|entry| !entry.earlier)?;
        Some(entry.outcome.into())
    }

    /// Counts.
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// Whether the report has pictures of the item already.
    pub fn is_pictured(&self, item: &str) -> bool {
        self.entries.get(item).is_some_and(|entry| entry.pictured)
    }

    /// The records of all items that ended so, one at a time, in the order of their index; with each, whether an earlier
    /// run left it. The journal as it is now: what is added meanwhile is not among them.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub fn records(
        &self,
        outcomes: &'static [Outcome],
    ) -> Result<impl Iterator<Item = Result<(Record, bool)>> + use<>> {
        let path = self.folder.path(FILE);
        let mut file =
            BufReader::new(File::open(&path).wrap_err_with(|| path.display().to_string())?);
        let mut entries: Vec<_> = self.entries.values().copied().collect();
        entries.retain(|entry| outcomes.contains(&entry.outcome));
        entries.sort_by_key(|entry| (entry.index, entry.offset));
        Ok(entries.into_iter().map(move |entry| {
            let mut line = String::new();
            file.seek(SeekFrom::Start(entry.offset))
                .and_then(|_| file.read_line(&mut line))
                .wrap_err_with(|| path.display().to_string())?;
            let record = serde_json::from_str(&line)
                .map_err(|error| eyre!("{}: changed while in use: {error}", path.display()))?;
            Ok((record, entry.earlier))
        }))
    }
}

impl Entry {
    fn of(record: &Record, offset: u64, earlier: bool) -> Self {
        let Record {
            index,
            status,
            pictured,
            ..
        } = *record;
        Self {
            offset,
            index,
            outcome: status,
            earlier,
            pictured,
        }
    }
}

/// The lines worth keeping: the last of each item under this run key, with their lengths, in the order of the file.
fn keep(folder: &Folder, run_key: &str) -> Result<Vec<(String, Entry, u64)>> {
    let path = folder.path(FILE);
    let mut file = match File::open(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(vec![]),
        opened => BufReader::new(opened?),
    };
    let mut lines: HashMap<String, (Entry, u64)> = HashMap::new();
    let (mut offset, mut other, mut unread) = (0, 0, 0);
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = file.read_until(b'\n', &mut line)? as u64;
        if read == 0 {
            break;
        }
        let whole = line.pop_if(|last| *last == b'\n').is_some();
        match serde_json::from_slice::<Record>(&line) {
            Ok(record) if record.run_key == run_key => {
                let entry = Entry::of(&record, offset, true);
                lines.insert(record.item, (entry, line.len() as u64));
            }
            Ok(record) => {
                lines.remove(&record.item);
                other += 1;
            }
            // A run that was killed leaves half a line.
            Err(_) if !whole || line.trim_ascii().is_empty() => {}
            Err(_) => unread += 1,
        }
        offset += read;
    }
    if other + unread > 0 {
        tracing::warn!(
            "{}: {} results stay, {other} of other settings and {unread} unreadable lines do not count any more",
            path.display(),
            lines.len()
        );
    }
    let mut kept: Vec<_> = lines
        .into_iter()
        .map(|(item, (entry, length))| (item, entry, length))
        .collect();
    kept.sort_by_key(|(_, entry, _)| entry.offset);
    Ok(kept)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use seggpt_contract::{Failure, Identity};

    use super::*;

    const ALL: &[Outcome] = &[Outcome::Done, Outcome::Failed];

    fn record(item: &str, index: u64, run_key: &str) -> Record {
        Record::done(&Identity::new(item, index, (4, 3)), run_key)
    }

    fn items(journal: &Journal) -> Vec<(String, bool)> {
        let records = journal.records(ALL).unwrap().map(Result::unwrap);
        records
            .map(|(record, earlier)| (record.item, earlier))
            .collect()
    }

    fn folder() -> (tempfile::TempDir, Folder) {
        let out = tempfile::tempdir().unwrap();
        let folder = Folder::create(out.path()).unwrap();
        (out, folder)
    }

    #[test]
    fn records_come_back_as_they_were_written_in_the_order_of_their_index() {
        let (_out, folder) = folder();
        let mut journal = Journal::open(&folder, "k").unwrap();
        let identity = Identity::new("b \"ü\"\n", 0, (4, 3));
        let failure = Failure {
            node: "infer".into(),
            error: "no".into(),
        };
        let (late, early) = (record("a", 1, "k"), Record::failed(&identity, "k", failure));
        journal.add(&late).unwrap();
        journal.add(&early).unwrap();
        let back: Vec<_> = journal
            .records(ALL)
            .unwrap()
            .map(|r| r.unwrap().0)
            .collect();
        assert_eq!(back, [early, late]);
        assert_eq!(journal.finished("a"), Some(Status::Done));
        assert_eq!(journal.finished("b \"ü\"\n"), Some(Status::Failed));
        assert_eq!(journal.finished("c"), None);
    }

    #[test]
    fn a_later_run_of_the_same_key_sees_earlier_results_as_earlier_and_takes_them_up_again() {
        let (_out, folder) = folder();
        let mut first = Journal::open(&folder, "k").unwrap();
        first.add(&record("a", 0, "k")).unwrap();
        first.add(&record("b", 1, "k")).unwrap();
        let mut second = Journal::open(&folder, "k").unwrap();
        assert_eq!(second.finished("a"), None);
        second.add(&record("a", 0, "k")).unwrap();
        assert_eq!(items(&second), [("a".into(), false), ("b".into(), true)]);
        assert_eq!(
            second.tally(),
            Tally {
                done: 2,
                failed: 0,
                earlier: 1,
                pictured: 0
            }
        );
        let third = Journal::open(&folder, "k").unwrap();
        assert_eq!(items(&third), [("a".into(), true), ("b".into(), true)]);
    }

    #[test]
    fn a_torn_last_line_and_lines_of_another_key_are_dropped() {
        let (_out, folder) = folder();
        let mut journal = Journal::open(&folder, "old").unwrap();
        journal.add(&record("a", 0, "old")).unwrap();
        drop(journal);
        let mut text = fs::read(folder.path(FILE)).unwrap();
        let kept = serde_json::to_vec(&record("b", 1, "new")).unwrap();
        text.extend_from_slice(&kept);
        text.extend_from_slice(b"\nnot json\n");
        text.extend_from_slice(&kept[..kept.len() / 2]);
        fs::write(folder.path(FILE), text).unwrap();

        let mut journal = Journal::open(&folder, "new").unwrap();
        assert_eq!(items(&journal), [("b".into(), true)]);
        assert_eq!(
            fs::read(folder.path(FILE)).unwrap(),
            [kept.as_slice(), b"\n"].concat()
        );
        journal.add(&record("c", 2, "new")).unwrap();
        assert_eq!(items(&journal), [("b".into(), true), ("c".into(), false)]);
    }

    #[test]
    fn a_whole_last_line_without_its_newline_is_kept() {
        let (_out, folder) = folder();
        let line = serde_json::to_vec(&record("a", 0, "")).unwrap();
        fs::write(folder.path(FILE), &line).unwrap();
        let mut journal = Journal::open(&folder, "").unwrap();
        journal.add(&record("b", 1, "")).unwrap();
        assert_eq!(items(&journal), [("a".into(), true), ("b".into(), false)]);
    }
}
