//! Data sets behind one trait.
//!
//! Opening a set lists files and reads its annotation lists; pictures and masks are decoded when a
//! sample is asked for. All labels come out in the same form: class ids from 1, 0 for background,
//! [`IGNORE`](crate::IGNORE) for what the set does not say.
//!
//! | reader | layout |
//! |---|---|
//! | [`Folder`] | `images/`, `masks/`, `classes.tsv`, `split.tsv`; or one such folder per video |
//! | [`Parts`] | a folder of pictures, one of masks, prompts from anywhere |
//! | [`Annotated`] | `images/` and `masks/` as people draw them: black and white, palettes, colours or ids |
//! | [`ClassFolders`] | FSS-1000: one folder per class with `N.jpg` and `N.png` |
//! | [`LabelFolder`] | pictures beside label files: COCO semantic, ADE20K |
//! | [`Exported`] | what labelling tools export: COCO, labelme, Label Studio, CVAT |
//! | [`CocoPanoptic`] | COCO panoptic: segment ids as colours |
//! | [`Voc`] | PASCAL VOC: class and object palettes |
//! | [`Joined`] | prompts from one set, queries from another |
//! | [`VideoFolder`] | DAVIS and YouTube-VOS: a folder of frames and one of masks per video |

mod annotated;
mod class_folders;
mod exported;
mod files;
mod folder;
mod joined;
mod labels;
mod marks;
mod panoptic;
mod parts;
mod sample;
mod videos;
mod voc;

use seggpt_imaging::{RgbImage, read};

pub use annotated::Annotated;
pub use class_folders::ClassFolders;
pub use exported::Exported;
pub use folder::Folder;
pub use joined::Joined;
pub use labels::{LabelFolder, Zero};
pub use panoptic::CocoPanoptic;
pub use parts::Parts;
pub use sample::{Class, Frame, Instance, Role, Sample, Truth};
pub use videos::{Objects, VideoFolder, VideoLayout};
pub use voc::Voc;

use crate::EvalError;

/// Pictures with their truth.
pub trait Dataset: Send + Sync {
    /// What messages and tables call the set.
    fn name(&self) -> &str;

    /// The classes, without background, by ascending id.
    fn classes(&self) -> &[Class];

    /// All samples, in a fixed order.
    fn samples(&self) -> &[Sample];

    /// What was left out when the set was opened, and what else people should know, a sentence each.
    fn notes(&self) -> &[String] {
        &[]
    }

    /// The size (width, height) of a sample's truth, from lists and headers alone; `None` where these do not say it.
    ///
    /// # Errors
    /// [`EvalError::OutOfRange`]; [`EvalError::Read`] or [`EvalError::Imaging`] if the truth has no readable header.
    fn truth_size(&self, index: usize) -> Result<Option<(usize, usize)>, EvalError> {
        self.sample(index).map(|_| None)
    }

    /// The size (width, height) of a sample's picture, from its header.
    ///
    /// # Errors
    /// [`EvalError::OutOfRange`]; [`EvalError::Read`] or [`EvalError::Imaging`] if it has no readable header.
    fn picture_size(&self, index: usize) -> Result<(usize, usize), EvalError> {
        files::size(&self.sample(index)?.image)
    }

    /// Decodes the truth of one sample.
    ///
    /// # Errors
    /// [`EvalError::OutOfRange`]; [`EvalError::Imaging`] or [`EvalError::Format`] if the files are
    /// unreadable or contradict each other.
    fn truth(&self, index: usize) -> Result<Truth, EvalError>;

    /// Number of samples.
    fn len(&self) -> usize {
        self.samples().len()
    }

    /// Whether there are no samples.
    fn is_empty(&self) -> bool {
        self.samples().is_empty()
    }

    /// One sample, nothing decoded.
    ///
    /// # Errors
    /// [`EvalError::OutOfRange`].
    fn sample(&self, index: usize) -> Result<&Sample, EvalError> {
        self.samples()
            .get(index)
            .ok_or_else(|| EvalError::OutOfRange {
                dataset: self.name().to_owned(),
                index,
                len: self.len(),
            })
    }

    /// Decodes the picture of one sample.
    ///
    /// # Errors
    /// [`EvalError::OutOfRange`], [`EvalError::Imaging`].
    fn picture(&self, index: usize) -> Result<RgbImage, EvalError> {
        Ok(read::open(&self.sample(index)?.image)?)
    }

    /// The classes that occur in one sample, ascending; decodes the truth where the set's lists do
    /// not say it.
    ///
    /// # Errors
    /// As [`Dataset::truth`].
    fn classes_in(&self, index: usize) -> Result<Vec<u16>, EvalError> {
        match &self.sample(index)?.classes {
            Some(classes) => Ok(classes.clone()),
            None => Ok(self.truth(index)?.labels.classes()),
        }
    }
}
