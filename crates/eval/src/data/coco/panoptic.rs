use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use seggpt_imaging::read;

use super::json::{self, SegmentInfo};
use crate::{
    EvalError, IGNORE, LabelPlane, Plane,
    data::{Class, Dataset, Instance, Sample, Truth, files},
    metrics::{PanopticMap, Segment},
};

/// COCO panoptic: a JSON file that lists segments, and PNG files whose colours are their ids
/// (red + 256 green + 65,536 blue). Pixels of no segment (black) are ignored.
pub struct CocoPanoptic {
    path: PathBuf,
    name: String,
    classes: Vec<Class>,
    samples: Vec<Sample>,
    segments: Vec<(PathBuf, Vec<SegmentInfo>)>,
}

impl CocoPanoptic {
    /// Reads the annotation file. `masks` holds the PNG files, `images` the pictures.
    ///
    /// # Errors
    /// [`EvalError::Read`]; [`EvalError::Format`] if the file is no COCO panoptic JSON or contradicts
    /// itself.
    pub fn open(
        annotations: impl AsRef<Path>,
        masks: impl AsRef<Path>,
        images: impl AsRef<Path>,
    ) -> Result<Self, EvalError> {
        let path = annotations.as_ref().to_owned();
        let file: json::Panoptic = json::read(&path)?;
        let listed: HashMap<u64, &json::Image> =
            file.images.iter().map(|image| (image.id, image)).collect();
        let (mut samples, mut segments) = (Vec::new(), Vec::new());
        for entry in file.annotations {
            let image = listed.get(&entry.image_id).ok_or_else(|| {
                files::wrong(
                    &path,
                    format!("image {} is annotated, but not listed", entry.image_id),
                )
            })?;
            let classes = entry
                .segments_info
                .iter()
                .map(|info| json::class_id(&path, info.category_id));
            let classes = classes.collect::<Result<_, _>>()?;
            samples.push(json::sample(images.as_ref(), image, classes));
            segments.push((masks.as_ref().join(entry.file_name), entry.segments_info));
        }
        let classes = json::classes(&path, file.categories)?;
        let name = files::stem(&path);
        Ok(Self {
            path,
            name,
            classes,
            samples,
            segments,
        })
    }

    /// The segments of one sample as they are scored by [`crate::metrics::Panoptic`].
    ///
    /// # Errors
    /// As [`Dataset::truth`].
    pub fn map(&self, index: usize) -> Result<PanopticMap, EvalError> {
        self.sample(index)?;
        let (path, infos) = &self.segments[index];
        let colors = read::open(path)?;
        let (pixels, _) = colors.as_raw().as_chunks::<3>();
        let id = |&[r, g, b]: &[u8; 3]| u32::from_le_bytes([r, g, b, 0]);
        let size = (colors.width() as usize, colors.height() as usize);
        let segment = |info: &SegmentInfo| Segment {
            id: info.id,
            category: info.category_id,
            crowd: info.iscrowd == 1,
        };
        Ok(PanopticMap {
            ids: Plane::new(size, pixels.iter().map(id).collect())?,
            segments: infos.iter().map(segment).collect(),
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

    fn truth(&self, index: usize) -> Result<Truth, EvalError> {
        let map = self.map(index)?;
        let mut classes = HashMap::from([(0, IGNORE)]);
        let mut instances = Vec::new();
        for segment in &map.segments {
            let class = json::class_id(&self.path, segment.category)?;
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
