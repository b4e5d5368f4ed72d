//! From `INPUTS` to a list of files with names.

use std::{
    collections::HashSet,
    path::{Component, Path, PathBuf},
};

use eyre::{Result, WrapErr, bail, ensure, eyre};
use glob::MatchOptions;
use seggpt_files::{
    listing::{self, is_picture},
    naming::items,
    text,
};
use seggpt_imaging::read;
use seggpt_node::source::{Listed, Stamp};
use walkdir::WalkDir;

use crate::{found::Found, naming, results::Results};

/// A picture to be sent: a file, or a page of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The file's absolute path.
    pub path: PathBuf,
    /// What the run calls it: its path below the folder or glob that it was found by, with `/`; where that is not
    /// unique, with as many parent folders in front as it takes.
    pub item: String,
    /// `item` without its extension, where that is unique.
    pub name: String,
    /// Which page of a file that holds several, counted from 0: of `stack.tif` the items are `stack.tif#p0001` and so on,
    /// called `stack_p0001`.
    pub page: Option<usize>,
    /// Size and modification time, where the file is there.
    pub stamp: Option<Stamp>,
}

impl Listed for Entry {
    fn item(&self) -> &str {
        &self.item
    }

    fn source(&self) -> String {
        self.path.display().to_string()
    }

    fn stamp(&self) -> Option<Stamp> {
        self.stamp
    }
}

/// All files that the inputs mean: inputs in their order, the files of each folder or glob in natural order
/// (`2.png` before `10.png`), no path twice. What lies in a folder of results is left out.
///
/// # Errors
/// Names an input that means nothing: a missing folder or list, a folder or glob without pictures, a bad pattern; or
/// nothing but results is left.
/// A missing *file* is no error: it becomes an entry, and fails when it is read.
pub fn expand(inputs: &[String], recursive: bool) -> Result<Vec<Entry>> {
    let mut found = Vec::new();
    for input in inputs.iter().filter(|line| !line.trim().is_empty()) {
        found.extend(one(input, recursive).wrap_err_with(|| format!("INPUTS: `{input}`"))?);
    }
    let named = found.len();
    let mut seen = HashSet::new();
    found.retain(|file| seen.insert(file.path.clone()));
    if found.len() < named {
        let twice = named - found.len();
        tracing::info!("{twice} pictures are named more than once; each is sent once");
    }
    let named = found.len();
    let mut results = Results::default();
    found.retain(|file| !results.hold(&file.path));
    if found.len() < named {
        let left_out = named - found.len();
        tracing::warn!("{left_out} pictures are left out: they lie in a folder of results");
        ensure!(
            !found.is_empty(),
            "INPUTS: all {left_out} pictures lie in a folder of results; name the folder of the pictures themselves"
        );
    }
    let items = items(found.iter().map(|file| (&*file.path, file.depth)));
    let names = naming::names(&items);
    let files = found.into_iter().zip(items).zip(names);
    Ok(files
        .map(|((Found { path, .. }, item), name)| Entry {
            stamp: Stamp::of(&path),
            path,
            item,
            name,
            page: None,
        })
        .collect())
}

/// Takes files of several pages apart into their pages.
pub fn by_page(files: Vec<Entry>) -> Vec<Entry> {
    let pages = |file: &Entry| match listing::is_tiff(&file.path) {
        true => read::pages(&file.path),
        false => 1,
    };
    let page = |file: &Entry, page: usize| Entry {
        item: format!("{}#p{:04}", file.item, page + 1),
        name: format!("{}_p{:04}", file.name, page + 1),
        page: Some(page),
        ..file.clone()
    };
    files
        .into_iter()
        .flat_map(|file| match pages(&file) {
            1 => vec![file],
            pages => (0..pages).map(|number| page(&file, number)).collect(),
        })
        .collect()
}

/// Refuses inputs that mean nothing, as far as that can be told without listing folders. Relative ones start in `dir`.
///
/// # Errors
/// Names the input.
pub fn check(inputs: &[String], dir: &Path) -> Result<()> {
    for input in inputs.iter().filter(|line| !line.trim().is_empty()) {
        let refused = || format!("INPUTS: `{input}`");
        if let Some(list) = input.strip_prefix('@') {
            let text = text::open(dir.join(list))
                .wrap_err(UNREADABLE_LIST)
                .wrap_err_with(refused)?;
            ensure!(
                text::lines(&text).next().is_some(),
                "{}: the list names no file",
                refused()
            );
            continue;
        }
        let path = dir.join(input);
        if path.exists() {
            continue;
        }
        if input.contains(['*', '?', '[']) {
            let mut found = pattern(&path.to_string_lossy()).wrap_err_with(refused)?;
            ensure!(
                found.next().is_some(),
                "{}: the pattern matches nothing in {}",
                refused(),
                dir.display()
            );
        } else if is_nothing(&path, input) {
            bail!(
                "{}: there is no such file or folder in {}",
                refused(),
                dir.display()
            );
        }
    }
    Ok(())
}

/// A missing file is an item that fails; what has no ending can only be a folder that is not there.
fn is_nothing(path: &Path, input: &str) -> bool {
    !path.exists() && (path.extension().is_none() || input.ends_with('/'))
}

const UNREADABLE_LIST: &str =
    "the list cannot be read; it must be a text file with one path a line";

/// What matches a pattern; hidden files only where it says so.
fn pattern(text: &str) -> Result<glob::Paths> {
    let options = MatchOptions {
        require_literal_leading_dot: true,
        ..MatchOptions::new()
    };
    glob::glob_with(text, options).map_err(|error| {
        eyre!(
            "not a pattern: {} at character {}",
            error.msg,
            error.pos + 1
        )
    })
}

fn one(input: &str, recursive: bool) -> Result<Vec<Found>> {
    if let Some(list) = input.strip_prefix('@') {
        return listed(Path::new(list));
    }
    let path = Path::new(input);
    if path.is_dir() {
        let mut files = Vec::new();
        walk(path, path, recursive, &mut files)?;
        if files.is_empty() {
            let deep = if recursive { "" } else { " (RECURSIVE is off)" };
            bail!(
                "the folder holds no pictures ({}){deep}",
                listing::PICTURES.join(", ")
            );
        }
        return Ok(sorted(files));
    }
    if !path.exists() && input.contains(['*', '?', '[']) {
        return matched(input, recursive);
    }
    if is_nothing(path, input) {
        bail!("there is no such file or folder in {}", here()?.display());
    }
    Ok(vec![file(path)?])
}

fn listed(list: &Path) -> Result<Vec<Found>> {
    let text = text::open(list).wrap_err(UNREADABLE_LIST)?;
    let files: Vec<_> = text::lines(&text)
        .map(|line| file(Path::new(line)))
        .collect::<Result<_>>()?;
    if files.is_empty() {
        bail!("the list names no file");
    }
    Ok(files)
}

fn matched(pattern: &str, recursive: bool) -> Result<Vec<Found>> {
    let paths = self::pattern(pattern)?;
    let base: PathBuf = Path::new(pattern)
        .components()
        .take_while(|part| !part.as_os_str().to_string_lossy().contains(['*', '?', '[']))
        .collect();
    // `*.dat` means all of them; `*` means the pictures.
    let any_kind = Path::new(pattern)
        .extension()
        .is_some_and(|kind| !kind.to_string_lossy().contains(['*', '?', '[']));
    let mut files = Vec::new();
    for path in paths {
        let path = path.wrap_err("a folder cannot be read")?;
        if path.is_dir() {
            walk(&path, &base, recursive, &mut files)?;
        } else if any_kind || is_picture(&path) {
            files.push(found(&path, &base)?);
        }
    }
    if files.is_empty() {
        bail!("the pattern matches no pictures in {}", here()?.display());
    }
    Ok(sorted(files))
}

/// All pictures in a folder, called by their path below `base`. Hidden files and folders are left out.
fn walk(folder: &Path, base: &Path, recursive: bool, files: &mut Vec<Found>) -> Result<()> {
    let depth = if recursive { usize::MAX } else { 1 };
    let visible =
        |entry: &walkdir::DirEntry| entry.depth() == 0 || !listing::is_hidden(entry.path());
    for entry in WalkDir::new(folder)
        .follow_links(true)
        .max_depth(depth)
        .into_iter()
        .filter_entry(visible)
    {
        match entry {
            Ok(entry) if entry.file_type().is_file() && is_picture(entry.path()) => {
                files.push(found(entry.path(), base)?);
            }
            Ok(_) => {}
            // What the link leads to is being walked already.
            Err(error) if error.loop_ancestor().is_some() => tracing::warn!("{error}"),
            // A broken link, or a folder that may not be read: fails as an item, so that the report names it.
            Err(error) => match error.path() {
                Some(path) if is_picture(path) || !path.is_symlink() => {
                    files.push(found(path, base)?)
                }
                _ => tracing::warn!("{error}"),
            },
        }
    }
    Ok(())
}

fn here() -> Result<PathBuf> {
    std::env::current_dir().wrap_err("the current folder is gone")
}

fn file(path: &Path) -> Result<Found> {
    Ok(Found {
        path: absolute(path)?,
        depth: 1,
    })
}

fn found(path: &Path, base: &Path) -> Result<Found> {
    let (path, base) = (absolute(path)?, absolute(base)?);
    let depth = path
        .components()
        .count()
        .saturating_sub(base.components().count())
        .max(1);
    Ok(Found { path, depth })
}

/// From the root, without `.` and `..`.
fn absolute(path: &Path) -> Result<PathBuf> {
    let mut clean = PathBuf::new();
    for part in here()?.join(path).components() {
        match part {
            Component::ParentDir => {
                clean.pop();
            }
            Component::CurDir => {}
            part => clean.push(part),
        }
    }
    Ok(clean)
}

fn sorted(mut files: Vec<Found>) -> Vec<Found> {
    files.sort_by(|a, b| listing::natural(&a.path.to_string_lossy(), &b.path.to_string_lossy()));
    files
}
