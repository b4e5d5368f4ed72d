use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use rayon::prelude::*;
use seggpt_imaging::{
    LabelPlane, Rgb,
    annotation::{Annotation, MaskKind, MaskMode},
};

use crate::{Class, Dataset, DatasetError, Sample, Truth, files};

/// Pictures and masks as people draw them: `images/NAME.*` and `masks/NAME.*`, the masks black and white, palettes, class
/// ids or colours ([`MaskMode`]).
///
/// Masks of colours number their colours in the order in which the set shows them; the class of a mask that is black and
/// white is 1. Pictures without a mask are left out.
#[derive(Debug, Clone)]
pub struct Annotated {
    name: String,
    classes: Vec<Class>,
    samples: Vec<Sample>,
    masks: Vec<PathBuf>,
    mode: MaskMode,
    colors: BTreeMap<Rgb, u16>,
}

impl Annotated {
    /// Lists the folder and reads every mask once.
    ///
    /// # Errors
    /// [`DatasetError::File`]: a file cannot be read, a mask has no picture, there are none, or
    /// a mask that cannot be understood.
    pub fn open(root: impl AsRef<Path>, mode: MaskMode) -> Result<Self, DatasetError> {
        let root = root.as_ref();
        let pictures = files::pictures(&root.join("images"))?;
        let (mut samples, mut masks) = (Vec::new(), Vec::new());
        for (name, mask) in files::pictures(&root.join("masks"))?.iter() {
            let picture = pictures
                .get(name)
                .ok_or_else(|| files::wrong(mask, "there is no picture of this name in images/"))?;
            samples.push(Sample::new(name, picture.clone()));
            masks.push(mask.clone());
        }
        if samples.is_empty() {
            return Err(files::wrong(root, "its folder masks/ holds no masks"));
        }
        let annotations: Vec<(MaskKind, Vec<(u16, Rgb)>)> = masks
            .par_iter()
            .map(|mask| {
                let annotation = Annotation::open(mask, mode, None)?;
                let classes = annotation.classes.iter();
                let classes = classes.map(|class| (class.id, class.color)).collect();
                Ok((annotation.kind, classes))
            })
            .collect::<Result<_, DatasetError>>()?;
        let mut set = Self {
            name: files::name(root),
            classes: Vec::new(),
            samples,
            masks,
            mode,
            colors: BTreeMap::new(),
        };
        for (kind, classes) in &annotations {
            if *kind == MaskKind::Rgb {
                for (_, color) in classes {
                    let next = set.colors.len() as u16 + 1;
                    set.colors.entry(*color).or_insert(next);
                }
            }
        }
        let mut all = BTreeMap::new();
        for (sample, (kind, classes)) in set.samples.iter_mut().zip(&annotations) {
            let own = |(id, color): &(u16, Rgb)| match kind {
                MaskKind::Rgb => set.colors[color],
                _ => *id,
            };
            let mut shown: Vec<u16> = classes.iter().map(own).collect();
            shown.sort_unstable();
            all.extend(
                shown
                    .iter()
                    .map(|id| (*id, Class::new(*id, format!("class {id}")))),
            );
            sample.classes = Some(shown);
        }
        set.classes = all.into_values().collect();
        Ok(set)
    }
}

impl Dataset for Annotated {
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
        let annotation = Annotation::open(&self.masks[index], self.mode, None)?;
        let mask = annotation.painted;
        let ids: BTreeMap<Rgb, u16> = match annotation.kind {
            MaskKind::Rgb => self.colors.clone(),
            _ => annotation
                .classes
                .iter()
                .map(|class| (class.color, class.id))
                .collect(),
        };
        let label = |rgb: &Rgb| match annotation.kind {
            // Soft borders belong to what they are nearer to.
            MaskKind::Binary => u16::from(rgb.map(u32::from).iter().sum::<u32>() > 3 * 127),
            _ => ids.get(rgb).copied().unwrap_or(0),
        };
        let (pixels, _) = mask.as_raw().as_chunks::<3>();
        let size = (mask.width() as usize, mask.height() as usize);
        let labels = LabelPlane::new(size, pixels.iter().map(label).collect())?;
        Ok(Truth::of_labels(labels))
    }
}
