//! From `INPUTS` to a list of volumes with names.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::UNIX_EPOCH,
};

use eyre::{Result, WrapErr, ensure};
use seggpt_files::{
    hash,
    naming::{items, repeated},
};
use seggpt_volume::{
    Source,
    dicom::{self, is_dicom},
};

use crate::{
    files::{self, Found},
    settings::{Settings, Time},
};

/// A volume to be segmented.
#[derive(Debug)]
pub struct Volume {
    /// What the run calls it: unique, and the same whenever the run is repeated.
    pub item: String,
    /// Its results are called so.
    pub name: String,
    /// The file or folder by which people know it.
    pub path: PathBuf,
    /// Which of its points of time.
    pub time: usize,
    /// What its headers say, or why it cannot be used.
    pub source: Result<Source, String>,
    /// Bytes and time of change of its files; of a series, of all its files together.
    pub stamp: Vec<(u64, i64)>,
}

/// What the inputs mean.
#[derive(Debug, Default)]
pub struct Listing {
    /// The volumes: NIfTI files in the order of the inputs, the files of folders in natural order, then series; none twice.
    pub volumes: Vec<Volume>,
    /// What else there was among DICOM files, for people.
    pub notes: Vec<String>,
}

/// All volumes that the inputs mean.
///
/// # Errors
/// An input that means nothing, or nothing is left.
pub fn list(settings: &Settings) -> Result<Listing> {
    let mut found = Vec::new();
    let lines = settings.inputs.iter();
    for input in lines.filter(|line| !line.trim().is_empty()) {
        files::of(input, &mut found).wrap_err_with(|| format!("INPUTS: `{input}`"))?;
    }
    without_labels(&mut found, settings);
    let (series, files): (Vec<Found>, Vec<Found>) = found
        .into_iter()
        .partition(|found| is_dicom(&found.path).unwrap_or(false));
    let paths: Vec<PathBuf> = series.iter().map(|found| found.path.clone()).collect();
    let gathered = dicom::gather(&paths);
    let notes = summed(&gathered.others);
    // What cannot be read is named by its file.
    let mut named = files;
    let mut reasons: BTreeMap<PathBuf, String> = BTreeMap::new();
    let mut whole = Vec::new();
    for series in gathered.series {
        match series {
            Ok(series) => whole.push(series),
            Err(error) => drop(reasons.insert(error.path().to_owned(), error.to_string())),
        }
    }
    for error in gathered.broken {
        reasons.insert(error.path().to_owned(), error.to_string());
    }
    let unusable = series
        .into_iter()
        .filter(|found| reasons.contains_key(&found.path));
    named.extend(unusable);
    ensure!(
        !named.is_empty() || !whole.is_empty(),
        "INPUTS: no scan is left; label volumes of PROMPT_PAIRS and TRUTH are none. {}",
        notes.join(" ")
    );
    let items = items(named.iter().map(|found| (&*found.path, found.depth)));
    let names = names(&items);
    let mut volumes = Vec::new();
    for ((found, item), name) in named.into_iter().zip(items).zip(names) {
        let source = match reasons.remove(&found.path) {
            Some(reason) => Err(reason),
            None => Source::open(&found.path).map_err(|error| error.to_string()),
        };
        volumes.extend(times(&found.path, &item, &name, source, settings.time));
    }
    let taken: Vec<String> = volumes.iter().map(|volume| volume.name.clone()).collect();
    let whole = whole
        .into_iter()
        .map(|series| Source::Dicom(Arc::new(series)));
    for (source, name) in called(whole.collect(), &taken)? {
        let path = source.place().to_owned();
        volumes.extend(times(&path, &name, &name, Ok(source), settings.time));
    }
    Ok(Listing { volumes, notes })
}

/// Leaves out label volumes and what is there twice.
fn without_labels(found: &mut Vec<Found>, settings: &Settings) {
    let labels: BTreeSet<PathBuf> = (settings.pairs().iter())
        .filter_map(|(_, path)| fs::canonicalize(path).ok())
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
}

/// Files that are no scans, one line for all of a kind.
fn summed(others: &[(PathBuf, String)]) -> Vec<String> {
    let mut kinds: BTreeMap<&str, Vec<&Path>> = BTreeMap::new();
    for (path, what) in others {
        kinds.entry(what).or_default().push(path);
    }
    let line = |(what, paths): (&str, Vec<&Path>)| match paths[..] {
        [path] => format!("{} is no scan: it is {what}.", path.display()),
        _ => format!(
            "{} files such as {} are no scans: each is {what}.",
            paths.len(),
            paths[0].display()
        ),
    };
    kinds.into_iter().map(line).collect()
}

/// Series with their names; those that would be alike, or are `taken`, are told apart by a short hash.
fn called(series: Vec<Source>, taken: &[String]) -> Result<Vec<(Source, String)>> {
    let own = |source: &Source| match source {
        Source::Dicom(series) => series.name.clone(),
        Source::Nifti(_) => String::new(),
    };
    let names: Vec<String> = series.iter().map(own).collect();
    let again = repeated(&names);
    let mut called = Vec::new();
    for ((source, name), again) in series.into_iter().zip(names).zip(again) {
        let name = match again || taken.contains(&name) {
            true => format!("{name}-{}", hash::short(source.identity().as_bytes())?),
            false => name,
        };
        called.push((source, name));
    }
    Ok(called)
}

/// The volumes of a scan: one, or one a point of time.
fn times(
    path: &Path,
    item: &str,
    name: &str,
    source: Result<Source, String>,
    wanted: Option<Time>,
) -> Vec<Volume> {
    let stamp = source.as_ref().map_or_else(|_| vec![stamp(path)], stamp_of);
    let volume = |suffix: &str, time, source: Result<Source, String>| Volume {
        item: format!("{item}{suffix}"),
        name: format!("{name}{suffix}"),
        path: path.to_owned(),
        time,
        source,
        stamp: stamp.clone(),
    };
    let count = source.as_ref().map_or(1, Source::times);
    match (count, wanted) {
        (1, None | Some(Time::All | Time::At(0))) => vec![volume("", 0, source)],
        (count, Some(Time::All)) => (0..count)
            .map(|time| volume(&format!(".t{time:03}"), time, source.clone()))
            .collect(),
        (count, Some(Time::At(time))) if time < count => vec![volume("", time, source)],
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

fn stamp_of(source: &Source) -> Vec<(u64, i64)> {
    let stamps: Vec<(u64, i64)> = source.files().into_iter().map(stamp).collect();
    match source {
        Source::Nifti(_) => stamps,
        // Of thousands of files, one line.
        Source::Dicom(_) => {
            let bytes = stamps.iter().map(|(bytes, _)| bytes).sum();
            let all = hash::short(format!("{stamps:?}").as_bytes()).unwrap_or_default();
            let all = u64::from_str_radix(&all, 16).unwrap_or_default();
            vec![(bytes, all.cast_signed())]
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

    #[test]
    fn what_is_no_scan_is_summed_up() {
        let other = |path: &str, what: &str| (PathBuf::from(path), what.to_owned());
        let lines = summed(&[
            other("/b", "a report"),
            other("/a", "a scout"),
            other("/c", "a report"),
        ]);
        assert_eq!(
            lines,
            [
                "2 files such as /b are no scans: each is a report.",
                "/a is no scan: it is a scout."
            ]
        );
    }
}
