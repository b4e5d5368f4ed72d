//! Answers of a volume that is not whole yet, a file each.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use eyre::{Result, WrapErr};
use seggpt_store::OWN;
use seggpt_volume::{Answer, Key, Way};

const ENDING: &str = ".answer";

/// The folder of the answers of all volumes, under the key of their run.
pub fn work(out: &Path) -> PathBuf {
    out.join(OWN).join("work")
}

/// A folder of answers.
#[derive(Debug)]
pub struct Answers {
    folder: PathBuf,
    pixels: usize,
    there: BTreeSet<Key>,
}

impl Answers {
    /// Those in `folder`, which is made where it is missing, of slices of so many pixels.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn open(folder: PathBuf, pixels: usize) -> Result<Self> {
        let unwritable = || format!("{}: cannot be used", folder.display());
        fs::create_dir_all(&folder).wrap_err_with(unwritable)?;
        let mut there = BTreeSet::new();
        for entry in fs::read_dir(&folder).wrap_err_with(unwritable)? {
            let name = entry.wrap_err_with(unwritable)?.file_name();
            there.extend(name.to_str().and_then(key));
        }
        Ok(Self {
            folder,
            pixels,
            there,
        })
    }

    /// Whether a question is answered.
    pub fn has(&self, key: Key) -> bool {
        self.there.contains(&key)
    }

    /// Puts an answer on disk. `remembered`: whether later slices build on it.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn put(&mut self, key: Key, answer: &Answer, remembered: bool) -> Result<()> {
        let path = self.file(key);
        seggpt_store::put(&path, &answer.to_bytes(remembered))
            .wrap_err_with(|| format!("{}: cannot be written", path.display()))?;
        self.there.insert(key);
        Ok(())
    }

    /// The answer to a question and whether later slices build on it; `None` where it has none, or a file that is none.
    pub fn get(&self, key: Key) -> Option<(Answer, bool)> {
        if !self.has(key) {
            return None;
        }
        let bytes = fs::read(self.file(key)).ok()?;
        let read = Answer::from_bytes(&bytes, self.pixels);
        read.inspect_err(|error| tracing::warn!("{}: {error}", self.file(key).display()))
            .ok()
    }

    /// Removes all of them.
    pub fn clear(self) {
        // What cannot be removed is stale when the folder is opened next.
        let _ = fs::remove_dir_all(&self.folder);
    }

    fn file(&self, key: Key) -> PathBuf {
        self.folder.join(format!("{key}{ENDING}"))
    }
}

/// The question that a file answers.
fn key(name: &str) -> Option<Key> {
    let text = name.strip_suffix(ENDING)?;
    let way = match text.as_bytes().last()? {
        b'+' => Way::Up,
        b'-' => Way::Down,
        _ => return None,
    };
    let slice = text[..text.len() - 1].parse().ok()?;
    Some(Key { slice, way })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_found_again_and_files_that_are_none_are_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("v");
        let mut answers = Answers::open(own.clone(), 2).unwrap();
        let key = Key {
            slice: 12,
            way: Way::Down,
        };
        let answer = Answer {
            ids: vec![0, 1],
            confidence: vec![7, 8],
        };
        answers.put(key, &answer, true).unwrap();
        fs::write(own.join(".0013-.answer.part"), "torn").unwrap();
        fs::write(own.join("0014+.answer"), "no answer").unwrap();
        let again = Answers::open(own.clone(), 2).unwrap();
        assert_eq!(again.get(key), Some((answer, true)));
        assert!(!again.has(Key {
            slice: 13,
            way: Way::Down
        }));
        assert_eq!(
            again.get(Key {
                slice: 14,
                way: Way::Up
            }),
            None
        );
        again.clear();
        assert!(!own.exists());
    }
}
