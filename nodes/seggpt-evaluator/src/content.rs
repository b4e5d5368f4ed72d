//! What lies behind the settings: the data sets' files.

use std::{
    fs,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use eyre::{Result, eyre};
use seggpt_files::listing;
use seggpt_node::Values;
use seggpt_prompts::Pairs;

/// Names, sizes and times of change of the files of every set: sets are too large to be read for a key.
pub(crate) fn of(values: &Values, dir: &Path) -> Result<Values> {
    let of = |name: &str| values.get(name).into_iter();
    let folders = of("SETS").flat_map(|sets| sets.lines());
    let folders = folders.filter(|line| !line.trim().is_empty());
    let more = of("IMAGES").chain(of("TRUTH")).map(String::as_str);
    let images = values
        .get("IMAGES")
        .filter(|_| !values.contains_key("TRUTH"));
    let images = images.map(|images| dir.join(images));
    let mut content = Values::new();
    for folder in folders.chain(more) {
        let folder = dir.join(folder);
        let files = match folder.is_file() {
            true => of_annotations(&folder, images.as_deref())?,
            false => all_below(&folder),
        };
        let stamps: Vec<String> = files.iter().map(|file| stamp(file)).collect();
        content.insert(folder.display().to_string(), summary(&stamps));
    }
    if let Some(pairs) = values.get("PROMPT_PAIRS") {
        let Pairs(pairs) = pairs.parse().map_err(|error: String| eyre!(error))?;
        for file in pairs.into_iter().flat_map(|(image, mask)| [image, mask]) {
            let file = dir.join(file);
            content.insert(file.display().to_string(), stamp(&file));
        }
    }
    Ok(content)
}

/// How many files there are, and a hash of what is known of them.
fn summary(stamps: &[String]) -> String {
    let text = stamps.join("\n");
    let key = seggpt_store::run_key(&[("files".to_owned(), text)].into());
    format!("{} files, {}", stamps.len(), key.trim_start_matches("run-"))
}

fn stamp(file: &Path) -> String {
    let metadata = fs::metadata(file).ok();
    let size = metadata.as_ref().map_or(0, fs::Metadata::len);
    let time = metadata.and_then(|metadata| metadata.modified().ok());
    let nanoseconds = time.map_or(0, |time| match time.duration_since(UNIX_EPOCH) {
        Ok(since) => since.as_nanos() as i128,
        Err(before) => -(before.duration().as_nanos() as i128),
    });
    format!("{} {size} {nanoseconds}", file.display())
}

/// A labelling tool's file, and the pictures that it speaks of.
fn of_annotations(file: &Path, images: Option<&Path>) -> Result<Vec<PathBuf>> {
    let annotations = seggpt_annotations::open(file, images)?;
    let pictures = annotations.pictures.iter();
    let pictures = pictures.map(|picture| picture.file.path().to_owned());
    Ok(std::iter::once(file.to_owned()).chain(pictures).collect())
}

/// All files of a folder and its folders, in order; hidden ones are nobody's data, nor are folders of results.
fn all_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for path in listing::entries(folder).unwrap_or_default() {
        match path.is_dir() {
            true if path.join(seggpt_store::OWN).is_dir() => {}
            true => files.extend(all_below(&path)),
            false => files.push(path),
        }
    }
    files
}
