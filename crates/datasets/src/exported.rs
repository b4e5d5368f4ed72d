use std::path::Path;

use seggpt_annotations::{Annotations, open};
use seggpt_imaging::{LabelPlane, Mask, RgbImage};

use crate::{Class, Dataset, DatasetError, Instance, Sample, Truth, files};

/// What labelling tools export: COCO, labelme, Label Studio, CVAT ([`seggpt_annotations`]).
///
/// Objects may overlap. In the label plane those of COCO lie smaller on larger, so that none is lost under another; those
/// of other tools as they lie there. A crowd has the class of what it is a crowd of.
pub struct Exported {
    name: String,
    classes: Vec<Class>,
    samples: Vec<Sample>,
    annotations: Annotations,
}

impl Exported {
    /// Reads a file or folder of annotations; pictures are looked for under `images`, else where tools put them.
    ///
    /// # Errors
    /// [`DatasetError::File`]: it is none of the known formats, or nothing in it can be used.
    pub fn open(path: impl AsRef<Path>, images: Option<&Path>) -> Result<Self, DatasetError> {
        let annotations = open(path.as_ref(), images)?;
        let sample = |picture: &seggpt_annotations::Picture| {
            let mut sample = Sample::new(&picture.name, picture.file.path().to_owned());
            sample.classes = Some(picture.classes());
            sample
        };
        let classes = annotations.categories.iter().map(|category| Class {
            id: category.id,
            name: category.name.clone(),
            thing: category.thing,
        });
        Ok(Self {
            name: match path.as_ref().is_dir() {
                true => files::name(path.as_ref()),
                false => files::stem(path.as_ref()),
            },
            classes: classes.collect(),
            samples: annotations.pictures.iter().map(sample).collect(),
            annotations,
        })
    }
}

impl Dataset for Exported {
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
        &self.annotations.notes
    }

    fn truth_size(&self, index: usize) -> Result<Option<(usize, usize)>, DatasetError> {
        self.sample(index)?;
        Ok(Some(self.annotations.pictures[index].size))
    }

    fn picture_size(&self, index: usize) -> Result<(usize, usize), DatasetError> {
        self.sample(index)?;
        Ok(self.annotations.pictures[index].file.size()?)
    }

    fn picture(&self, index: usize) -> Result<RgbImage, DatasetError> {
        self.sample(index)?;
        Ok(self.annotations.pictures[index].file.open()?)
    }

    fn truth(&self, index: usize) -> Result<Truth, DatasetError> {
        self.sample(index)?;
        let picture = &self.annotations.pictures[index];
        let (labels, objects) = picture.planes()?;
        let instance =
            |(object, mask): (std::borrow::Cow<seggpt_annotations::Object>, Vec<bool>)| {
                Ok(Instance {
                    id: object.id,
                    class: object.class,
                    crowd: object.crowd,
                    mask: Mask::new(picture.size, mask)?,
                })
            };
        Ok(Truth {
            instances: objects
                .into_iter()
                .map(instance)
                .collect::<Result<_, DatasetError>>()?,
            labels: LabelPlane::new(picture.size, labels)?,
        })
    }
}
