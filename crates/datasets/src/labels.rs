use std::path::{Path, PathBuf};

use seggpt_imaging::{IGNORE, LabelPlane};

use crate::{Class, Dataset, DatasetError, Sample, Truth, files};

/// What the value 0 of a label file stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zero {
    /// Background; ids count from 1 (VOC, COCO-20i).
    Background,
    /// Nothing was said about the pixel; ids count from 1 (ADE20K).
    Unlabelled,
    /// The first class: every id comes out larger by one (COCO-Stuff, Cityscapes).
    FirstClass,
}

/// Pictures in one folder, label files of the same names in another: COCO semantic, ADE20K and most
/// others.
#[derive(Debug, Clone)]
pub struct LabelFolder {
    name: String,
    classes: Vec<Class>,
    samples: Vec<Sample>,
    labels: Vec<PathBuf>,
    zero: Zero,
}

impl LabelFolder {
    /// Lists the label files, each of which needs a picture.
    ///
    /// `classes` are named by the ids that come out of [`Dataset::truth`], from 1.
    ///
    /// # Errors
    /// [`DatasetError::File`]: a file cannot be read, or a label file has no picture.
    pub fn open(
        images: impl AsRef<Path>,
        labels: impl AsRef<Path>,
        classes: Vec<Class>,
        zero: Zero,
    ) -> Result<Self, DatasetError> {
        let pictures = files::pictures(images.as_ref())?;
        let (mut samples, mut paths) = (Vec::new(), Vec::new());
        for (name, path) in files::pictures(labels.as_ref())?.iter() {
            let picture = pictures.get(name).ok_or_else(|| {
                let reason = format!("there is no picture in {}", images.as_ref().display());
                files::wrong(path, reason)
            })?;
            samples.push(Sample::new(name, picture.clone()));
            paths.push(path.clone());
        }
        let name = files::name(labels.as_ref());
        let labels = paths;
        Ok(Self {
            name,
            classes,
            samples,
            labels,
            zero,
        })
    }

    /// COCO semantic: a folder of PNG files whose ids are those of `categories` in a COCO JSON file
    /// (`zero` = [`Zero::Background`]), or lower by one as COCO-Stuff's `stuffthingmaps` have them
    /// ([`Zero::FirstClass`]).
    ///
    /// # Errors
    /// As [`LabelFolder::open`]; [`DatasetError::File`] if the JSON file has no usable categories.
    pub fn coco(
        images: impl AsRef<Path>,
        labels: impl AsRef<Path>,
        categories: impl AsRef<Path>,
        zero: Zero,
    ) -> Result<Self, DatasetError> {
        let categories = seggpt_annotations::coco_categories(categories.as_ref())?;
        let classes = categories.into_iter().map(|category| Class {
            id: category.id,
            name: category.name,
            thing: category.thing,
        });
        let classes = classes.collect();
        Self::open(images, labels, classes, zero)
    }

    /// ADE20K as the scene parsing challenge has it: `root/images/SPLIT`, `root/annotations/SPLIT`,
    /// `root/objectInfo150.txt`. 0 is unlabelled, as `reduce_zero_label` treats it elsewhere.
    ///
    /// # Errors
    /// As [`LabelFolder::open`]; [`DatasetError::File`] if the class list cannot be understood.
    pub fn ade20k(root: impl AsRef<Path>, split: &str) -> Result<Self, DatasetError> {
        let root = root.as_ref();
        let list = root.join("objectInfo150.txt");
        let row = |line: &String| {
            let cells: Vec<&str> = line.split('\t').map(str::trim).collect();
            let id: u16 = cells.first()?.parse().ok()?;
            Some(Class::new(id, *cells.last()?))
        };
        let rows = files::list(&list)?;
        let classes: Option<Vec<Class>> = rows.iter().skip(1).map(row).collect();
        let classes = classes
            .filter(|classes| !classes.is_empty())
            .ok_or_else(|| {
                files::wrong(
                    &list,
                    "it is not a header line and then lines of `id TAB ... TAB name`",
                )
            })?;
        let (images, labels) = (
            root.join("images").join(split),
            root.join("annotations").join(split),
        );
        Self::open(images, labels, classes, Zero::Unlabelled)
    }
}

impl Dataset for LabelFolder {
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
        files::size(&self.labels[index]).map(Some)
    }

    fn truth(&self, index: usize) -> Result<Truth, DatasetError> {
        self.sample(index)?;
        let labels = LabelPlane::open(&self.labels[index])?.map(|&id| match (self.zero, id) {
            (_, IGNORE) | (Zero::Unlabelled, 0) => IGNORE,
            (Zero::FirstClass, id) => id + 1,
            (_, id) => id,
        });
        Ok(Truth::of_labels(labels))
    }
}
