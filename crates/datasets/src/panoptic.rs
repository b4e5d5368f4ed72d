use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use seggpt_annotations::{Panoptic, PanopticSegment};
use seggpt_imaging::{
    IGNORE, LabelPlane, Plane,
    panoptic::{PanopticMap, Segment},
    read,
};

use crate::{Class, Dataset, DatasetError, Instance, Sample, Truth, files};

/// COCO panoptic: a JSON file that lists segments, and PNG files whose colours are their ids
/// (red + 256 green + 65,536 blue). Pixels of no segment (black) are ignored.
pub struct CocoPanoptic {
    name: String,
    classes: Vec<Class>,
    samples: Vec<Sample>,
    segments: Vec<(PathBuf, Vec<PanopticSegment>)>,
    notes: Vec<String>,
}

impl CocoPanoptic {
    /// Reads the annotation file. `masks` holds the PNG files, `images` the pictures.
    ///
    /// # Errors
    /// [`DatasetError::File`]: it cannot be read, is no COCO panoptic JSON, or nothing in it can be used.
    pub fn open(
        annotations: impl AsRef<Path>,
        masks: impl AsRef<Path>,
        images: impl AsRef<Path>,
    ) -> Result<Self, DatasetError> {
        let file = Panoptic::open(annotations.as_ref())?;
        let (mut samples, mut segments) = (Vec::new(), Vec::new());
        for picture in file.pictures {
            let classes = picture.segments.iter().map(|segment| segment.class);
            let mut classes: Vec<u16> = classes.filter(|class| *class != IGNORE).collect();
            classes.sort_unstable();
            classes.dedup();
            let mut sample = Sample::new(picture.name, images.as_ref().join(picture.image));
            sample.classes = Some(classes);
            samples.push(sample);
            segments.push((masks.as_ref().join(picture.mask), picture.segments));
        }
        let classes = file.categories.into_iter().map(|category| Class {
            id: category.id,
            name: category.name,
            thing: category.thing,
        });
        Ok(Self {
            name: files::stem(annotations.as_ref()),
            classes: classes.collect(),
            samples,
            segments,
            notes: file.notes,
        })
    }

    /// The segments of one sample as they are scored by `seggpt-metrics`.
    ///
    /// # Errors
    /// As [`Dataset::truth`].
    pub fn map(&self, index: usize) -> Result<PanopticMap, DatasetError> {
        self.sample(index)?;
        let (path, infos) = &self.segments[index];
        let colors = read::open(path)?;
        let (pixels, _) = colors.as_raw().as_chunks::<3>();
        let id = |&[r, g, b]: &[u8; 3]| u32::from_le_bytes([r, g, b, 0]);
        let size = (colors.width() as usize, colors.height() as usize);
        let segment = |info: &PanopticSegment| Segment {
            id: info.id,
            category: u32::from(info.class),
            crowd: info.crowd,
        };
        // Nothing is said of a segment without a class.
        let said = infos.iter().filter(|info| info.class != IGNORE);
        Ok(PanopticMap {
            ids: Plane::new(size, pixels.iter().map(id).collect())?,
            segments: said.map(segment).collect(),
        })
    }
}

impl Dataset for CocoPanoptic {
    fn name(&self) -> &str {
        &self.name
    }

    fn classes(&self) -> &[Class] {
        &self.classes
    }

    fn samples(&self) -> &[Sample] {
        &self.samples
    }

    fn notes(&self) -> &[String] {
        &self.notes
    }

    fn truth_size(&self, index: usize) -> Result<Option<(usize, usize)>, DatasetError> {
        self.sample(index)?;
        files::size(&self.segments[index].0).map(Some)
    }

    fn truth(&self, index: usize) -> Result<Truth, DatasetError> {
        let map = self.map(index)?;
        let (_, infos) = &self.segments[index];
        let unsaid = infos.iter().filter(|info| info.class == IGNORE);
        let mut classes: HashMap<u32, u16> = unsaid.map(|info| (info.id, IGNORE)).collect();
        classes.insert(0, IGNORE);
        let mut instances = Vec::new();
        for segment in &map.segments {
            let class = u16::try_from(segment.category).unwrap_or(IGNORE);
            classes.insert(segment.id, class);
            instances.push(Instance {
                id: segment.id,
                class,
                crowd: segment.crowd,
                mask: map.ids.map(|&id| id == segment.id),
            });
        }
        let (file, _) = &self.segments[index];
        if let Some(id) = map.ids.values().iter().find(|id| !classes.contains_key(id)) {
            let reason =
                format!("it has pixels of segment {id}, which is not in the annotation file");
            return Err(files::wrong(file, reason));
        }
        let labels: LabelPlane = map.ids.map(|id| classes.get(id).copied().unwrap_or(IGNORE));
        Ok(Truth { labels, instances })
    }
}
