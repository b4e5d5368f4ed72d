use std::path::{Path, PathBuf};

use super::{Class, Dataset, Frame, Role, Sample, Truth, files};
use crate::{EvalError, LabelPlane};

/// Pictures and masks of class ids in two folders.
///
/// `images/NAME.*`, `masks/NAME.png` (8 or 16 bits or a palette; 0 background, 255 ignored),
/// `classes.tsv` (`id TAB name`), and, if the set has prompts of its own, `split.tsv`
/// (`NAME TAB prompt|query`). A folder without `images/` is taken as a set of videos: every folder
/// in it that has `images/` is one, its frames in the order of their names.
#[derive(Debug, Clone)]
pub struct Folder {
    name: String,
    classes: Vec<Class>,
    samples: Vec<Sample>,
    masks: Vec<PathBuf>,
}

impl Folder {
    /// Lists the folder.
    ///
    /// # Errors
    /// [`EvalError::Read`] and [`EvalError::Format`], naming what is missing or wrong.
    pub fn open(root: impl AsRef<Path>) -> Result<Self, EvalError> {
        let root = root.as_ref();
        let mut set = Self {
            name: files::name(root),
            classes: files::classes(&root.join("classes.tsv"))?,
            samples: Vec::new(),
            masks: Vec::new(),
        };
        if root.join("images").is_dir() {
            set.extend(root, None)?;
            return Ok(set);
        }
        let videos = files::folders(root)?;
        for video in videos
            .iter()
            .filter(|folder| folder.join("images").is_dir())
        {
            set.extend(video, Some(files::name(video)))?;
        }
        if set.is_empty() {
            let reason = "it holds neither images/ nor folders with images/";
            return Err(files::wrong(root, reason));
        }
        Ok(set)
    }

    fn extend(&mut self, folder: &Path, video: Option<String>) -> Result<(), EvalError> {
        let mut masks = files::pictures(&folder.join("masks"))?;
        let pictures = files::pictures(&folder.join("images"))?;
        let named = |(name, path): (String, PathBuf)| Sample::new(name, path);
        let mut samples: Vec<Sample> = pictures.into_iter().map(named).collect();
        let split = folder.join("split.tsv");
        if split.is_file() {
            samples = in_split(&split, &samples)?;
        }
        for (index, mut sample) in samples.into_iter().enumerate() {
            let mask = masks.remove(&sample.name).ok_or_else(|| {
                let reason = format!("there is no mask named `{}`", sample.name);
                files::wrong(&folder.join("masks"), reason)
            })?;
            if let Some(video) = &video {
                sample.name = format!("{video}/{}", sample.name);
                sample.frame = Some(Frame {
                    video: video.clone(),
                    index,
                });
            }
            self.samples.push(sample);
            self.masks.push(mask);
        }
        Ok(())
    }
}

/// The samples that a split lists, in its order.
fn in_split(split: &Path, samples: &[Sample]) -> Result<Vec<Sample>, EvalError> {
    let row = |line: String| {
        let (name, role) = line.split_once('\t').unwrap_or((&line, ""));
        let role = match role {
            "prompt" => Role::Prompt,
            "query" => Role::Query,
            _ => {
                let reason = format!("`{line}` is not a name, a tab and `prompt` or `query`");
                return Err(files::wrong(split, reason));
            }
        };
        let sample = samples.iter().find(|sample| sample.name == name);
        let mut sample = sample.cloned().ok_or_else(|| {
            files::wrong(
                split,
                format!("there is no picture named `{name}` in images/"),
            )
        })?;
        sample.role = Some(role);
        Ok(sample)
    };
    files::list(split)?.into_iter().map(row).collect()
}

impl Dataset for Folder {
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
        Ok(Truth::of_labels(LabelPlane::open(&self.masks[index])?))
    }
}
