//! The memory on disk: of each frame two small PNGs, and one JSON that says which of them count, renamed into place.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use eyre::{Result, WrapErr};
use seggpt_contract::{Example, Square};
use seggpt_imaging::{read, write};
use seggpt_prompt_library::memory::{Memory, Moment, Rules};
use seggpt_store::lock::Lock;
use serde::{Deserialize, Serialize};

use super::{Given, Stored, Video};

const FILE: &str = "memory.json";
/// One process at a time remembers there.
const LOCK: &str = "memory.lock";
/// How long a process of a run that was killed may take to die.
const TIMEOUT: Duration = Duration::from_secs(15);

/// A folder that holds a memory.
pub(super) struct Disk {
    folder: PathBuf,
    key: String,
    _lock: Lock,
}

/// What was remembered.
pub(super) struct State {
    pub memory: Memory<Arc<Stored>>,
    pub video: Video,
    pub last: Option<u64>,
    pub given: Vec<Given>,
}

#[derive(Serialize, Deserialize)]
struct Written {
    /// Results of another key have another memory.
    key: String,
    video: Video,
    last: Option<u64>,
    /// The frames that are kept, with their files.
    memory: Memory<Named>,
    /// Frames and the files of what they were given.
    given: Vec<(String, Vec<Named>)>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Named {
    name: String,
    file: String,
}

impl Named {
    fn of(stored: &Stored) -> Self {
        Self {
            name: stored.example.name.clone(),
            file: stored.file.clone(),
        }
    }
}

impl Disk {
    /// # Errors
    /// The folder cannot be made, or another process remembers there.
    pub fn open(folder: &Path, key: &str) -> Result<Self> {
        fs::create_dir_all(folder)
            .wrap_err_with(|| format!("MEMORY_DIR {}: cannot be made", folder.display()))?;
        let lock = Lock::take(folder, LOCK, TIMEOUT)
            .wrap_err_with(|| format!("MEMORY_DIR {}", folder.display()))?;
        Ok(Self {
            folder: folder.to_owned(),
            key: key.to_owned(),
            _lock: lock,
        })
    }

    /// What was remembered under the same key and rules; `None` where nothing was, or some of it is gone.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn read(&self, rules: Rules) -> Result<Option<State>> {
        let path = self.folder.join(FILE);
        if !path.exists() {
            return Ok(None);
        }
        let text = fs::read(&path).wrap_err_with(|| self.refused())?;
        let written: Result<Written, _> = serde_json::from_slice(&text);
        let Some(written) = written
            .ok()
            .filter(|written| written.key == self.key && written.memory.rules() == rules)
        else {
            return Ok(None);
        };
        let mut loaded = BTreeMap::new();
        let memory = written
            .memory
            .try_map(|named| self.load(&mut loaded, named));
        let given = written.given.iter().map(|(item, named)| {
            let stored: Result<_> = named.iter().map(|it| self.load(&mut loaded, it)).collect();
            Ok(Given {
                item: item.clone(),
                stored: stored?,
            })
        });
        let given: Result<Vec<Given>> = given.collect();
        match (memory, given) {
            (Ok(memory), Ok(given)) => Ok(Some(State {
                memory,
                video: written.video,
                last: written.last,
                given,
            })),
            (Err(error), _) | (_, Err(error)) => {
                tracing::warn!("memory begins anew: {error:#}");
                Ok(None)
            }
        }
    }

    /// Writes the pictures of a frame; nothing counts before [`write`](Self::write) names it.
    ///
    /// # Errors
    /// The disk refuses it.
    pub fn put(&self, stored: &Stored) -> Result<()> {
        let Example { image, mask, .. } = &stored.example;
        for (kind, square) in [("image", image), ("mask", mask)] {
            let png = write::rgb_png(&square.to_rgb())?;
            seggpt_store::put(&self.picture(&stored.file, kind), &png)
                .wrap_err_with(|| self.refused())?;
        }
        Ok(())
    }

    /// Says what counts from now on, and removes the pictures that do not.
    ///
    /// # Errors
    /// The disk refuses it.
    pub fn write(
        &self,
        memory: &Memory<Arc<Stored>>,
        video: &Video,
        last: Option<u64>,
        given: &VecDeque<Given>,
    ) -> Result<()> {
        let named = |given: &Given| {
            let files = given.stored.iter().map(|stored| Named::of(stored));
            (given.item.clone(), files.collect())
        };
        let written = Written {
            key: self.key.clone(),
            video: video.clone(),
            last,
            memory: memory
                .clone()
                .try_map(|stored| Ok::<_, eyre::Report>(Named::of(stored)))?,
            given: given.iter().map(named).collect(),
        };
        let text = serde_json::to_vec(&written)?;
        seggpt_store::put(&self.folder.join(FILE), &text).wrap_err_with(|| self.refused())?;
        let kept = memory
            .kept()
            .map(|moment: &Moment<Arc<Stored>>| &moment.what);
        let used: BTreeSet<&str> = kept
            .chain(given.iter().flat_map(|given| &given.stored))
            .map(|stored| stored.file.as_str())
            .collect();
        self.sweep(&used).wrap_err_with(|| self.refused())
    }

    fn sweep(&self, used: &BTreeSet<&str>) -> std::io::Result<()> {
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str());
            let frame = name.and_then(|name| name.strip_suffix(".png")?.split_once('.'));
            if frame.is_some_and(|(frame, _)| !used.contains(frame)) {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    fn load(
        &self,
        loaded: &mut BTreeMap<String, Arc<Stored>>,
        named: &Named,
    ) -> Result<Arc<Stored>> {
        if let Some(stored) = loaded.get(&named.file) {
            return Ok(Arc::clone(stored));
        }
        let square = |kind| -> Result<Square> {
            Ok(Square::from_rgb(read::open(
                self.picture(&named.file, kind),
            )?)?)
        };
        let stored = Arc::new(Stored {
            file: named.file.clone(),
            example: Example {
                name: named.name.clone(),
                image: square("image")?,
                mask: square("mask")?,
                score: 1.0,
            },
        });
        loaded.insert(named.file.clone(), Arc::clone(&stored));
        Ok(stored)
    }

    fn picture(&self, file: &str, kind: &str) -> PathBuf {
        self.folder.join(format!("{file}.{kind}.png"))
    }

    fn refused(&self) -> String {
        format!(
            "MEMORY_DIR {}: cannot be read or written",
            self.folder.display()
        )
    }
}
