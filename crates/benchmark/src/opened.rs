//! Which data set a folder is.

mod panoptic;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use seggpt_datasets::{
    Class, ClassFolders, Dataset, DatasetError, Exported, Folder, Joined, LabelFolder, Parts,
    Sample, VideoFolder, Voc,
};

use crate::{
    BenchmarkError, Kind,
    episodes::{FSS_1000_TEST, coco_20i, pascal_5i},
};

/// Where a set is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A folder in a known layout, or a labelling tool's file.
    Folder(PathBuf),
    /// What a labelling tool exported, and its pictures somewhere else.
    Exported {
        /// The file or folder.
        annotations: PathBuf,
        /// The pictures.
        images: PathBuf,
    },
    /// A folder of pictures, one of masks of the same names, and prompts as (picture, mask).
    Parts {
        /// The pictures.
        images: PathBuf,
        /// Their masks.
        truth: PathBuf,
        /// The prompts.
        prompts: Vec<(PathBuf, PathBuf)>,
    },
}

/// The classes of a fold, if there is such a fold.
pub(crate) type Folds = fn(usize) -> Option<Vec<u16>>;

/// A set and what is usual for it.
pub(crate) struct Opened {
    pub dataset: Arc<dyn Dataset>,
    pub kind: Kind,
    /// The classes of each fold, where the set has folds.
    pub folds: Option<Folds>,
    pub sampling: Sampling,
    /// Pixels from which a picture counts as showing a class in episodes.
    pub min_pixels: usize,
    /// Whether objects of videos may appear after the first frame.
    pub late: bool,
    /// In videos: the objects, as video and id, of categories that a training set has, where that is known.
    pub seen: Option<BTreeSet<(String, u16)>>,
    /// What people should know about the set.
    pub notes: Vec<String>,
}

/// How episodes are sampled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sampling {
    /// So many, classes evenly.
    Balanced(usize),
    /// Every picture as a query, round and round up to this number.
    Cyclic(usize),
    /// Every picture as a query, once.
    Once,
}

/// The lists of PASCAL-5i and COCO-20i leave out classes of less.
const FEW_SHOT_PIXELS: usize = 2048;

/// Recognises a set by what lies in its folder, and, where it can be read in two ways, by the protocol that is asked for.
pub(crate) fn open(source: &Source, kind: Option<Kind>) -> Result<Opened, BenchmarkError> {
    match source {
        Source::Folder(root) => {
            let segments = match kind {
                Some(Kind::Panoptic) => panoptic::open(root)?,
                _ => None,
            };
            segments.map_or_else(|| folder(root), Ok)
        }
        Source::Exported {
            annotations,
            images,
        } => {
            let set = Exported::open(annotations, Some(images))?;
            Ok(Opened::of(set, Kind::Episodes))
        }
        Source::Parts {
            images,
            truth,
            prompts,
        } => {
            let set = Parts::open(images, truth, prompts)?;
            Ok(Opened::of(set, Kind::Classes))
        }
    }
}

fn folder(root: &Path) -> Result<Opened, BenchmarkError> {
    let has = |part: &str| root.join(part).exists();
    if !root.is_dir() {
        Ok(Opened::of(Exported::open(root, None)?, Kind::Episodes))
    } else if has("classes.tsv") {
        let set = Folder::open(root)?;
        let any = |test: fn(&Sample) -> bool| set.samples().iter().any(test);
        let kind = if any(|sample| sample.role.is_some()) {
            Kind::Classes
        } else if any(|sample| sample.frame.is_some()) {
            Kind::Video
        } else {
            Kind::Episodes
        };
        Ok(Opened::of(set, kind))
    } else if has("ImageSets/2017/val.txt") {
        let set = VideoFolder::davis(root, "2017", "val", "480p")?;
        Ok(Opened::of(set, Kind::Video))
    } else if has("ImageSets/2016/val.txt") || has("ImageSets/480p/val.txt") {
        let set = VideoFolder::davis(root, "2016", "val", "480p")?;
        Ok(Opened::of(set, Kind::Video))
    } else if has("meta.json") && has("JPEGImages") {
        youtube_vos(root)
    } else if has("SegmentationClass") && has("labelmap.txt") {
        Ok(Opened::of(Exported::open(root, None)?, Kind::Episodes))
    } else if has("SegmentationClass") {
        let split = has("ImageSets/Segmentation/val.txt").then_some("val");
        Ok(Opened {
            folds: Some(|fold| pascal_5i(fold).map(|classes| classes.to_vec())),
            sampling: Sampling::Cyclic(1000),
            min_pixels: FEW_SHOT_PIXELS,
            ..Opened::of(Voc::open(root, split)?, Kind::Episodes)
        })
    } else if has("objectInfo150.txt") {
        let (prompts, queries) = (
            LabelFolder::ade20k(root, "training")?,
            LabelFolder::ade20k(root, "validation")?,
        );
        let set = Joined::new("ADE20K", Arc::new(prompts), Arc::new(queries));
        Ok(Opened::of(set, Kind::Semantic))
    } else if let Some((annotations, images)) = coco(root) {
        let set = Exported::open(annotations, Some(&images))?;
        if !is_coco(set.classes()) {
            return Ok(Opened::of(set, Kind::Episodes));
        }
        Ok(Opened {
            folds: Some(|fold| coco_20i(fold).map(|classes| classes.to_vec())),
            sampling: Sampling::Balanced(1000),
            min_pixels: FEW_SHOT_PIXELS,
            ..Opened::of(set, Kind::Episodes)
        })
    } else if let Some(found) = panoptic::open(root)? {
        Ok(found)
    } else if FSS_1000_TEST.iter().all(|class| has(class)) {
        let set = ClassFolders::with_classes(root, FSS_1000_TEST)?;
        Ok(Opened::of(set, Kind::Episodes))
    } else {
        exported_or_class_folders(root)
    }
}

/// What a labelling tool exported, else a folder a class.
fn exported_or_class_folders(root: &Path) -> Result<Opened, BenchmarkError> {
    let is_exported = seggpt_annotations::recognise(root).map_err(DatasetError::from)?;
    if is_exported.is_some() {
        return Ok(Opened::of(Exported::open(root, None)?, Kind::Episodes));
    }
    let path = root.to_owned();
    ClassFolders::open(root)
        .map(|set| Opened::of(set, Kind::Episodes))
        .map_err(|_| BenchmarkError::Layout { path })
}

/// Whether these are classes of COCO, of which its folds speak, and not those of somebody who uses its format.
fn is_coco(classes: &[Class]) -> bool {
    const SOME: [(u16, &str); 4] = [
        (1, "person"),
        (2, "bicycle"),
        (3, "car"),
        (90, "toothbrush"),
    ];
    let known = classes
        .iter()
        .filter(|class| SOME.contains(&(class.id, &class.name)));
    known.count() > 1
}

/// YouTube-VOS: which categories are seen, the training videos beside it say.
fn youtube_vos(root: &Path) -> Result<Opened, BenchmarkError> {
    let set = VideoFolder::youtube_vos(root)?;
    let real = fs::canonicalize(root).unwrap_or_else(|_| root.to_owned());
    let training = real.with_file_name("train").join("meta.json");
    let (mut seen, mut notes) = (None, set.notes().to_vec());
    if training.is_file() && !real.ends_with("train") {
        seen = set.seen_in(&training)?;
    } else if !real.ends_with("train") {
        notes.push(format!(
            "{}: there is no {}, which says which categories are seen, so that J&F is all that can be said",
            set.name(),
            training.display()
        ));
    }
    Ok(Opened {
        late: true,
        seen,
        notes,
        ..Opened::of(set, Kind::Video)
    })
}

/// COCO's annotation file and its pictures; the validation set of 2014, on which few-shot splits report, comes first.
fn coco(root: &Path) -> Option<(PathBuf, PathBuf)> {
    let parts = ["val2014", "val2017", "train2014", "train2017"];
    let whole = parts.map(|part| {
        (
            root.join(format!("annotations/instances_{part}.json")),
            root.join(part),
        )
    });
    let alone = (root.join("instances.json"), root.join("images"));
    let mut known = whole.into_iter().chain([alone]);
    known.find(|(annotations, images)| annotations.is_file() && images.is_dir())
}

impl Opened {
    fn of(dataset: impl Dataset + 'static, kind: Kind) -> Self {
        Self {
            notes: dataset.notes().to_vec(),
            dataset: Arc::new(dataset),
            kind,
            folds: None,
            sampling: Sampling::Once,
            min_pixels: 1,
            late: false,
            seen: None,
        }
    }
}
