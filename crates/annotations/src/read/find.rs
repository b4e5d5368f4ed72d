//! Finding the pictures that annotation files speak of: their paths are those of the machine that wrote them.

use std::{
    collections::HashMap,
    ffi::OsStr,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use seggpt_files::listing;

/// Where pictures are looked for.
pub(crate) struct Finder {
    roots: Vec<PathBuf>,
    /// All files below the roots by name; made when a name alone has to do.
    by_name: OnceLock<HashMap<String, Vec<PathBuf>>>,
}

/// Why a picture is not found.
pub(crate) enum NotFound {
    Missing,
    Several(PathBuf, PathBuf),
}

impl Finder {
    /// Looks in `images`, or where tools put pictures beside a file of annotations: its folder, `images/`, `JPEGImages/`,
    /// `data/` and the folder of its own name, there or one level up.
    pub fn new(annotations: &Path, images: Option<&Path>) -> Self {
        let roots = match images {
            Some(images) => vec![images.to_owned()],
            None => {
                let here = match annotations.is_dir() {
                    true => annotations,
                    false => annotations.parent().unwrap_or(Path::new("")),
                };
                let stem = annotations
                    .file_stem()
                    .and_then(OsStr::to_str)
                    .unwrap_or("images");
                let part = stem.rsplit('_').next().unwrap_or(stem);
                let up = here.parent().filter(|_| !annotations.is_dir());
                let mut roots = vec![here.to_owned()];
                for folder in std::iter::once(here).chain(up) {
                    roots.extend(
                        ["images", "JPEGImages", "data", stem, part].map(|name| folder.join(name)),
                    );
                }
                roots.retain(|root| root.is_dir() || root.as_os_str().is_empty());
                roots.dedup();
                roots
            }
        };
        Self {
            roots,
            by_name: OnceLock::new(),
        }
    }

    /// The folders, for messages.
    pub fn described(&self) -> String {
        let shown: Vec<_> = self
            .roots
            .iter()
            .map(|root| root.display().to_string())
            .collect();
        shown.join(", ")
    }

    /// The file of the first of these names that is found: as it stands below a root, else without folders in front, else by
    /// its name alone where one file below the roots has it.
    pub fn find(&self, names: &[String]) -> Result<PathBuf, NotFound> {
        if let Some(found) = names.iter().find_map(|name| self.direct(name)) {
            return Ok(found);
        }
        for name in names {
            match self.named(parts(name).last().map_or("", |last| last)) {
                [] => {}
                [only] => return Ok(only.clone()),
                [first, second, ..] => {
                    return Err(NotFound::Several(first.clone(), second.clone()));
                }
            }
        }
        Err(NotFound::Missing)
    }

    fn direct(&self, name: &str) -> Option<PathBuf> {
        let given = Path::new(name);
        if given.is_absolute() && given.is_file() {
            return Some(given.to_owned());
        }
        let parts = parts(name);
        (0..parts.len()).find_map(|first| {
            let tail: PathBuf = parts[first..].iter().collect();
            let mut files = self.roots.iter().map(|root| root.join(&tail));
            files.find(|file| file.is_file())
        })
    }

    fn named(&self, name: &str) -> &[PathBuf] {
        let all = self.by_name.get_or_init(|| {
            let mut all = HashMap::new();
            for root in &self.roots {
                list(root, 0, &mut all);
            }
            for files in all.values_mut() {
                files.sort();
                files.dedup();
            }
            all
        });
        all.get(name).map_or(&[], Vec::as_slice)
    }
}

/// The folders and the file of a path that may come from any system.
fn parts(path: &str) -> Vec<&str> {
    let parts = path.split(['/', '\\']);
    parts
        .filter(|part| !part.is_empty() && !matches!(*part, "." | ".."))
        .collect()
}

/// Folders are entered this deep.
const DEPTH: usize = 6;

/// Folders whose files are called like pictures, but are masks.
const MASKS: [&str; 3] = ["SegmentationClass", "SegmentationObject", "masks"];

fn list(folder: &Path, depth: usize, all: &mut HashMap<String, Vec<PathBuf>>) {
    // What cannot be listed holds no picture that could be found.
    for path in listing::entries(folder).unwrap_or_default() {
        match path.is_dir() {
            true if MASKS.iter().any(|name| path.ends_with(name)) => {}
            true if depth < DEPTH => list(&path, depth + 1, all),
            true => {}
            false => {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                all.entry(name.into_owned()).or_default().push(path);
            }
        }
    }
}
