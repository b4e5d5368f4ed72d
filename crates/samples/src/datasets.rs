//! Labelled sets in formats of their own, through the readers of `seggpt-datasets`.

mod pairs;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use rayon::prelude::*;
use seggpt_datasets::{
    Annotated, ClassFolders, CocoPanoptic, Dataset, DatasetError, Exported, Folder, LabelFolder,
    Sample, VideoFolder, Voc, Zero,
};
use seggpt_imaging::annotation::MaskMode;
use serde::{Deserialize, Serialize};

use crate::{Part, SamplesError, backgrounds::Scale, part::held_out};
use pairs::Pairs;

/// A labelled set. Its classes have nothing to do with those of other sets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatasetSettings {
    /// Where it lies, in which format.
    #[serde(flatten)]
    pub format: Format,
    /// How often it is drawn from, in proportion to the other sets. Default 1.
    #[serde(default = "one")]
    pub weight: f32,
    /// Whether its pictures have an up. Those from above or through a microscope have none (`false`): each is turned by
    /// quarter turns and mirrored.
    #[serde(default = "yes")]
    pub upright: bool,
}

fn one() -> f32 {
    1.0
}

fn yes() -> bool {
    true
}

/// The formats, by the name of the setting that holds their paths.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// `images/` and `masks/` as people draw them: [`Annotated`].
    Pictures(PathBuf),
    /// `images/`, `masks/` of class ids and `classes.tsv`, or a folder of such folders, one a video: [`Folder`].
    Folder(PathBuf),
    /// A folder per class, FSS-1000: [`ClassFolders`].
    ClassFolders(PathBuf),
    /// A folder of pictures and one of label files (COCO semantic, Cityscapes).
    Labels {
        /// The pictures.
        images: PathBuf,
        /// The label files.
        labels: PathBuf,
        /// What 0 stands for: `background`, `unlabelled` or `first_class`.
        #[serde(with = "ZeroName")]
        zero: Zero,
    },
    /// ADE20K: its root, and `training` or `validation`.
    Ade20k {
        /// The folder.
        root: PathBuf,
        /// The split.
        split: String,
    },
    /// What CVAT, labelme or Label Studio export, or COCO objects: a file or a folder ([`Exported`]).
    Exported {
        /// The file or folder.
        annotations: PathBuf,
        /// The pictures; without, those that lie where the tool puts them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        images: Option<PathBuf>,
    },
    /// COCO objects.
    CocoInstances {
        /// The JSON file.
        annotations: PathBuf,
        /// The pictures.
        images: PathBuf,
    },
    /// COCO panoptic.
    CocoPanoptic {
        /// The JSON file.
        annotations: PathBuf,
        /// The segment maps.
        masks: PathBuf,
        /// The pictures.
        images: PathBuf,
    },
    /// PASCAL VOC: its root, and a split such as `train`; without one, all masks.
    Voc {
        /// The folder.
        root: PathBuf,
        /// The split.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        split: Option<String>,
    },
    /// DAVIS: its root, year and split; frames of 480p.
    Davis {
        /// The folder.
        root: PathBuf,
        /// `2016` or `2017`.
        year: String,
        /// The split.
        split: String,
    },
    /// YouTube-VOS.
    YoutubeVos(PathBuf),
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Zero", rename_all = "snake_case")]
enum ZeroName {
    Background,
    Unlabelled,
    FirstClass,
}

impl Format {
    fn open(&self) -> Result<Box<dyn Dataset>, DatasetError> {
        Ok(match self {
            Self::Pictures(root) => Box::new(Annotated::open(root, MaskMode::Auto)?),
            Self::Folder(root) => Box::new(Folder::open(root)?),
            Self::ClassFolders(root) => Box::new(ClassFolders::open(root)?),
            Self::Labels {
                images,
                labels,
                zero,
            } => Box::new(LabelFolder::open(images, labels, Vec::new(), *zero)?),
            Self::Ade20k { root, split } => Box::new(LabelFolder::ade20k(root, split)?),
            Self::CocoInstances {
                annotations,
                images,
            } => Box::new(Exported::open(annotations, Some(images))?),
            Self::Exported {
                annotations,
                images,
            } => Box::new(Exported::open(annotations, images.as_deref())?),
            Self::CocoPanoptic {
                annotations,
                masks,
                images,
            } => Box::new(CocoPanoptic::open(annotations, masks, images)?),
            Self::Voc { root, split } => Box::new(Voc::open(root, split.as_deref())?),
            Self::Davis { root, year, split } => {
                Box::new(VideoFolder::davis(root, year, split, "480p")?)
            }
            Self::YoutubeVos(root) => Box::new(VideoFolder::youtube_vos(root)?),
        })
    }

    /// The path that stands for the set in messages.
    fn path(&self) -> &Path {
        match self {
            Self::Pictures(path)
            | Self::Folder(path)
            | Self::ClassFolders(path)
            | Self::YoutubeVos(path)
            | Self::Labels { labels: path, .. }
            | Self::Ade20k { root: path, .. }
            | Self::CocoInstances {
                annotations: path, ..
            }
            | Self::Exported {
                annotations: path, ..
            }
            | Self::CocoPanoptic {
                annotations: path, ..
            }
            | Self::Voc { root: path, .. }
            | Self::Davis { root: path, .. } => path,
        }
    }
}

/// Opened sets with what their pictures show.
#[derive(Clone)]
pub(crate) struct Sets(Arc<[Set]>);

#[derive(Clone)]
struct Set {
    data: Arc<dyn Dataset>,
    weight: f32,
    upright: bool,
    contexts: Vec<Context>,
}

/// Pictures that show the same: a class of a set, or an object of a video.
#[derive(Clone)]
struct Context {
    class: u16,
    /// Whether it is an object of a video.
    object: bool,
    pictures: Vec<usize>,
}

impl Sets {
    /// Opens the sets. Where the lists of a set do not say which classes its pictures show, all masks are read.
    pub(crate) fn open(settings: &[DatasetSettings]) -> Result<Self, SamplesError> {
        let sets = settings.iter().map(|set| {
            let refuse = |reason: String| SamplesError::Content {
                path: set.format.path().to_owned(),
                reason,
            };
            if !(set.weight.is_finite() && set.weight >= 0.0) {
                return Err(refuse(format!(
                    "its weight is {}; it must be 0 or more",
                    set.weight
                )));
            }
            let read = |error: DatasetError| {
                let cause = std::error::Error::source(&error).map(|cause| format!(" ({cause})"));
                refuse(format!("{error}{}", cause.unwrap_or_default()))
            };
            let data = set.format.open().map_err(read)?;
            for note in data.notes() {
                tracing::warn!("{note}");
            }
            let contexts = contexts(&*data).map_err(read)?;
            if contexts.is_empty() {
                return Err(refuse("no picture of it shows a class".to_owned()));
            }
            Ok(Set {
                data: data.into(),
                weight: set.weight,
                upright: set.upright,
                contexts,
            })
        });
        Ok(Self(sets.collect::<Result<_, SamplesError>>()?))
    }

    /// The part of each set that is for training or for validation, where so large a share of its pictures, or of its
    /// videos, is held out. `None`: nothing is left of any.
    pub(crate) fn part(&self, part: Part, share: f32) -> Option<Self> {
        let sets = self.0.iter().filter_map(|set| {
            let units = set.data.samples().iter().map(|sample| ("", unit(sample)));
            let held = held_out(units, share);
            let is_of_part = |index: &usize| {
                held.contains(unit(&set.data.samples()[*index])) == (part == Part::Validation)
            };
            let contexts = set.contexts.iter().filter_map(|context| {
                let pictures: Vec<usize> = context
                    .pictures
                    .iter()
                    .copied()
                    .filter(is_of_part)
                    .collect();
                (!pictures.is_empty()).then_some(Context {
                    pictures,
                    ..*context
                })
            });
            let contexts: Vec<_> = contexts.collect();
            (!contexts.is_empty()).then(|| Set {
                contexts,
                ..set.clone()
            })
        });
        let sets: Vec<_> = sets.collect();
        (!sets.is_empty()).then(|| Self(sets.into()))
    }

    /// The task of drawing pairs from them.
    pub(crate) fn pairs(&self, scale: Scale) -> Pairs {
        Pairs::new(self.clone(), scale)
    }
}

fn contexts(data: &dyn Dataset) -> Result<Vec<Context>, DatasetError> {
    let annotated: Vec<usize> = (0..data.len())
        .filter(|&index| data.samples()[index].annotated)
        .collect();
    let shown: Vec<Vec<u16>> = annotated
        .par_iter()
        .map(|&index| data.classes_in(index))
        .collect::<Result<_, _>>()?;
    let mut contexts: BTreeMap<(Option<&str>, u16), Vec<usize>> = BTreeMap::new();
    for (&index, classes) in annotated.iter().zip(shown) {
        let frame = data.samples()[index].frame.as_ref();
        let video = frame.map(|frame| frame.video.as_str());
        for class in classes {
            contexts.entry((video, class)).or_default().push(index);
        }
    }
    let context = |((video, class), pictures): ((Option<&str>, u16), Vec<usize>)| Context {
        class,
        object: video.is_some(),
        pictures,
    };
    Ok(contexts.into_iter().map(context).collect())
}

/// What is held out as one: a picture, or a whole video.
fn unit(sample: &Sample) -> &str {
    match &sample.frame {
        Some(frame) => &frame.video,
        None => &sample.name,
    }
}
