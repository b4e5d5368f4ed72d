use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use seggpt_imaging::{IGNORE, LabelPlane};

use crate::{Class, Dataset, DatasetError, Instance, Sample, Truth, files};

/// The classes of PASCAL VOC, from id 1.
pub(crate) const CLASSES: [&str; 20] = [
    "aeroplane",
    "bicycle",
    "bird",
    "boat",
    "bottle",
    "bus",
    "car",
    "cat",
    "chair",
    "cow",
    "diningtable",
    "dog",
    "horse",
    "motorbike",
    "person",
    "pottedplant",
    "sheep",
    "sofa",
    "train",
    "tvmonitor",
];

/// PASCAL VOC: `JPEGImages/`, `SegmentationClass/` and, where objects are told apart,
/// `SegmentationObject/`, as palette files whose borders (255) are ignored.
#[derive(Debug, Clone)]
pub struct Voc {
    name: String,
    classes: Vec<Class>,
    samples: Vec<Sample>,
    files: Vec<(PathBuf, Option<PathBuf>)>,
}

impl Voc {
    /// Lists a folder in VOC layout: with a `split`, what `ImageSets/Segmentation/SPLIT.txt` names;
    /// without, every class mask. Class names come from `class_names.txt` (background first) where
    /// there is one.
    ///
    /// # Errors
    /// [`DatasetError::File`]: a file cannot be read, or a listed picture or mask is missing.
    pub fn open(root: impl AsRef<Path>, split: Option<&str>) -> Result<Self, DatasetError> {
        let root = root.as_ref();
        let pictures = files::pictures(&root.join("JPEGImages"))?;
        let class_masks = files::pictures(&root.join("SegmentationClass"))?;
        let objects = root.join("SegmentationObject");
        let object_masks = match objects.is_dir() {
            true => files::pictures(&objects)?,
            false => files::Pictures::none(),
        };
        let names: Vec<String> = match split {
            Some(split) => {
                let list = files::list(&root.join(format!("ImageSets/Segmentation/{split}.txt")))?;
                list.iter().map(|name| name.trim().to_owned()).collect()
            }
            None => class_masks.iter().map(|(name, _)| name.clone()).collect(),
        };
        let (mut samples, mut masks) = (Vec::new(), Vec::new());
        for name in names {
            let find = |folder: &str, found: Option<&PathBuf>| {
                let missing = || files::wrong(&root.join(folder), format!("`{name}` is missing"));
                found.cloned().ok_or_else(missing)
            };
            let picture = find("JPEGImages", pictures.get(&name))?;
            let mask = find("SegmentationClass", class_masks.get(&name))?;
            masks.push((mask, object_masks.get(&name).cloned()));
            samples.push(Sample::new(name, picture));
        }
        let (name, classes) = (files::name(root), classes(root)?);
        Ok(Self {
            name,
            classes,
            samples,
            files: masks,
        })
    }
}

fn classes(root: &Path) -> Result<Vec<Class>, DatasetError> {
    let list = root.join("class_names.txt");
    let names: Vec<String> = match list.is_file() {
        true => files::list(&list)?
            .iter()
            .skip(1)
            .map(|name| name.trim().to_owned())
            .collect(),
        false => CLASSES.map(str::to_owned).to_vec(),
    };
    Ok((1..)
        .zip(names)
        .map(|(id, name)| Class::new(id, name))
        .collect())
}

impl Dataset for Voc {
    fn name(&self) -> &str {
        &self.name
    }

    fn classes(&self) -> &[Class] {
        &self.classes
    }

    fn samples(&self) -> &[Sample] {
        &self.samples
    }

    fn truth_size(&self, index: usize) -> Result<Option<(usize, usize)>, DatasetError> {
        self.sample(index)?;
        files::size(&self.files[index].0).map(Some)
    }

    fn truth(&self, index: usize) -> Result<Truth, DatasetError> {
        self.sample(index)?;
        let (classes, objects) = &self.files[index];
        let labels = LabelPlane::open(classes)?;
        let instances = match objects {
            Some(path) => instances(&labels, path)?,
            None => Vec::new(),
        };
        Ok(Truth { labels, instances })
    }
}

/// The objects of an object mask, each of the class that most of its pixels have.
fn instances(labels: &LabelPlane, path: &Path) -> Result<Vec<Instance>, DatasetError> {
    let objects = LabelPlane::open(path)?;
    if objects.size() != labels.size() {
        return Err(files::wrong(path, "it is not as large as the class mask"));
    }
    let mut votes: BTreeMap<(u16, u16), usize> = BTreeMap::new();
    for (&object, &class) in objects.values().iter().zip(labels.values()) {
        if !matches!(object, 0 | IGNORE) && !matches!(class, 0 | IGNORE) {
            *votes.entry((object, class)).or_default() += 1;
        }
    }
    let instance = |object: u16| {
        let of_object = votes.range((object, 0)..=(object, u16::MAX));
        let (&(_, class), _) = of_object.max_by_key(|(_, votes)| **votes).ok_or_else(|| {
            files::wrong(
                path,
                format!("object {object} has no class in the class mask"),
            )
        })?;
        Ok(Instance {
            id: u32::from(object),
            class,
            crowd: false,
            mask: objects.mask(object),
        })
    };
    objects.classes().into_iter().map(instance).collect()
}
