use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use seggpt_datasets::{CocoPanoptic, Joined};
use seggpt_files::listing;

use super::Opened;
use crate::{BenchmarkError, Kind};

/// Annotation file, PNGs and pictures.
type Files = [PathBuf; 3];

/// A COCO panoptic set as it is published, prompts from its training part where that is there; or one annotation file with
/// its two folders.
pub(super) fn open(root: &Path) -> Result<Option<Opened>, BenchmarkError> {
    let queries = ["val2017", "val2014"].iter();
    let Some(files) = queries
        .map(|part| published(root, part))
        .find(is_there)
        .or_else(|| alone(root))
    else {
        return Ok(None);
    };
    let queries = read(&files)?;
    let training = ["train2017", "train2014"].iter();
    let training = training.map(|part| published(root, part)).find(is_there);
    Ok(Some(match training {
        None => Opened::of(queries, Kind::Panoptic),
        Some(files) => {
            let prompts = read(&files)?;
            let joined = Joined::new("COCO panoptic", Arc::new(prompts), Arc::new(queries));
            Opened::of(joined, Kind::Panoptic)
        }
    }))
}

fn read([annotations, masks, images]: &Files) -> Result<CocoPanoptic, BenchmarkError> {
    Ok(CocoPanoptic::open(annotations, masks, images)?)
}

fn published(root: &Path, part: &str) -> Files {
    let annotations = root.join("annotations");
    [
        annotations.join(format!("panoptic_{part}.json")),
        annotations.join(format!("panoptic_{part}")),
        root.join(part),
    ]
}

fn is_there([annotations, masks, images]: &Files) -> bool {
    annotations.is_file() && masks.is_dir() && images.is_dir()
}

/// `panoptic*.json`, beside it a folder of its name or `masks/`, and the pictures in a folder of its part's name,
/// `images/` or `input_images/`.
fn alone(root: &Path) -> Option<Files> {
    let entries = listing::entries(root).ok()?;
    let names = entries
        .iter()
        .filter_map(|entry| entry.file_name()?.to_str());
    let names: Vec<&str> = names.collect();
    let stems = names.iter().filter_map(|name| name.strip_suffix(".json"));
    stems
        .filter(|stem| stem.starts_with("panoptic"))
        .find_map(|stem| {
            let folder = |names: &[&str]| {
                let mut folders = names.iter().map(|name| root.join(name));
                folders.find(|folder| folder.is_dir())
            };
            let part = stem.trim_start_matches("panoptic").trim_start_matches('_');
            let pictures = [part, "images", "input_images"];
            let pictures = &pictures[usize::from(part.is_empty())..];
            let annotations = root.join(format!("{stem}.json"));
            let masks = folder(&[stem, "masks"])?;
            Some([annotations, masks, folder(pictures)?])
        })
}
