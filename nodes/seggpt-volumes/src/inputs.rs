//! From `INPUTS` to a list of volumes with names.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use eyre::{Result, WrapErr, bail, ensure};
use seggpt_files::{
    listing,
    naming::{items, repeated},
    text,
};
use seggpt_store::journal_path;
use seggpt_volume::nifti::{NiftiFile, is_nifti};

use crate::settings::{Settings, Time};

/// A volume to be segmented.
#[derive(Debug)]
pub struct Volume {
    /// What the run calls it: unique, and the same whenever the run is repeated.
    pub item: String,
    /// Its results are called so.
    pub name: String,
    /// Its file, as it was named.
    pub path: PathBuf,
    /// Which of its points of time.
    pub time: usize,
    /// Its header, or why it cannot be used.
    pub file: Result<NiftiFile, String>,
    /// Bytes and time of change of its files.
    pub stamp: Vec<(u64, i64)>,
}

struct Found {
    path: PathBuf,
    /// How many of the path's last parts name it.
    depth: usize,
}

/// All volumes that the inputs mean, in their order, the files of folders in natural order, none twice.
///
/// # Errors
/// An input that means nothing, or nothing is left.
pub fn list(settings: &Settings) -> Result<Vec<Volume>> {
    let mut found = Vec::new();
    for input in settings
        .inputs
        .iter()
        .filter(|line| !line.trim().is_empty())
    {
        one(input, &mut found).wrap_err_with(|| format!("INPUTS: `{input}`"))?;
    }
    let labels: BTreeSet<PathBuf> = settings
        .pairs()
        .iter()
        .map(|(_, labels)| labels)
        .filter_map(|path| fs::canonicalize(path).ok())
        .collect();
    let truth = settings.truth.as_ref();
    let truth = truth.and_then(|path| fs::canonicalize(path).ok());
    let mut seen = BTreeSet::new();
    found.retain(|Found { path, .. }| {
        let real = fs::canonicalize(path).unwrap_or_else(|_| path.clone());
        let is_labels =
            labels.contains(&real) || truth.as_ref().is_some_and(|truth| real.starts_with(truth));
        !is_labels && seen.insert(real)
    });
    ensure!(
        !found.is_empty(),
        "INPUTS: no scan is left; label volumes of PROMPT_PAIRS and TRUTH are none"
    );
    let items = items(found.iter().map(|file| (&*file.path, file.depth)));
    let names = names(&items);
    let mut volumes = Vec::new();
    for ((found, item), name) in found.into_iter().zip(items).zip(names) {
        volumes.extend(times(&found.path, &item, &name, settings.time));
    }
    Ok(volumes)
}

/// The volumes of a file: one, or one a point of time.
fn times(path: &Path, item: &str, name: &str, wanted: Option<Time>) -> Vec<Volume> {
    let file = NiftiFile::open(path).map_err(|error| error.to_string());
    let volume = |suffix: &str, time, file: Result<NiftiFile, String>| Volume {
        item: format!("{item}{suffix}"),
        name: format!("{name}{suffix}"),
        path: path.to_owned(),
        time,
        stamp: file.as_ref().map_or_else(
            |_| vec![stamp(path)],
            |file| file.files().into_iter().map(stamp).collect(),
        ),
        file,
    };
    let count = file.as_ref().map_or(1, |file| file.header.times);
    match (count, wanted) {
        (1, None | Some(Time::All | Time::At(0))) => vec![volume("", 0, file)],
        (count, Some(Time::All)) => (0..count)
            .map(|time| volume(&format!(".t{time:03}"), time, file.clone()))
            .collect(),
        (count, Some(Time::At(time))) if time < count => vec![volume("", time, file)],
        (count, Some(Time::At(time))) => {
            let error = format!(
                "{}: it has {count} points of time, so that number {time} (from 0) is not there",
                path.display()
            );
            vec![volume("", 0, Err(error))]
        }
        (count, None) => {
            let error = format!(
                "{}: it has {count} points of time: say which (TIME: a number from 0, or `all`)",
                path.display()
            );
            vec![volume("", 0, Err(error))]
        }
    }
}

/// Bytes and last modification in nanoseconds since 1970; zeros where the file is not there.
fn stamp(path: &Path) -> (u64, i64) {
    let Ok(metadata) = fs::metadata(path) else {
        return (0, 0);
    };
    let modified = metadata.modified().ok();
    let since = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let nanoseconds = since.and_then(|since| i64::try_from(since.as_nanos()).ok());
    (metadata.len(), nanoseconds.unwrap_or(0))
}

fn one(input: &str, found: &mut Vec<Found>) -> Result<()> {
    if let Some(list) = input.strip_prefix('@') {
        let lines = text::open(list).wrap_err("the list cannot be read")?;
        let mut any = false;
        for line in text::lines(&lines) {
            any = true;
            one(line, found).wrap_err_with(|| format!("`{line}`"))?;
        }
        ensure!(any, "the list names no file");
        return Ok(());
    }
    let path = Path::new(input);
    if path.is_dir() {
        let before = found.len();
        let mut files = Vec::new();
        below(path, &mut files)?;
        let depth = path.components().count();
        found.extend(files.into_iter().map(|path| Found {
            depth: path.components().count() - depth,
            path,
        }));
        ensure!(
            found.len() > before,
            "there is no NIfTI file in this folder or below"
        );
    } else if path.exists() {
        found.push(Found {
            path: path.to_owned(),
            depth: 1,
        });
    } else if input.contains(['*', '?', '[']) {
        let mut matches: Vec<PathBuf> = glob::glob(input)?.collect::<Result<_, _>>()?;
        listing::sort(&mut matches);
        matches.retain(|path| path.is_file());
        ensure!(!matches.is_empty(), "the pattern matches no file");
        found.extend(matches.into_iter().map(|path| Found { path, depth: 1 }));
    } else {
        bail!("there is no such file or folder");
    }
    Ok(())
}

/// All NIfTI files of a folder and its folders; folders of results are nobody's scans.
fn below(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let entries = listing::entries(folder).wrap_err_with(|| folder.display().to_string())?;
    for path in entries {
        if path.is_dir() {
            if !journal_path(&path).exists() {
                below(&path, files)?;
            }
        } else if is_nifti(&path).unwrap_or(false) {
            files.push(path);
        }
    }
    Ok(())
}

/// Items without `.nii.gz` and the like; those that would then be alike keep it.
fn names(items: &[String]) -> Vec<String> {
    let names: Vec<String> = items.iter().map(|item| stem(item).to_owned()).collect();
    let again = repeated(&names);
    let kept = names.into_iter().zip(items).zip(again);
    kept.map(|((name, item), again)| if again { item.clone() } else { name })
        .collect()
}

/// A file's name without the endings of NIfTI.
pub fn stem(name: &str) -> &str {
    let cut = |name: &str, ending: &str| {
        let at = name.len().checked_sub(ending.len())?;
        let (stem, end) = name.split_at_checked(at)?;
        (end.eq_ignore_ascii_case(ending) && !stem.is_empty() && !stem.ends_with('/')).then_some(at)
    };
    let plain = cut(name, ".gz").map_or(name, |at| &name[..at]);
    let endings = [".nii", ".hdr", ".img"];
    let stem = endings.iter().find_map(|ending| cut(plain, ending));
    stem.map_or(plain, |at| &name[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_go_and_what_would_be_alike_keeps_them() {
        assert_eq!(stem("a/ct.nii.gz"), "a/ct");
        assert_eq!(stem("ct.HDR"), "ct");
        assert_eq!(stem("a/.nii"), "a/.nii");
        assert_eq!(stem("notes.txt"), "notes.txt");
        let items = ["a.nii", "a.nii.gz", "b.nii"].map(str::to_owned);
        assert_eq!(names(&items), ["a.nii", "a.nii.gz", "b"]);
    }

    #[test]
    fn items_are_told_apart_by_their_folders() {
        let found = ["/x/1/ct.nii", "/x/2/ct.nii", "/x/mr.nii"].map(|path| Found {
            path: path.into(),
            depth: 1,
        });
        let items = items(found.iter().map(|file| (&*file.path, file.depth)));
        assert_eq!(items, ["1/ct.nii", "2/ct.nii", "mr.nii"]);
    }
}
