//! Training files: from a folder, or from packs of it.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    fs,
    io::{Cursor, Read},
    ops::Bound,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use zip::ZipArchive;

use crate::{Part, SamplesError, part::held_out};

/// Where a file's bytes are.
enum Place {
    Disk,
    Pack {
        pack: usize,
        start: usize,
        length: usize,
    },
}

/// All files below a root, by their name relative to it (with `/`), or a part of them.
pub(crate) struct Files {
    all: Arc<All>,
    left_out: BTreeSet<String>,
}

struct All {
    root: PathBuf,
    places: BTreeMap<String, Place>,
    packs: Vec<Vec<u8>>,
}

fn disk(path: &Path, action: &'static str) -> impl FnOnce(std::io::Error) -> SamplesError {
    let path = path.to_owned();
    move |source| SamplesError::Disk {
        path,
        action,
        source,
    }
}

impl Files {
    /// A folder with the files; a pack; or a folder with packs (`*.zip`).
    pub(crate) fn open(root: &Path) -> Result<Self, SamplesError> {
        Ok(Self {
            all: Arc::new(All::open(root)?),
            left_out: BTreeSet::new(),
        })
    }

    /// The part of them that is for training or for validation, where so large a share is held out: of cut-outs whole
    /// classes of each source, of everything else files of each folder.
    pub(crate) fn part(&self, part: Part, share: f32) -> Self {
        let names = || self.all.places.keys().map(String::as_str);
        let held = held_out(names().filter_map(unit), share);
        let is_held = |name: &&str| unit(name).is_some_and(|(_, unit)| held.contains(unit));
        let left_out = match part {
            Part::Training => names().filter(is_held).map(str::to_owned).collect(),
            Part::Validation => names()
                .filter(|name| unit(name).is_some() && !is_held(name))
                .map(str::to_owned)
                .collect(),
        };
        Self {
            all: Arc::clone(&self.all),
            left_out,
        }
    }

    /// The sorted names below a folder such as "objects/". Empty: there is no such folder.
    pub(crate) fn below<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = &'a str> {
        self.all
            .places
            .range::<str, _>((Bound::Included(folder), Bound::Unbounded))
            .map(|(name, _)| name.as_str())
            .take_while(move |name| name.starts_with(folder))
            .filter(|name| !self.left_out.contains(*name))
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.all.places.contains_key(name)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.all.root.join(name)
    }

    pub(crate) fn read(&self, name: &str) -> Result<Vec<u8>, SamplesError> {
        match self.all.places.get(name) {
            Some(&Place::Pack {
                pack,
                start,
                length,
            }) => Ok(self.all.packs[pack][start..start + length].to_vec()),
            _ => {
                let path = self.path(name);
                let mut bytes = Vec::new();
                fs::File::open(&path)
                    .and_then(|mut file| file.read_to_end(&mut bytes))
                    .map_err(disk(&path, "read"))?;
                Ok(bytes)
            }
        }
    }

    /// A text file; `None` if there is none.
    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, SamplesError> {
        if !self.has(name) {
            return Ok(None);
        }
        let text = String::from_utf8(self.read(name)?);
        text.map(Some).map_err(|_| SamplesError::Content {
            path: self.path(name),
            reason: "is not UTF-8 text; save it as UTF-8".to_owned(),
        })
    }

    /// An error that says what is missing in a folder.
    pub(crate) fn nothing(
        &self,
        folder: &str,
        needs: &'static str,
        expected: &'static str,
    ) -> SamplesError {
        let path = self.path(folder);
        if self.below(folder).next().is_none() {
            SamplesError::NoFolder {
                folder: path,
                needs,
            }
        } else {
            SamplesError::EmptyFolder {
                folder: path,
                expected,
            }
        }
    }
}

impl All {
    fn open(root: &Path) -> Result<Self, SamplesError> {
        let mut files = Self {
            root: root.to_owned(),
            places: BTreeMap::new(),
            packs: Vec::new(),
        };
        if root.is_file() {
            files.add_pack(root)?;
            return Ok(files);
        }
        if !root.is_dir() {
            return Err(SamplesError::NoFolder {
                folder: root.to_owned(),
                needs: "the samples that use files",
            });
        }
        let mut packs: Vec<PathBuf> = entries(root)?
            .into_iter()
            .filter(|path| {
                path.extension()
                    .is_some_and(|e| e.eq_ignore_ascii_case("zip"))
            })
            .collect();
        packs.sort();
        for pack in &packs {
            files.add_pack(pack)?;
        }
        if packs.is_empty() {
            files.add_folder(root)?;
        }
        Ok(files)
    }

    fn add_folder(&mut self, folder: &Path) -> Result<(), SamplesError> {
        for path in entries(folder)? {
            if path.is_dir() {
                self.add_folder(&path)?;
            } else if let Some(name) = path.strip_prefix(&self.root).ok().and_then(Path::to_str) {
                self.places.insert(name.replace('\\', "/"), Place::Disk);
            }
        }
        Ok(())
    }

    fn add_pack(&mut self, path: &Path) -> Result<(), SamplesError> {
        let bytes = fs::read(path).map_err(disk(path, "read"))?;
        let refuse = |reason: String| SamplesError::Content {
            path: path.to_owned(),
            reason,
        };
        let mut zip = ZipArchive::new(Cursor::new(&bytes[..]))
            .map_err(|error| refuse(format!("not a pack ({error}); make it again")))?;
        let pack = self.packs.len();
        for index in 0..zip.len() {
            let entry = zip
                .by_index_raw(index)
                .map_err(|error| refuse(format!("damaged pack ({error}); make it again")))?;
            let (name, length) = (
                String::from_utf8_lossy(entry.name_raw()).into_owned(),
                entry.size() as usize,
            );
            if entry.size() != entry.compressed_size() {
                return Err(refuse(format!(
                    "{name} in it is compressed; packs store files as they are"
                )));
            }
            let start = entry
                .data_start()
                .ok_or_else(|| refuse(format!("{name} in it has no place; make the pack again")))?
                as usize;
            if start
                .checked_add(length)
                .is_none_or(|end| end > bytes.len())
            {
                return Err(refuse(format!(
                    "{name} in it is cut short; copy the pack again"
                )));
            }
            self.places.insert(
                name,
                Place::Pack {
                    pack,
                    start,
                    length,
                },
            );
        }
        self.packs.push(bytes);
        Ok(())
    }
}

/// What a file is held out with: the group of which a share is, and the unit, by name. Lists and masks follow.
fn unit(name: &str) -> Option<(&str, &str)> {
    if !matches!(extension(name), "jpg" | "png" | "webp") {
        return None;
    }
    let (folder, _) = name.rsplit_once('/')?;
    match name.starts_with("objects/") {
        true => Some((folder.rsplit_once('/')?.0, folder)),
        false if folder.ends_with("/masks") => None,
        false => Some((folder, name)),
    }
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, SamplesError> {
    seggpt_files::listing::entries(folder).map_err(disk(folder, "read"))
}

/// What was decoded last, up to so many bytes; what came first goes first. Clones share it.
pub(crate) struct Cache<T>(Arc<Mutex<Kept<T>>>);

struct Kept<T> {
    by_name: HashMap<String, (Arc<T>, usize)>,
    order: VecDeque<String>,
    bytes: usize,
    limit: usize,
}

impl<T> Clone for Cache<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Cache<T> {
    pub(crate) fn new(limit: usize) -> Self {
        Self(Arc::new(Mutex::new(Kept {
            by_name: HashMap::new(),
            order: VecDeque::new(),
            bytes: 0,
            limit,
        })))
    }

    fn lock(&self) -> MutexGuard<'_, Kept<T>> {
        // A cache is whole between any two of its statements, whoever panicked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is kept under the name, or made (with its size in bytes) and then kept. `None`: it could
    /// not be made, and the log says why.
    pub(crate) fn get(
        &self,
        name: &str,
        make: impl FnOnce() -> Result<(T, usize), SamplesError>,
    ) -> Option<Arc<T>> {
        if let Some((kept, _)) = self.lock().by_name.get(name) {
            return Some(Arc::clone(kept));
        }
        let (made, bytes) = match make() {
            Ok(made) => made,
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "a training file is left out"
                );
                return None;
            }
        };
        let made = Arc::new(made);
        let mut kept = self.lock();
        if let Some((kept, _)) = kept.by_name.get(name) {
            return Some(Arc::clone(kept));
        }
        while kept.bytes + bytes > kept.limit
            && let Some(first) = kept.order.pop_front()
        {
            kept.bytes -= kept.by_name.remove(&first).map_or(0, |(_, bytes)| bytes);
        }
        kept.bytes += bytes;
        kept.order.push_back(name.to_owned());
        kept.by_name
            .insert(name.to_owned(), (Arc::clone(&made), bytes));
        Some(made)
    }
}

/// What comes after the last dot.
pub(crate) fn extension(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(_, extension)| extension)
}
