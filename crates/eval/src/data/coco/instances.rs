use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use super::{
    Rle,
    json::{self, Counts, Object, Segmentation},
    polygon,
};
use crate::{
    EvalError, LabelPlane, Mask,
    data::{Class, Dataset, Instance, Sample, Truth, files},
};

/// COCO's objects (`instances_*.json`): polygons of several parts, run lengths plain and compressed.
///
/// Objects may overlap. In the label plane, smaller objects lie on larger ones, so that none is
/// lost under another; a crowd has the class of what it is a crowd of.
pub struct CocoInstances {
    path: PathBuf,
    name: String,
    classes: Vec<Class>,
    samples: Vec<Sample>,
    pictures: Vec<Picture>,
}

struct Picture {
    size: (usize, usize),
    objects: Vec<Object>,
}

impl CocoInstances {
    /// Reads the annotation file; pictures are looked for under `images`, by the file names in it.
    ///
    /// # Errors
    /// [`EvalError::Read`]; [`EvalError::Format`] if the file is no COCO JSON or contradicts itself.
    pub fn open(
        annotations: impl AsRef<Path>,
        images: impl AsRef<Path>,
    ) -> Result<Self, EvalError> {
        let path = annotations.as_ref().to_owned();
        let file: json::Instances = json::read(&path)?;
        let mut objects: HashMap<u64, Vec<Object>> = HashMap::new();
        for object in file.annotations {
            objects.entry(object.image_id).or_default().push(object);
        }
        let (mut samples, mut pictures) = (Vec::new(), Vec::new());
        for entry in file.images {
            let objects = objects.remove(&entry.image.id).unwrap_or_default();
            let classes = objects
                .iter()
                .map(|object| json::class_id(&path, object.category_id));
            let classes = classes.collect::<Result<_, _>>()?;
            samples.push(json::sample(images.as_ref(), &entry.image, classes));
            let size = (entry.width, entry.height);
            pictures.push(Picture { size, objects });
        }
        if let Some(lost) = objects.into_values().flatten().next() {
            let reason = format!(
                "annotation {} is of image {}, which is not listed",
                lost.id, lost.image_id
            );
            return Err(files::wrong(&path, reason));
        }
        let classes = json::classes(&path, file.categories)?;
        let name = files::stem(&path);
        Ok(Self {
            path,
            name,
            classes,
            samples,
            pictures,
        })
    }
}

impl Dataset for CocoInstances {
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
        self.sample(index)?;
        let Picture { size, objects } = &self.pictures[index];
        let instance = |object: &Object| {
            let refuse =
                |reason| files::wrong(&self.path, format!("annotation {}: {reason}", object.id));
            Ok(Instance {
                id: u32::try_from(object.id)
                    .map_err(|_| refuse("its id is too large".to_owned()))?,
                class: json::class_id(&self.path, object.category_id)?,
                crowd: object.iscrowd == 1,
                mask: mask(&object.segmentation, *size).map_err(refuse)?,
            })
        };
        let instances = objects
            .iter()
            .map(instance)
            .collect::<Result<Vec<_>, EvalError>>()?;
        let mut by_area: Vec<&Instance> = instances.iter().collect();
        by_area.sort_by_cached_key(|instance| std::cmp::Reverse(instance.mask.area()));
        let mut labels = LabelPlane::filled(*size, 0);
        for instance in by_area {
            let pixels = labels.values_mut().iter_mut().zip(instance.mask.values());
            pixels
                .filter(|(_, set)| **set)
                .for_each(|(label, _)| *label = instance.class);
        }
        Ok(Truth { labels, instances })
    }
}

fn mask(segmentation: &Segmentation, size: (usize, usize)) -> Result<Mask, String> {
    let mut values = vec![false; size.0 * size.1];
    match segmentation {
        Segmentation::Polygons(parts) => {
            for part in parts {
                if part.len() < 6
                    || part.len() % 2 == 1
                    || !part.iter().all(|value| value.is_finite())
                {
                    let count = part.len();
                    return Err(format!(
                        "a polygon of {count} numbers is not x, y of three points or more"
                    ));
                }
                polygon::rasterise(part, size).fill(&mut values);
            }
        }
        Segmentation::Runs {
            size: [height, width],
            counts,
        } => {
            if (*width, *height) != size {
                let (w, h) = size;
                return Err(format!(
                    "its runs are {width} x {height}, but the image is {w} x {h}"
                ));
            }
            let runs = match counts {
                Counts::Compressed(text) => Rle::decompress(size, text),
                Counts::Plain(counts) => Rle::new(size, counts.clone()),
            };
            runs.map_err(|error| error.to_string())?.fill(&mut values);
        }
    }
    Mask::new(size, values).map_err(|error| error.to_string())
}
