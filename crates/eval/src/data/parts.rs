use std::path::{Path, PathBuf};

use super::{Class, Dataset, Role, Sample, Truth, files};
use crate::{EvalError, IGNORE, LabelPlane};

/// Pictures in one folder, their masks in another, and prompts that lie anywhere.
///
/// Masks hold class ids; where those of all prompts are black and white, white is the one class, in
/// prompts and truth alike. A picture that is a prompt is no query.
#[derive(Debug, Clone)]
pub struct Parts {
    name: String,
    classes: Vec<Class>,
    samples: Vec<Sample>,
    masks: Vec<PathBuf>,
    white: bool,
}

impl Parts {
    /// Lists the masks of `truth`, each of which needs a picture of its name in `images`, and reads
    /// the masks of `prompts`, given as (picture, mask), for the classes that they show.
    ///
    /// # Errors
    /// [`EvalError::Read`], [`EvalError::Imaging`]; [`EvalError::Format`] if a mask has no picture, or
    /// if no prompt shows a class.
    pub fn open(
        images: impl AsRef<Path>,
        truth: impl AsRef<Path>,
        prompts: &[(PathBuf, PathBuf)],
    ) -> Result<Self, EvalError> {
        let (images, truth) = (images.as_ref(), truth.as_ref());
        let mut set = Self {
            name: files::name(images),
            classes: Vec::new(),
            samples: Vec::new(),
            masks: Vec::new(),
            white: true,
        };
        let mut ids = Vec::new();
        for (image, mask) in prompts {
            let labels = LabelPlane::open(mask)?;
            ids.extend(labels.classes());
            set.white &= labels.values().iter().all(|id| matches!(*id, 0 | IGNORE));
            set.push(
                format!("prompts/{}", files::stem(image)),
                image,
                mask,
                Role::Prompt,
            );
        }
        if set.white {
            ids = vec![1];
        }
        ids.sort_unstable();
        ids.dedup();
        set.classes = ids
            .iter()
            .map(|&id| Class::new(id, format!("class {id}")))
            .collect();
        if prompts.is_empty() || set.classes.is_empty() {
            return Err(files::wrong(images, "no prompt shows a class"));
        }
        let mut pictures = files::pictures(images)?;
        for (name, mask) in files::pictures(truth)? {
            let picture = pictures.remove(&name).ok_or_else(|| {
                files::wrong(
                    &mask,
                    format!("there is no picture in {}", images.display()),
                )
            })?;
            if prompts.iter().all(|(image, _)| *image != picture) {
                set.push(name, &picture, &mask, Role::Query);
            }
        }
        Ok(set)
    }

    fn push(&mut self, name: String, picture: &Path, mask: &Path, role: Role) {
        let mut sample = Sample::new(name, picture.to_owned());
        sample.role = Some(role);
        self.samples.push(sample);
        self.masks.push(mask.to_owned());
    }
}

impl Dataset for Parts {
    fn name(&self) -> &str {
        &self.name
    }

    fn classes(&self) -> &[Class] {
        &self.classes
    }

    fn samples(&self) -> &[Sample] {
        &self.samples
    }

    fn truth_size(&self, index: usize) -> Result<Option<(usize, usize)>, EvalError> {
        self.sample(index)?;
        files::size(&self.masks[index]).map(Some)
    }

    fn truth(&self, index: usize) -> Result<Truth, EvalError> {
        self.sample(index)?;
        let labels = LabelPlane::open(&self.masks[index])?;
        Ok(Truth::of_labels(match self.white {
            true => labels.map(|&id| u16::from(id == IGNORE)),
            false => labels,
        }))
    }
}
