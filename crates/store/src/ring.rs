//! Forgetting: of an endless run, the last records stay, with their files, and the journal does not grow.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufRead, BufReader, ErrorKind, Seek, SeekFrom, Write},
    path::Path,
};

use crate::{Record, Refusal, Store, disk, journal_path};

/// The journal is written anew when forgotten lines make up more than half of it, and more than this.
const LEAST: u64 = 256 << 10;

impl<R: Record> Store<R> {
    /// Removes the records of these items, and their files. A line that is forgotten is blank; what is not there is forgotten
    /// already.
    ///
    /// # Errors
    /// The disk refuses it.
    pub fn forget<'a>(&mut self, items: impl IntoIterator<Item = &'a str>) -> Result<(), Refusal> {
        let path = journal_path(&self.root);
        for item in items {
            let Some(entry) = self.entries.remove(item) else {
                continue;
            };
            let line = line(&path, entry.offset).map_err(Refusal::io(&path))?;
            let record: R = serde_json::from_str(&line).map_err(|error| Refusal::Io {
                path: path.clone(),
                error: error.into(),
            })?;
            blank(&path, entry.offset, line.len()).map_err(Refusal::io(&path))?;
            self.blank += line.len() as u64;
            for (file, _) in record.files() {
                let file = self.root.join(file);
                match fs::remove_file(&file) {
                    Err(error) if error.kind() != ErrorKind::NotFound => {
                        return Err(Refusal::io(&file)(error));
                    }
                    _ => {}
                }
                // Fails while others are in it.
                let above = file.parent().filter(|above| *above != self.root);
                let _ = above.map(fs::remove_dir);
            }
        }
        if self.blank > LEAST && self.blank * 2 > self.end {
            self.compact().map_err(Refusal::io(&path))?;
        }
        Ok(())
    }

    /// Writes the journal anew, without blank lines.
    fn compact(&mut self) -> io::Result<()> {
        let path = journal_path(&self.root);
        let mut file = BufReader::new(File::open(&path)?);
        let (mut text, mut line) = (Vec::new(), Vec::new());
        let (mut old, mut moved) = (0_u64, std::collections::HashMap::new());
        loop {
            line.clear();
            let read = file.read_until(b'\n', &mut line)?;
            if read == 0 {
                break;
            }
            if !line.trim_ascii().is_empty() {
                moved.insert(old, text.len() as u64);
                text.extend_from_slice(&line);
            }
            old += read as u64;
        }
        disk::put(&disk::Real, &path, &text)?;
        for entry in self.entries.values_mut() {
            if let Some(offset) = moved.get(&entry.offset) {
                entry.offset = *offset;
            }
        }
        (self.end, self.blank) = (text.len() as u64, 0);
        Ok(())
    }
}

/// The line at an offset, with its end.
fn line(path: &Path, offset: u64) -> io::Result<String> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(offset))?;
    let mut line = String::new();
    BufReader::new(file).read_line(&mut line)?;
    Ok(line)
}

/// Blanks a line of so many bytes, its end included, which stays.
fn blank(path: &Path, offset: u64, bytes: usize) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    file.seek(SeekFrom::Start(offset))?;
    file.write_all(&vec![b' '; bytes.saturating_sub(1)])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Serialize, Deserialize)]
    struct Line {
        item: String,
        run: String,
        padding: String,
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
            vec![(&self.item, 1)]
        }

        fn brief(&self) {}
    }

    fn add(store: &mut Store<Line>, number: usize) {
        let item = format!("cam/{number}.png");
        let record = Line {
            item: item.clone(),
            run: "1".into(),
            padding: "x".repeat(10_000),
        };
        store.stage(record, &[(item, b"m".to_vec())]).unwrap();
        store.commit().unwrap();
    }

    fn items(store: &Store<Line>) -> Vec<String> {
        let mut items: Vec<_> = store.entries().keys().cloned().collect();
        items.sort();
        items
    }

    #[test]
    fn of_a_hundred_items_the_last_three_stay_and_the_journal_does_not_grow() {
        let root = tempfile::tempdir().unwrap();
        let mut store = Store::<Line>::open(root.path(), "k", "1").unwrap();
        for number in 0..100 {
            add(&mut store, number);
            if number >= 3 {
                store.forget([&*format!("cam/{}.png", number - 3)]).unwrap();
            }
        }
        let length = fs::metadata(journal_path(root.path())).unwrap().len();
        assert!(length < 600_000, "{length}");
        let last = ["cam/97.png", "cam/98.png", "cam/99.png"];
        assert_eq!(items(&store), last);
        let files = fs::read_dir(root.path().join("cam")).unwrap().count();
        assert_eq!(files, 3);
        let offsets = store.entries().values().map(|entry| entry.offset).collect();
        assert!(store.read(offsets).unwrap().all(|record| record.is_ok()));
        drop(store);
        let store = Store::<Line>::open(root.path(), "k", "1").unwrap();
        assert_eq!(items(&store), last);
    }

    #[test]
    fn what_is_forgotten_is_gone_after_a_restart_and_its_folder_as_well() {
        let root = tempfile::tempdir().unwrap();
        let mut store = Store::<Line>::open(root.path(), "k", "1").unwrap();
        add(&mut store, 1);
        store.forget(["cam/1.png", "cam/2.png"]).unwrap();
        assert!(!root.path().join("cam").exists());
        drop(store);
        let mut store = Store::<Line>::open(root.path(), "k", "1").unwrap();
        assert!(items(&store).is_empty());
        add(&mut store, 2);
        assert_eq!(items(&store), ["cam/2.png"]);
    }
}
