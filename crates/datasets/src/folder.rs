use std::path::{Path, PathBuf};

use crate::{
    Class, Dataset, DatasetError, Frame, Role, Sample, Truth, files,
    mask_values::{self, MaskKind, MaskValues},
};

/// Pictures and masks of class ids in two folders.
///
/// `images/NAME.*`, `masks/NAME.png` (8 or 16 bits or a palette; 0 background, 255 ignored; where there is one class and no
/// mask has its id, 255 is the class, as in black and white masks), `classes.tsv` (`id TAB name`), and, if the set has prompts of its own, `split.tsv`
/// (`NAME TAB prompt|query`). A folder without `images/` is taken as a set of videos: every folder
/// in it that has `images/` is one, its frames in the order of their names.
#[derive(Debug, Clone)]
pub struct Folder {
    name: String,
    classes: Vec<Class>,
    samples: Vec<Sample>,
    masks: Vec<PathBuf>,
    /// How each mask marks the classes.
    kinds: Vec<MaskKind>,
}

impl Folder {
    /// Lists the folder.
    ///
    /// # Errors
    /// [`DatasetError::File`], naming what is missing or wrong.
    pub fn open(root: impl AsRef<Path>) -> Result<Self, DatasetError> {
        let root = root.as_ref();
        let mut set = Self {
            name: files::name(root),
            classes: files::classes(&root.join("classes.tsv"))?,
            samples: Vec::new(),
            masks: Vec::new(),
            kinds: Vec::new(),
        };
        if root.join("images").is_dir() {
            set.extend(root, None)?;
            set.read_masks()?;
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
        set.read_masks()?;
        Ok(set)
    }

    /// Reads every mask for the classes that it shows. Where there is one class, masks may be black and white: those of
    /// prompts and those of queries each by themselves.
    fn read_masks(&mut self) -> Result<(), DatasetError> {
        let all = mask_values::read(&self.masks)?;
        let ids: Vec<u16> = self.classes.iter().map(|class| class.id).collect();
        let kind = |role: Option<Role>| {
            let of_role = self.samples.iter().zip(&all);
            let of_role = of_role.filter(|(sample, _)| sample.role == role);
            match ids[..] {
                [only] if mask_values::are_white(of_role.map(|(_, values)| values)) => {
                    MaskKind::White(only)
                }
                _ => MaskKind::Ids,
            }
        };
        let [prompts, queries, neither] = [Some(Role::Prompt), Some(Role::Query), None].map(kind);
        let of = |role: Option<Role>| match role {
            Some(Role::Prompt) => prompts,
            Some(Role::Query) => queries,
            None => neither,
        };
        self.kinds = self.samples.iter().map(|sample| of(sample.role)).collect();
        let each = || self.masks.iter().zip(&all).zip(&self.kinds);
        for ((mask, values), kind) in each() {
            kind.check(mask, values)?;
        }
        let asked = each().zip(&self.samples);
        let asked = asked.filter(|(_, sample)| sample.role == Some(Role::Query));
        let asked = asked.map(|(((mask, values), kind), _)| (mask.as_path(), values, *kind));
        mask_values::check_shown(&ids, asked)?;
        let shown: Vec<Vec<u16>> = all
            .iter()
            .zip(&self.kinds)
            .map(|(values, kind): (&MaskValues, &MaskKind)| kind.classes(values))
            .collect();
        for (sample, shown) in self.samples.iter_mut().zip(shown) {
            sample.classes = Some(shown);
        }
        Ok(())
    }

    fn extend(&mut self, folder: &Path, video: Option<String>) -> Result<(), DatasetError> {
        let masks = files::pictures(&folder.join("masks"))?;
        let pictures = files::pictures(&folder.join("images"))?;
        let named = |(name, path): &(String, PathBuf)| Sample::new(name, path.clone());
        let mut samples: Vec<Sample> = pictures.iter().map(named).collect();
        let split = folder.join("split.tsv");
        if split.is_file() {
            samples = in_split(&split, &samples)?;
        }
        for (index, mut sample) in samples.into_iter().enumerate() {
            let mask = masks.get(&sample.name).cloned().ok_or_else(|| {
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
fn in_split(split: &Path, samples: &[Sample]) -> Result<Vec<Sample>, DatasetError> {
    let row = |line: String| {
        let (name, role) = line.split_once('\t').unwrap_or((&line, ""));
        let role = match role.trim() {
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

    fn truth_size(&self, index: usize) -> Result<Option<(usize, usize)>, DatasetError> {
        self.sample(index)?;
        files::size(&self.masks[index]).map(Some)
    }

    fn truth(&self, index: usize) -> Result<Truth, DatasetError> {
        self.sample(index)?;
        self.kinds[index].truth(&self.masks[index])
    }
}
