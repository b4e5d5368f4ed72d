#![allow(clippy::unwrap_used)]
use std::{
    collections::BTreeMap,
    fs,
    sync::{Arc, Mutex},
};

use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::*;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Line {
    item: String,
    run: String,
    files: BTreeMap<String, u64>,
}

impl Record for Line {
    type Brief = ();

    fn item(&self) -> &str {
        &self.item
    }

    fn run(&self) -> &str {
        &self.run
    }

    fn files(&self) -> Vec<(&str, u64)> {
        self.files.iter().map(|(f, n)| (f.as_str(), *n)).collect()
    }

    fn brief(&self) {}
}

fn made(item: &str, run: &str) -> (Line, Vec<(String, Vec<u8>)>) {
    let file = format!("{item}.png");
    let bytes = item.repeat(3).into_bytes();
    let line = Line {
        item: item.into(),
        run: run.into(),
        files: [(file.clone(), bytes.len() as u64)].into(),
    };
    (line, vec![(file, bytes)])
}

fn add(store: &mut Store<Line>, item: &str, run: &str) {
    let (line, files) = made(item, run);
    store.stage(line, &files).unwrap();
}

fn items(store: &Store<Line>) -> Vec<(&str, bool)> {
    let mut items: Vec<_> = store
        .entries()
        .iter()
        .map(|(item, entry)| (item.as_str(), entry.own))
        .collect();
    items.sort_unstable();
    items
}

#[test]
fn records_of_an_earlier_run_are_earlier_and_those_of_the_same_run_its_own() {
    let out = tempfile::tempdir().unwrap();
    let mut store = Store::open(out.path(), "k", "1").unwrap();
    add(&mut store, "a", "1");
    assert!(store.is_staged("a") && store.entries().is_empty());
    assert_eq!(store.commit().unwrap().len(), 1);
    drop(store);
    let restarted = Store::<Line>::open(out.path(), "k", "1").unwrap();
    assert_eq!(items(&restarted), [("a", true)]);
    drop(restarted);
    let mut later = Store::open(out.path(), "k", "2").unwrap();
    assert_eq!(items(&later), [("a", false)]);
    add(&mut later, "sub/b", "2");
    later.commit().unwrap();
    assert_eq!(items(&later), [("a", false), ("sub/b", true)]);
    let offsets = later.entries().values().map(|entry| entry.offset).collect();
    let records: Result<Vec<_>, _> = later.read(offsets).unwrap().collect();
    assert_eq!(records.unwrap().len(), 2);
}

#[test]
fn without_a_key_nothing_of_an_earlier_run_counts_and_the_journal_grows() {
    let out = tempfile::tempdir().unwrap();
    for run in ["1", "2"] {
        let mut store = Store::open(out.path(), "", run).unwrap();
        assert!(store.entries().is_empty());
        add(&mut store, "a", run);
        store.commit().unwrap();
    }
    let journal = fs::read_to_string(journal_path(out.path())).unwrap();
    assert_eq!(journal.lines().count(), 3);
}

#[test]
fn results_of_another_key_are_refused_and_stay() {
    let out = tempfile::tempdir().unwrap();
    let mut store = Store::open(out.path(), "k", "1").unwrap();
    add(&mut store, "a", "1");
    store.commit().unwrap();
    drop(store);
    for key in ["", "other"] {
        let refusal = Store::<Line>::open(out.path(), key, "2").unwrap_err();
        let said = refusal.to_string();
        assert!(
            said.contains("results of k") && said.contains("--replace"),
            "{said}"
        );
    }
    assert_eq!(
        items(&Store::<Line>::open(out.path(), "k", "2").unwrap()),
        [("a", false)]
    );
}

#[test]
fn a_second_writer_is_refused_with_the_pid_of_the_first() {
    let out = tempfile::tempdir().unwrap();
    let _first = Store::<Line>::open(out.path(), "k", "1").unwrap();
    let second = Lock::take(out.path(), WRITER, Duration::from_millis(150)).unwrap_err();
    let said = second.to_string();
    assert!(
        said.contains(&format!("process {} ", std::process::id())),
        "{said}"
    );
}

#[test]
fn a_record_whose_file_is_gone_or_shorter_does_not_count() {
    let out = tempfile::tempdir().unwrap();
    let mut store = Store::open(out.path(), "k", "1").unwrap();
    for item in ["a", "b", "c"] {
        add(&mut store, item, "1");
    }
    store.commit().unwrap();
    drop(store);
    fs::remove_file(out.path().join("a.png")).unwrap();
    fs::write(out.path().join("b.png"), "b").unwrap();
    for run in ["1", "2"] {
        let store = Store::<Line>::open(out.path(), "k", run).unwrap();
        assert_eq!(items(&store), [("c", run == "1")]);
    }
}

#[test]
fn a_torn_last_line_is_ended_and_passed_over_and_nothing_is_cut_off() {
    let out = tempfile::tempdir().unwrap();
    let mut store = Store::open(out.path(), "k", "1").unwrap();
    add(&mut store, "a", "1");
    store.commit().unwrap();
    drop(store);
    let mut journal = fs::read(journal_path(out.path())).unwrap();
    journal.extend(b"{\"item\":\"b\",\"ru");
    fs::write(journal_path(out.path()), &journal).unwrap();
    let mut store = Store::open(out.path(), "k", "2").unwrap();
    add(&mut store, "c", "2");
    store.commit().unwrap();
    assert_eq!(items(&store), [("a", false), ("c", true)]);
    assert!(
        fs::read(journal_path(out.path()))
            .unwrap()
            .starts_with(&journal)
    );
    drop(store);
    let store = Store::<Line>::open(out.path(), "k", "3").unwrap();
    assert_eq!(items(&store), [("a", false), ("c", false)]);
}

#[test]
fn what_cannot_be_staged_leaves_nothing_behind() {
    let out = tempfile::tempdir().unwrap();
    let mut store = Store::open(out.path(), "k", "1").unwrap();
    let (line, mut files) = made("a", "1");
    files.push(("x".repeat(300), vec![]));
    let error = store.stage(line, &files).unwrap_err();
    assert!(error.blames_the_name(), "{error}");
    assert_eq!(store.staged(), 0);
    let names = fs::read_dir(out.path()).unwrap();
    assert_eq!(names.count(), 1, "the store's own folder alone");
}

/// A disk whose contents and names are lost, each for itself, unless they were synchronised. After `steps` steps the power
/// is gone.
#[derive(Clone, Debug)]
struct Lossy(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    steps: usize,
    now: BTreeMap<PathBuf, usize>,
    safe: BTreeMap<PathBuf, usize>,
    /// What is in a file now, and what is safely so.
    contents: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Lossy {
    fn of(root: &Path, steps: usize) -> Self {
        let journal = journal_path(root);
        let bytes = fs::read(&journal).unwrap();
        let names = BTreeMap::from([(journal, 0)]);
        Self(Arc::new(Mutex::new(State {
            steps,
            now: names.clone(),
            safe: names,
            contents: vec![(bytes.clone(), bytes)],
        })))
    }

    fn step<T>(&self, act: impl FnOnce(&mut State) -> T) -> io::Result<T> {
        let mut state = self.0.lock().unwrap();
        state.steps = state
            .steps
            .checked_sub(1)
            .ok_or_else(|| io::Error::other("no power"))?;
        Ok(act(&mut state))
    }

    /// What is there when the power is back.
    fn survivors(&self, names: bool, contents: bool) -> BTreeMap<PathBuf, Vec<u8>> {
        let state = self.0.lock().unwrap();
        let there = if names { &state.now } else { &state.safe };
        let bytes = |file: &usize| {
            let (now, safe) = &state.contents[*file];
            if contents { now } else { safe }.clone()
        };
        there
            .iter()
            .map(|(path, file)| (path.clone(), bytes(file)))
            .collect()
    }
}

impl Disk for Lossy {
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.step(|state| {
            state.contents.push((bytes.to_vec(), vec![]));
            state.now.insert(path.into(), state.contents.len() - 1);
        })
    }

    fn append(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.step(|state| {
            let file = state.now[path];
            state.contents[file].0.extend(bytes);
        })
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step(|state| {
            let file = state.now.remove(from).unwrap();
            state.now.insert(to.into(), file);
        })
    }

    fn sync(&self, path: &Path) -> io::Result<()> {
        self.step(|state| {
            let file = &mut state.contents[state.now[path]];
            file.1 = file.0.clone();
        })
    }

    fn sync_dir(&self, folder: &Path) -> io::Result<()> {
        self.step(|state| {
            let inside = |path: &PathBuf| path.parent() == Some(folder);
            state.safe.retain(|path, _| !inside(path));
            let now = state.now.iter().filter(|(path, _)| inside(path));
            state
                .safe
                .extend(now.map(|(path, file)| (path.clone(), *file)));
        })
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_power_cut_at_any_step_loses_no_acknowledged_result_and_leaves_no_record_without_its_whole_files(
        groups in prop::collection::vec(prop::collection::vec(0..6_u8, 1..4), 1..5),
        steps in 0..80_usize,
        names in any::<bool>(),
        contents in any::<bool>(),
    ) {
        let out = tempfile::tempdir().unwrap();
        let root = out.path();
        let mut store = Store::open(root, "k", "1").unwrap();
        let lossy = Lossy::of(root, steps);
        store.disk = Box::new(lossy.clone());
        let mut acknowledged = BTreeSet::new();
        'power: for group in groups {
            for n in group {
                let item = format!("{}{n}", if n % 2 == 0 { "sub/" } else { "" });
                let (line, files) = made(&item, "1");
                if !store.is_staged(&item) && store.stage(line, &files).is_err() {
                    break 'power;
                }
            }
            match store.commit() {
                Ok(records) => acknowledged.extend(records.into_iter().map(|it| it.record.item)),
                Err(_) => break,
            }
        }
        drop(store);
        fs::remove_dir_all(root).unwrap();
        for (path, bytes) in lossy.survivors(names, contents) {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        let mut recorded = vec![];
        scan(root, |_, line: Line| recorded.push(line)).unwrap();
        for line in &recorded {
            prop_assert!(are_whole(root, line.files()), "{line:?}");
        }
        let store = Store::<Line>::open(root, "k", "2").unwrap();
        for item in acknowledged {
            prop_assert!(store.entries().contains_key(&item), "{item}");
        }
    }
}
