//! The finished items of a folder: what this run did, what earlier ones left, and what of that is no longer asked for.

use std::collections::HashSet;

use eyre::{Result, WrapErr};
use seggpt_contract::Status;
use seggpt_store::{
    Refusal, Store, listing,
    store::{Entry, StageError},
};

use crate::{
    folder::Folder,
    record::{Brief, Outcome, Record},
    results::Made,
    totals::Totals,
};

/// The finished items. Their records stay on disk; memory holds where.
#[derive(Debug)]
pub struct Journal {
    store: Store<Record>,
    folder: Folder,
    run: String,
    /// Items of earlier runs that this one did not list; `None` while it has not said.
    stale: Option<HashSet<String>>,
    tally: Tally,
    totals: Totals,
    /// Whether the totals are those of all records that count.
    added_up: bool,
}

/// How many items ended how. Stale ones are in none of the other counts.
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
    /// Of earlier runs, and not among the inputs of this one.
    pub stale: u64,
}

impl Tally {
    fn count(&mut self, entry: Entry<Brief>, change: impl Fn(&mut u64)) {
        match entry.brief.outcome {
            Outcome::Done => change(&mut self.done),
            Outcome::Failed => change(&mut self.failed),
        }
        if !entry.own {
            change(&mut self.earlier);
        }
        if entry.brief.pictured {
            change(&mut self.pictured);
        }
    }
}

impl Journal {
    /// Opens the journal of a folder for the run `run`.
    ///
    /// # Errors
    /// Another process writes there, the results are of another key, or of an earlier run that had none either, or the disk
    /// refuses.
    pub fn open(folder: &Folder, run_key: &str, run: &str) -> Result<Self> {
        let store = Store::open(folder.root(), run_key, run)?;
        if store.left() > 0 {
            return Err(Refusal::WithoutKey {
                root: folder.root().to_owned(),
                count: store.left(),
            }
            .into());
        }
        let mut journal = Self {
            store,
            folder: folder.clone(),
            run: run.to_owned(),
            stale: None,
            tally: Tally::default(),
            totals: Totals::default(),
            added_up: false,
        };
        journal.recount();
        Ok(journal)
    }

    /// Finds out which items the run lists, if the source has said so meanwhile.
    ///
    /// # Errors
    /// The source's word cannot be read.
    pub fn learn(&mut self) -> Result<()> {
        if self.stale.is_some() {
            return Ok(());
        }
        let listed = listing::read(self.folder.root(), &self.run).wrap_err("the list of items")?;
        if let Some(listed) = listed {
            let listed: HashSet<String> = listed.into_iter().collect();
            let entries = self.store.entries().iter();
            let stale = entries.filter(|(item, entry)| !entry.own && !listed.contains(*item));
            self.stale = Some(stale.map(|(item, _)| item.clone()).collect());
            self.recount();
        }
        Ok(())
    }

    fn recount(&mut self) {
        let mut tally = Tally::default();
        for (item, entry) in self.store.entries() {
            if self.is_stale(item) {
                tally.stale += 1;
            } else {
                tally.count(*entry, |n| *n += 1);
            }
        }
        self.tally = tally;
        self.added_up = false;
    }

    /// Makes sure that [`totals`](Self::totals) has all records. Those of this run are counted in as they come.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub fn add_up(&mut self) -> Result<()> {
        if self.added_up {
            return Ok(());
        }
        let mut totals = Totals::default();
        for record in self.records(&[Outcome::Done], |_| true)? {
            totals.add(&record?.0);
        }
        (self.totals, self.added_up) = (totals, true);
        Ok(())
    }

    /// What the records come to, as of [`add_up`](Self::add_up).
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    fn is_stale(&self, item: &str) -> bool {
        self.stale
            .as_ref()
            .is_some_and(|stale| stale.contains(item))
    }

    /// Takes a finished item; it counts from [`commit`](Self::commit) on.
    ///
    /// # Errors
    /// A file cannot be written: nothing is taken.
    pub fn stage(&mut self, record: Record, made: Vec<Made>) -> Result<(), StageError> {
        let files: Vec<_> = made
            .into_iter()
            .map(|made| (made.file, made.bytes))
            .collect();
        self.store.stage(record, &files)
    }

    /// How many items wait for [`commit`](Self::commit).
    pub fn staged(&self) -> usize {
        self.store.staged()
    }

    /// Whether the item waits for [`commit`](Self::commit).
    pub fn is_staged(&self, item: &str) -> bool {
        self.store.is_staged(item)
    }

    /// What was staged; when this returns, all of it is on disk.
    ///
    /// # Errors
    /// The disk refuses it.
    pub fn commit(&mut self) -> Result<Vec<Record>> {
        let committed = self.store.commit()?;
        let mut records = Vec::with_capacity(committed.len());
        for it in committed {
            let was_stale = self
                .stale
                .as_mut()
                .is_some_and(|stale| stale.remove(&it.record.item));
            match it.overruled {
                _ if was_stale => self.tally.stale -= 1,
                Some(overruled) => {
                    self.tally.count(overruled, |n| *n -= 1);
                    // What it added cannot be taken off again.
                    self.added_up &= overruled.brief.outcome == Outcome::Failed;
                }
                None => {}
            }
            if self.added_up {
                self.totals.add(&it.record);
            }
            if let Some(entry) = self.store.entries().get(&it.record.item) {
                self.tally.count(*entry, |n| *n += 1);
            }
            records.push(it.record);
        }
        Ok(records)
    }

    /// Removes items and their files.
    ///
    /// # Errors
    /// The disk refuses it.
    pub fn forget(&mut self, items: &[String]) -> Result<()> {
        for item in items {
            let Some(entry) = self.store.entries().get(item).copied() else {
                continue;
            };
            match self.is_stale(item) {
                true => self.tally.stale -= 1,
                false => self.tally.count(entry, |n| *n -= 1),
            }
        }
        Ok(self.store.forget(items.iter().map(String::as_str))?)
    }

    /// All items that are there, in the order in which they came.
    pub fn in_order(&self) -> Vec<String> {
        let mut items: Vec<_> = self.store.entries().iter().collect();
        items.sort_by_key(|(_, entry)| entry.offset);
        items.into_iter().map(|(item, _)| item.clone()).collect()
    }

    /// How the item ended in this run; `None` while it has not.
    pub fn finished(&self, item: &str) -> Option<Status> {
        let entry = self.store.entries().get(item).filter(|entry| entry.own)?;
        Some(entry.brief.outcome.into())
    }

    /// Counts.
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// Whether there is any record that counts.
    pub fn is_empty(&self) -> bool {
        self.store.entries().is_empty()
    }

    /// Whether the report has pictures of the item already.
    pub fn is_pictured(&self, item: &str) -> bool {
        let entry = self.store.entries().get(item);
        entry.is_some_and(|entry| entry.brief.pictured)
    }

    /// The records of all items that ended so and are wanted, stale ones left out, one at a time, in the order of their
    /// index; with each, whether an earlier run left it. The journal as it is now: what is added meanwhile is not among them.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub fn records<F: Fn(&Entry<Brief>) -> bool>(
        &self,
        outcomes: &'static [Outcome],
        wanted: F,
    ) -> Result<impl Iterator<Item = Result<(Record, bool)>> + use<F>> {
        let mut entries: Vec<_> = self
            .store
            .entries()
            .iter()
            .filter(|(_, entry)| outcomes.contains(&entry.brief.outcome) && wanted(entry))
            .filter(|(item, _)| !self.is_stale(item))
            .map(|(_, entry)| *entry)
            .collect();
        entries.sort_by_key(|entry| (entry.brief.index, entry.offset));
        let offsets = entries.iter().map(|entry| entry.offset).collect();
        let records = self.store.read(offsets)?;
        Ok(records
            .zip(entries)
            .map(|(record, entry)| Ok((record?, !entry.own))))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::path::Path;

    use seggpt_contract::{Failure, Identity};

    use super::*;

    const ALL: &[Outcome] = &[Outcome::Done, Outcome::Failed];

    fn record(item: &str, index: u64, run: &str) -> Record {
        Record::done(&Identity::new(item, index, (4, 3)), "k", run)
    }

    fn add(journal: &mut Journal, record: Record) {
        journal.stage(record, vec![]).unwrap();
        journal.commit().unwrap();
    }

    fn open(root: &Path, run: &str) -> Journal {
        Journal::open(&Folder::create(root).unwrap(), "k", run).unwrap()
    }

    fn items(journal: &Journal) -> Vec<(String, bool)> {
        let records = journal.records(ALL, |_| true).unwrap().map(Result::unwrap);
        records
            .map(|(record, earlier)| (record.item, earlier))
            .collect()
    }

    #[test]
    fn records_come_back_as_they_were_written_in_the_order_of_their_index() {
        let out = tempfile::tempdir().unwrap();
        let mut journal = open(out.path(), "1");
        let identity = Identity::new("b \"ü\"\n", 0, (4, 3));
        let failure = Failure {
            node: "infer".into(),
            error: "no".into(),
        };
        let early = Record::failed(&identity, "k", "1", failure);
        let late = record("a", 1, "1");
        add(&mut journal, late.clone());
        add(&mut journal, early.clone());
        let records = journal.records(ALL, |_| true).unwrap();
        let back: Vec<_> = records.map(|record| record.unwrap().0).collect();
        assert_eq!(back, [early, late]);
        assert_eq!(journal.finished("a"), Some(Status::Done));
        assert_eq!(journal.finished("b \"ü\"\n"), Some(Status::Failed));
        assert_eq!(journal.finished("c"), None);
    }

    #[test]
    fn a_later_run_sees_earlier_results_as_earlier_and_takes_them_up_again() {
        let out = tempfile::tempdir().unwrap();
        let mut first = open(out.path(), "1");
        add(&mut first, record("a", 0, "1"));
        add(&mut first, record("b", 1, "1"));
        drop(first);
        let mut second = open(out.path(), "2");
        assert_eq!(second.finished("a"), None);
        add(&mut second, record("a", 0, "2"));
        assert_eq!(items(&second), [("a".into(), false), ("b".into(), true)]);
        let tally = second.tally();
        assert_eq!((tally.done, tally.earlier), (2, 1));
    }

    #[test]
    fn without_a_key_results_of_another_run_are_refused_and_those_of_this_one_taken_up() {
        let out = tempfile::tempdir().unwrap();
        let open = |run| Journal::open(&Folder::create(out.path()).unwrap(), "", run);
        let mut first = open("1").unwrap();
        add(&mut first, record("a", 0, "1"));
        drop(first);
        assert_eq!(open("1").unwrap().finished("a"), Some(Status::Done));
        let error = open("2").unwrap_err().to_string();
        assert!(error.contains("1 results of an earlier run"), "{error}");
        assert!(error.contains("choose another OUT"), "{error}");
    }

    #[test]
    fn what_the_run_did_not_list_is_stale_and_in_no_other_count() {
        let out = tempfile::tempdir().unwrap();
        let mut first = open(out.path(), "1");
        add(&mut first, record("a", 0, "1"));
        add(&mut first, record("b", 1, "1"));
        drop(first);
        let mut second = open(out.path(), "2");
        second.learn().unwrap();
        assert_eq!(second.tally().stale, 0, "nobody has said");
        listing::write(out.path(), "2", ["b", "c"].into_iter()).unwrap();
        second.learn().unwrap();
        let tally = second.tally();
        assert_eq!((tally.done, tally.earlier, tally.stale), (1, 1, 1));
        assert_eq!(items(&second), [("b".into(), true)]);
    }
}
