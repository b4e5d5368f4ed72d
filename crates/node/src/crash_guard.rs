//! What a node is working on, on disk: a process that dies tells its successor what it died on.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError, RwLock},
};

use serde::{Deserialize, Serialize};

/// How many crashes of the process an item may cause.
const MOST_CRASHES: u32 = 2;

/// The items under work and the crashes that each item has caused. Without a file it forgets everything.
#[derive(Debug, Default)]
pub struct CrashLog {
    file: Option<PathBuf>,
    left: Left,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Left {
    working: Vec<String>,
    crashes: BTreeMap<String, u32>,
}

impl CrashLog {
    /// Reads what a predecessor left in `file`, if it left anything: every item that it was working on caused a crash.
    pub fn open(file: PathBuf) -> Self {
        let mut left: Left = fs::read(&file)
            .ok()
            .and_then(|text| serde_json::from_slice(&text).ok())
            .unwrap_or_default();
        for item in std::mem::take(&mut left.working) {
            *left.crashes.entry(item).or_default() += 1;
        }
        let file = Some(file);
        Self { file, left }
    }

    /// Whether the item has caused so many crashes that it is not tried again.
    pub fn is_fatal(&self, item: &str) -> bool {
        self.left.crashes.get(item) >= Some(&MOST_CRASHES)
    }

    /// Whether the item has caused a crash: it is worked on alone.
    pub fn is_suspect(&self, item: &str) -> bool {
        self.left.crashes.contains_key(item)
    }

    /// Writes down that these are worked on from now on as well.
    pub fn begin<'a>(&mut self, items: impl IntoIterator<Item = &'a str>) {
        let known = self.left.working.len();
        let items = items.into_iter().map(str::to_owned);
        self.left.working.extend(items);
        if self.left.working.len() > known {
            self.write();
        }
    }

    /// They are done with, and the process lives: their crashes are forgotten, but for those that are not tried again.
    pub fn end<'a>(&mut self, items: impl IntoIterator<Item = &'a str>) {
        let mut is_changed = false;
        for item in items {
            is_changed = true;
            self.left.working.retain(|working| working != item);
            if !self.is_fatal(item) {
                self.left.crashes.remove(item);
            }
        }
        if is_changed {
            self.write();
        }
    }

    /// It is not worked on any more, and there is more to do to it: its crashes stay counted.
    fn leave(&mut self, item: &str) {
        self.left.working.retain(|working| working != item);
        self.write();
    }

    /// Removes the file, and its folder when no other node has a file there.
    pub fn close(self) {
        let Some(file) = self.file else { return };
        let removed = fs::remove_file(&file);
        if let Err(error) = removed
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::debug!("{}: {error}", file.display());
        }
        // Fails while the files of others are in it.
        let _ = file.parent().map(fs::remove_dir);
    }

    fn write(&self) {
        let Some(file) = &self.file else { return };
        if let Err(error) = put(file, &self.left) {
            tracing::debug!("{}: {error}", file.display());
        }
    }
}

/// A crash log for work beside the loop of a node, on more than one thread. An item that has caused a crash is worked on alone, so
/// that no item is blamed for the crash of another.
#[derive(Debug)]
pub struct CrashGuard {
    node: String,
    crash_log: Mutex<CrashLog>,
    beside: RwLock<()>,
}

impl CrashGuard {
    /// `node`: the name of this node, for messages.
    pub fn new(node: String, crash_log: CrashLog) -> Self {
        let crash_log = Mutex::new(crash_log);
        Self {
            node,
            crash_log,
            beside: RwLock::new(()),
        }
    }

    /// Does some work on an item, unless the process has crashed on it too often. Not to be called within the work.
    ///
    /// # Errors
    /// It has; the text says so.
    pub fn run<T>(&self, item: &str, work: impl FnOnce() -> T) -> Result<T, String> {
        if self.crash_log().is_fatal(item) {
            return Err(fatal(&self.node));
        }
        let is_suspect = self.crash_log().is_suspect(item);
        let beside = &self.beside;
        let (_alone, _shared) = match is_suspect {
            true => (
                Some(beside.write().unwrap_or_else(PoisonError::into_inner)),
                None,
            ),
            false => (
                None,
                Some(beside.read().unwrap_or_else(PoisonError::into_inner)),
            ),
        };
        self.crash_log().begin([item]);
        let made = work();
        self.crash_log().leave(item);
        Ok(made)
    }

    /// The item is done with: what it cost is forgiven.
    pub fn done(&self, item: &str) {
        let mut crash_log = self.crash_log();
        if crash_log.is_suspect(item) {
            crash_log.end([item]);
        }
    }

    /// As [`CrashLog::close`].
    pub fn close(&self) {
        std::mem::take(&mut *self.crash_log()).close();
    }

    fn crash_log(&self) -> MutexGuard<'_, CrashLog> {
        self.crash_log
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why an item is not tried again.
pub(crate) fn fatal(node: &str) -> String {
    format!("the process of node `{node}` died on it twice")
}

/// A file that is cut off by a crash would read as empty, so it comes by renaming.
fn put(file: &Path, left: &Left) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    let new = file.with_extension("new");
    fs::write(&new, serde_json::to_vec(left)?)?;
    fs::rename(new, file)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn reopened(folder: &tempfile::TempDir) -> CrashLog {
        CrashLog::open(folder.path().join("run").join("node.json"))
    }

    #[test]
    fn an_item_that_caused_two_crashes_is_fatal_and_its_finished_neighbour_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let mut first = reopened(&folder);
        first.begin(["a", "b"]);
        let mut second = reopened(&folder);
        assert!(second.is_suspect("a") && second.is_suspect("b"));
        second.begin(["b"]);
        second.end(["b"]);
        second.begin(["a"]);
        let third = reopened(&folder);
        assert!(third.is_fatal("a"));
        assert!(!third.is_suspect("b"));
        third.close();
        assert!(!folder.path().join("run").exists());
    }

    #[test]
    fn crashes_are_remembered_through_crashes_on_other_items() {
        let folder = tempfile::tempdir().unwrap();
        for item in ["a", "b", "a"] {
            reopened(&folder).begin([item]);
        }
        let last = reopened(&folder);
        assert!(last.is_fatal("a") && !last.is_fatal("b"));
    }

    #[test]
    fn without_a_file_nothing_is_remembered() {
        let mut crash_log = CrashLog::default();
        crash_log.begin(["a"]);
        crash_log.end(["a"]);
        assert!(!crash_log.is_suspect("a"));
        crash_log.close();
    }

    #[test]
    fn a_suspect_is_worked_on_alone_and_takes_no_blame_for_what_others_die_of() {
        let folder = tempfile::tempdir().unwrap();
        reopened(&folder).begin(["bad", "next"]);
        let guard = CrashGuard::new("node".into(), reopened(&folder));
        let left = || fs::read_to_string(folder.path().join("run").join("node.json")).unwrap();
        std::thread::scope(|scope| {
            let (entered, waits) = std::sync::mpsc::channel();
            let guard = &guard;
            scope.spawn(move || {
                let over = guard.run("bad", || {
                    entered.send(()).unwrap();
                    std::thread::sleep(std::time::Duration::from_millis(100));
                    left()
                });
                assert!(!over.unwrap().contains(r#""working":["bad","next"]"#));
            });
            waits.recv().unwrap();
            guard.run("next", || ()).unwrap();
        });
        assert!(
            left().contains(r#""working":[],"crashes":{"bad":1,"next":1}"#),
            "{}",
            left()
        );
        guard.done("bad");
        assert!(left().contains(r#""crashes":{"next":1}"#), "{}", left());
    }
}
