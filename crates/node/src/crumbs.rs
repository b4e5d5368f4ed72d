//! What a node is working on, on disk: a process that dies tells its successor what it died on.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError, RwLock},
};

use serde::{Deserialize, Serialize};

/// How many deaths of the process an item may cost.
const MOST_DEATHS: u32 = 2;

/// The items under work and the deaths that each item has cost. Without a file it forgets everything.
#[derive(Debug, Default)]
pub struct Crumbs {
    file: Option<PathBuf>,
    left: Left,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Left {
    working: Vec<String>,
    deaths: BTreeMap<String, u32>,
}

impl Crumbs {
    /// Reads what a predecessor left in `file`, if it left anything: every item that it was working on cost a death.
    pub fn open(file: PathBuf) -> Self {
        let mut left: Left = fs::read(&file)
            .ok()
            .and_then(|text| serde_json::from_slice(&text).ok())
            .unwrap_or_default();
        for item in std::mem::take(&mut left.working) {
            *left.deaths.entry(item).or_default() += 1;
        }
        let file = Some(file);
        Self { file, left }
    }

    /// Whether the item has cost so many deaths that it is not tried again.
    pub fn is_deadly(&self, item: &str) -> bool {
        self.left.deaths.get(item) >= Some(&MOST_DEATHS)
    }

    /// Whether the item has cost a death: it is worked on alone.
    pub fn is_suspect(&self, item: &str) -> bool {
        self.left.deaths.contains_key(item)
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

    /// They are done with, and the process lives: what they cost is forgiven, but to those that are not tried again.
    pub fn end<'a>(&mut self, items: impl IntoIterator<Item = &'a str>) {
        let mut is_changed = false;
        for item in items {
            is_changed = true;
            self.left.working.retain(|working| working != item);
            if !self.is_deadly(item) {
                self.left.deaths.remove(item);
            }
        }
        if is_changed {
            self.write();
        }
    }

    /// It is not worked on any more, and there is more to do to it: what it cost stays.
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

/// Crumbs for work beside the loop of a node, on more than one thread. An item that has cost a death is worked on alone, so
/// that no item costs what another one is to blame for.
#[derive(Debug)]
pub struct Careful {
    node: String,
    crumbs: Mutex<Crumbs>,
    company: RwLock<()>,
}

impl Careful {
    /// `node`: who works, for messages.
    pub fn new(node: String, crumbs: Crumbs) -> Self {
        let crumbs = Mutex::new(crumbs);
        Self {
            node,
            crumbs,
            company: RwLock::new(()),
        }
    }

    /// Does some work over an item, unless the process has died of that too often. Not to be called within the work.
    ///
    /// # Errors
    /// It has: for people.
    pub fn over<T>(&self, item: &str, work: impl FnOnce() -> T) -> Result<T, String> {
        if self.crumbs().is_deadly(item) {
            return Err(deadly(&self.node));
        }
        let is_suspect = self.crumbs().is_suspect(item);
        let company = &self.company;
        let (_alone, _beside) = match is_suspect {
            true => (
                Some(company.write().unwrap_or_else(PoisonError::into_inner)),
                None,
            ),
            false => (
                None,
                Some(company.read().unwrap_or_else(PoisonError::into_inner)),
            ),
        };
        self.crumbs().begin([item]);
        let made = work();
        self.crumbs().leave(item);
        Ok(made)
    }

    /// The item is done with: what it cost is forgiven.
    pub fn done(&self, item: &str) {
        let mut crumbs = self.crumbs();
        if crumbs.is_suspect(item) {
            crumbs.end([item]);
        }
    }

    /// As [`Crumbs::close`].
    pub fn close(&self) {
        std::mem::take(&mut *self.crumbs()).close();
    }

    fn crumbs(&self) -> MutexGuard<'_, Crumbs> {
        self.crumbs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why an item is not tried again.
pub(crate) fn deadly(node: &str) -> String {
    format!("the process of node `{node}` died on it twice")
}

/// A file that is cut off by a death would read as empty, so it comes by renaming.
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

    fn reopened(folder: &tempfile::TempDir) -> Crumbs {
        Crumbs::open(folder.path().join("run").join("node.json"))
    }

    #[test]
    fn an_item_that_cost_two_deaths_is_deadly_and_its_finished_neighbour_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let mut first = reopened(&folder);
        first.begin(["a", "b"]);
        let mut second = reopened(&folder);
        assert!(second.is_suspect("a") && second.is_suspect("b"));
        second.begin(["b"]);
        second.end(["b"]);
        second.begin(["a"]);
        let third = reopened(&folder);
        assert!(third.is_deadly("a"));
        assert!(!third.is_suspect("b"));
        third.close();
        assert!(!folder.path().join("run").exists());
    }

    #[test]
    fn deaths_are_remembered_through_deaths_on_other_items() {
        let folder = tempfile::tempdir().unwrap();
        for item in ["a", "b", "a"] {
            reopened(&folder).begin([item]);
        }
        let last = reopened(&folder);
        assert!(last.is_deadly("a") && !last.is_deadly("b"));
    }

    #[test]
    fn without_a_file_nothing_is_remembered() {
        let mut crumbs = Crumbs::default();
        crumbs.begin(["a"]);
        crumbs.end(["a"]);
        assert!(!crumbs.is_suspect("a"));
        crumbs.close();
    }

    #[test]
    fn a_suspect_is_worked_on_alone_and_takes_no_blame_for_what_others_die_of() {
        let folder = tempfile::tempdir().unwrap();
        reopened(&folder).begin(["bad", "next"]);
        let careful = Careful::new("node".into(), reopened(&folder));
        let left = || fs::read_to_string(folder.path().join("run").join("node.json")).unwrap();
        std::thread::scope(|scope| {
            let (entered, waits) = std::sync::mpsc::channel();
            let careful = &careful;
            scope.spawn(move || {
                let over = careful.over("bad", || {
                    entered.send(()).unwrap();
                    std::thread::sleep(std::time::Duration::from_millis(100));
                    left()
                });
                assert!(!over.unwrap().contains(r#""working":["bad","next"]"#));
            });
            waits.recv().unwrap();
            careful.over("next", || ()).unwrap();
        });
        assert!(
            left().contains(r#""working":[],"deaths":{"bad":1,"next":1}"#),
            "{}",
            left()
        );
        careful.done("bad");
        assert!(left().contains(r#""deaths":{"next":1}"#), "{}", left());
    }
}
