use std::path::PathBuf;

use seggpt_imaging::{
    ImagingError, LabelPlane, Mask, Plane,
    panoptic::{PanopticMap, Segment},
};

use crate::DatasetError;

/// A class of a data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Class {
    /// The id in [`Truth::labels`]; not 0.
    pub id: u16,
    /// Its name.
    pub name: String,
    /// Whether it is a countable thing (true) or stuff (false), where the set says so.
    pub thing: Option<bool>,
}

impl Class {
    pub(crate) fn new(id: u16, name: impl Into<String>) -> Self {
        let (name, thing) = (name.into(), None);
        Self { id, name, thing }
    }
}

/// What a set's own split uses a sample for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// An example to be shown.
    Prompt,
    /// A picture to be answered.
    Query,
}

/// A picture and where it stands in its set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// A name that is unique in the set.
    pub name: String,
    /// The picture file.
    pub image: PathBuf,
    /// What the set's own split uses it for, if it has one.
    pub role: Option<Role>,
    /// Video and frame, if it is one of a video.
    pub frame: Option<Frame>,
    /// The classes that occur, ascending, if the set's lists say it.
    pub classes: Option<Vec<u16>>,
    /// Whether there is a truth. Only frames of videos may have none.
    pub annotated: bool,
}

/// One frame of a video.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Name of the video.
    pub video: String,
    /// Position in the video, from 0, counted over all frames that there are.
    pub index: usize,
}

impl Sample {
    pub(crate) fn new(name: impl Into<String>, image: PathBuf) -> Self {
        Self {
            name: name.into(),
            image,
            role: None,
            frame: None,
            classes: None,
            annotated: true,
        }
    }
}

/// What is right about one picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Truth {
    /// The class of every pixel.
    pub labels: LabelPlane,
    /// The objects (COCO, VOC, videos) or segments (panoptic), if the set tells them apart.
    pub instances: Vec<Instance>,
}

/// One object or segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// Its id in the set or picture.
    pub id: u32,
    /// Its class.
    pub class: u16,
    /// Whether it is a region of many uncounted things.
    pub crowd: bool,
    /// Its pixels.
    pub mask: Mask,
}

impl Truth {
    pub(crate) fn of_labels(labels: LabelPlane) -> Self {
        let instances = Vec::new();
        Self { labels, instances }
    }

    /// The instances as one panoptic map, numbered from 1 in their order; where several overlap,
    /// the last one has the pixel. An instance that is covered entirely is left out.
    ///
    /// # Errors
    /// [`DatasetError::File`] if an instance is not as large as the labels.
    pub fn panoptic(&self) -> Result<PanopticMap, DatasetError> {
        let mut ids = Plane::filled(self.labels.size(), 0u32);
        for (id, instance) in (1..).zip(&self.instances) {
            if instance.mask.size() != ids.size() {
                return Err(ImagingError::Size {
                    what: "the mask of an instance",
                    found: instance.mask.values().len(),
                    width: ids.width(),
                    height: ids.height(),
                    channels: 1,
                }
                .into());
            }
            let pixels = ids.values_mut().iter_mut().zip(instance.mask.values());
            pixels
                .filter(|(_, set)| **set)
                .for_each(|(pixel, _)| *pixel = id);
        }
        let mut visible = vec![false; self.instances.len() + 1];
        ids.values()
            .iter()
            .for_each(|&id| visible[id as usize] = true);
        let segments = (1..).zip(&self.instances).map(|(id, instance)| Segment {
            id,
            category: u32::from(instance.class),
            crowd: instance.crowd,
        });
        let segments = segments
            .filter(|segment| visible[segment.id as usize])
            .collect();
        Ok(PanopticMap { ids, segments })
    }
}
