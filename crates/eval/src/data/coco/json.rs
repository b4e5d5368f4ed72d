//! The parts of COCO's JSON that are read. What else the files hold is skipped.

use std::{
    collections::BTreeMap,
    fs::File,
    io::BufReader,
    path::{Path, PathBuf},
};

use serde::{Deserialize, de::DeserializeOwned};

use crate::{
    EvalError, IGNORE,
    data::{Class, Sample, files},
};

#[derive(Deserialize)]
pub(super) struct Categories {
    pub categories: Vec<Category>,
}

#[derive(Deserialize)]
pub(super) struct Category {
    pub id: u32,
    pub name: String,
    pub isthing: Option<u8>,
}

#[derive(Deserialize)]
pub(super) struct Image {
    pub id: u64,
    pub file_name: PathBuf,
}

#[derive(Deserialize)]
pub(super) struct Instances {
    pub images: Vec<SizedImage>,
    pub annotations: Vec<Object>,
    pub categories: Vec<Category>,
}

#[derive(Deserialize)]
pub(super) struct SizedImage {
    #[serde(flatten)]
    pub image: Image,
    pub width: usize,
    pub height: usize,
}

#[derive(Deserialize)]
pub(super) struct Object {
    pub id: u64,
    pub image_id: u64,
    pub category_id: u32,
    #[serde(default)]
    pub iscrowd: u8,
    pub segmentation: Segmentation,
}

#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Segmentation {
    Polygons(Vec<Vec<f64>>),
    Runs { size: [usize; 2], counts: Counts },
}

#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Counts {
    Compressed(String),
    Plain(Vec<u32>),
}

#[derive(Deserialize)]
pub(super) struct Panoptic {
    pub images: Vec<Image>,
    pub annotations: Vec<Segments>,
    pub categories: Vec<Category>,
}

#[derive(Deserialize)]
pub(super) struct Segments {
    pub image_id: u64,
    pub file_name: PathBuf,
    pub segments_info: Vec<SegmentInfo>,
}

#[derive(Deserialize, Clone)]
pub(super) struct SegmentInfo {
    pub id: u32,
    pub category_id: u32,
    #[serde(default)]
    pub iscrowd: u8,
}

pub(super) fn read<T: DeserializeOwned>(path: &Path) -> Result<T, EvalError> {
    let file = File::open(path).map_err(|source| files::unreadable(path, source))?;
    serde_json::from_reader(BufReader::new(file))
        .map_err(|error| files::wrong(path, format!("it is no COCO file of this kind: {error}")))
}

/// The classes by ascending id. A category 0 is dropped: in our planes that is background, and in
/// the files that have one it is usually named so.
pub(super) fn classes(path: &Path, categories: Vec<Category>) -> Result<Vec<Class>, EvalError> {
    let mut classes = BTreeMap::new();
    for category in categories.into_iter().filter(|category| category.id != 0) {
        let mut class = Class::new(class_id(path, category.id)?, category.name);
        class.thing = category.isthing.map(|thing| thing == 1);
        classes.insert(class.id, class);
    }
    Ok(classes.into_values().collect())
}

pub(super) fn class_id(path: &Path, category: u32) -> Result<u16, EvalError> {
    let id = u16::try_from(category)
        .ok()
        .filter(|&id| id != 0 && id != IGNORE);
    id.ok_or_else(|| {
        let reason =
            format!("category {category} is used, but ids must be 1..65534; renumber them");
        files::wrong(path, reason)
    })
}

/// A sample named after its picture file.
pub(super) fn sample(images: &Path, image: &Image, mut classes: Vec<u16>) -> Sample {
    classes.sort_unstable();
    classes.dedup();
    let mut sample = Sample::new(files::stem(&image.file_name), images.join(&image.file_name));
    sample.classes = Some(classes);
    sample
}
