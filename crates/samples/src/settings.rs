use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{SamplesError, backgrounds::Scale, datasets::DatasetSettings};

/// What [`Mix`](crate::Mix) makes samples of. Every field has a default; unknown fields are refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Width and height of every picture, in pixels: 16 to 1024, even. No part of a settings file: whoever trains says it
    /// stage by stage.
    #[serde(skip, default = "small")]
    pub size: u32,
    /// The folder with `objects/`, `labelled/` and `backgrounds/`, or a pack of it. Without one, only
    /// [`Weights::synthetic`] may be above 0.
    pub root: Option<PathBuf>,
    /// Labelled sets in formats of their own, for [`Weights::datasets`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub datasets: Vec<DatasetSettings>,
    /// Share of the files that is kept for validation alone, from 0 (validation draws from the files that are trained on)
    /// to 0.5: of cut-outs whole classes, of everything else pictures, of videos whole videos.
    pub held_out: f32,
    /// Memory for decoded pictures, in MiB: 16 or more. Clones of one [`Mix`](crate::Mix) share it.
    pub cache_mib: usize,
    /// How often each source is drawn from.
    pub weights: Weights,
    /// What happens to the pictures of every source.
    pub augmentation: Augmentation,
}

/// What a size is where none is said.
fn small() -> u32 {
    64
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            size: small(),
            root: None,
            datasets: Vec::new(),
            held_out: 0.1,
            cache_mib: 384,
            weights: Weights::default(),
            augmentation: Augmentation::default(),
        }
    }
}

/// How often each source is drawn from, in proportion to the sum. 0 turns a source off.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Weights {
    /// Drawn scenes. Needs no files.
    pub synthetic: f32,
    /// Objects over backgrounds.
    pub cutouts: f32,
    /// Mosaics of photographed materials.
    pub materials: f32,
    /// Pairs of crops of labelled pictures.
    pub labelled: f32,
    /// Several views of one photograph, its segments as classes.
    pub segments: f32,
    /// Pairs of pictures of [`Settings::datasets`].
    pub datasets: f32,
}

impl Weights {
    /// Every source is off.
    pub const NONE: Self = Self {
        synthetic: 0.0,
        cutouts: 0.0,
        materials: 0.0,
        labelled: 0.0,
        segments: 0.0,
        datasets: 0.0,
    };

    /// Every source by its name in settings.
    #[must_use]
    pub fn named(&self) -> [(&'static str, f32); 6] {
        [
            ("synthetic", self.synthetic),
            ("cutouts", self.cutouts),
            ("materials", self.materials),
            ("labelled", self.labelled),
            ("segments", self.segments),
            ("datasets", self.datasets),
        ]
    }

    /// One of them by its name in settings.
    fn of(&mut self, name: &str) -> &mut f32 {
        match name {
            "synthetic" => &mut self.synthetic,
            "cutouts" => &mut self.cutouts,
            "materials" => &mut self.materials,
            "labelled" => &mut self.labelled,
            "segments" => &mut self.segments,
            _ => &mut self.datasets,
        }
    }

    pub(crate) fn turn_off(&mut self, name: &str) {
        *self.of(name) = 0.0;
    }

    /// Every source that is on, with the weights that leave it alone on.
    pub(crate) fn each(&self) -> Vec<(&'static str, Self)> {
        let alone = |name: &str| {
            let mut alone = Self::NONE;
            *alone.of(name) = 1.0;
            alone
        };
        let on = self.named().into_iter().filter(|(_, weight)| *weight > 0.0);
        on.map(|(name, _)| (name, alone(name))).collect()
    }
}

impl Default for Weights {
    fn default() -> Self {
        Self {
            synthetic: 1.0,
            ..Self::NONE
        }
    }
}

/// What happens to the pictures of every source: probabilities from 0 to 1, strengths from 0 (nothing).
///
/// The defaults are the paper's crop, jitter and flip, somewhat milder in colour because here colours
/// often are what tells classes apart, and what cameras and files add.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Augmentation {
    /// Probability that a picture is cropped and resized.
    pub crop: f32,
    /// The smallest share of the area that a crop keeps, above 0 and up to 1.
    pub crop_area: f32,
    /// Probability of a left-right flip, each picture for itself.
    pub flip: f32,
    /// Probability of a colour jitter, each picture for itself.
    pub jitter: f32,
    /// Strength of the jitter of brightness, contrast, saturation and white balance.
    pub jitter_strength: f32,
    /// Probability that all pictures of a task turn their hue by the same angle.
    pub hue: f32,
    /// Probability that all pictures of a task become grey, where colour is not all that counts.
    pub grey: f32,
    /// Probability of uneven light.
    pub light: f32,
    /// Probability of blur.
    pub blur: f32,
    /// Probability of noise.
    pub noise: f32,
    /// Probability of JPEG compression.
    pub jpeg: f32,
    /// Probability that prompt and query are 2 x 2 grids of pictures under one colour map.
    pub stitch: f32,
    /// Probability that prompts and query are views of one picture.
    pub same_picture: f32,
    /// Probability that such a pair asks for single things (needs `same_picture`).
    pub instance: f32,
    /// Probability that the query shows none of the classes of the prompts, where a source has such pictures.
    pub empty: f32,
}

impl Default for Augmentation {
    fn default() -> Self {
        Self {
            crop: 0.35,
            crop_area: 0.45,
            flip: 0.5,
            jitter: 0.8,
            jitter_strength: 0.15,
            hue: 0.25,
            grey: 0.08,
            light: 0.3,
            blur: 0.2,
            noise: 0.25,
            jpeg: 0.2,
            stitch: 0.08,
            same_picture: 0.12,
            instance: 0.6,
            empty: 0.08,
        }
    }
}

impl Settings {
    /// Only drawn scenes, with the default augmentation.
    #[must_use]
    pub fn synthetic(size: u32) -> Self {
        Self {
            size,
            ..Self::default()
        }
    }

    /// All sources, in the proportions that a trial trained well with.
    #[must_use]
    pub fn with_data(size: u32, root: impl Into<PathBuf>) -> Self {
        Self {
            size,
            root: Some(root.into()),
            weights: Weights {
                synthetic: 0.45,
                cutouts: 0.22,
                materials: 0.08,
                labelled: 0.17,
                segments: 0.08,
                datasets: 0.0,
            },
            ..Self::default()
        }
    }

    pub(crate) fn scale(&self) -> Scale {
        Scale {
            size: self.size,
            cache: self.cache_mib << 20,
        }
    }

    /// # Errors
    /// [`SamplesError::Settings`]: a size, weight or probability out of its range, or no root where one is needed.
    pub fn check(&self) -> Result<(), SamplesError> {
        let refuse = |reason: String| Err(SamplesError::Settings { reason });
        if !(16..=1024).contains(&self.size) || !self.size.is_multiple_of(2) {
            return refuse(format!(
                "size is {}; it must be an even number from 16 to 1024",
                self.size
            ));
        }
        if self.cache_mib < 16 {
            return refuse(format!(
                "cache_mib is {}; it must be 16 or more",
                self.cache_mib
            ));
        }
        if !(0.0..=0.5).contains(&self.held_out) {
            return refuse(format!(
                "held_out is {}; it must be between 0 and 0.5",
                self.held_out
            ));
        }
        let weights = self.weights.named();
        for (name, weight) in weights {
            if !(weight.is_finite() && weight >= 0.0) {
                return refuse(format!("weights.{name} is {weight}; it must be 0 or more"));
            }
            if name == "datasets" {
                if weight > 0.0 && self.datasets.is_empty() {
                    return refuse(format!(
                        "weights.datasets is {weight}, but `datasets` lists none"
                    ));
                }
                continue;
            }
            if self.root.is_none() && weight > 0.0 && name != "synthetic" {
                return refuse(format!(
                    "weights.{name} is {weight}, but there is no data; name the folder in `root` or set the weight to 0"
                ));
            }
        }
        if weights.iter().all(|&(_, weight)| weight == 0.0) {
            return refuse("all weights are 0; set at least weights.synthetic above 0".to_owned());
        }
        self.augmentation.check()
    }
}

impl Augmentation {
    /// Nothing is changed.
    #[must_use]
    pub fn none() -> Self {
        Self {
            crop: 0.0,
            crop_area: 1.0,
            flip: 0.0,
            jitter: 0.0,
            jitter_strength: 0.0,
            hue: 0.0,
            grey: 0.0,
            light: 0.0,
            blur: 0.0,
            noise: 0.0,
            jpeg: 0.0,
            stitch: 0.0,
            same_picture: 0.0,
            instance: 0.0,
            empty: 0.0,
        }
    }

    fn check(&self) -> Result<(), SamplesError> {
        let probabilities = [
            ("crop", self.crop),
            ("flip", self.flip),
            ("jitter", self.jitter),
            ("hue", self.hue),
            ("grey", self.grey),
            ("light", self.light),
            ("blur", self.blur),
            ("noise", self.noise),
            ("jpeg", self.jpeg),
            ("stitch", self.stitch),
            ("same_picture", self.same_picture),
            ("instance", self.instance),
            ("empty", self.empty),
            ("jitter_strength", self.jitter_strength),
        ];
        for (name, value) in probabilities {
            if !(0.0..=1.0).contains(&value) {
                return Err(SamplesError::Settings {
                    reason: format!("augmentation.{name} is {value}; it must be between 0 and 1"),
                });
            }
        }
        if !(0.05..=1.0).contains(&self.crop_area) {
            return Err(SamplesError::Settings {
                reason: format!(
                    "augmentation.crop_area is {}; it must be between 0.05 and 1",
                    self.crop_area
                ),
            });
        }
        Ok(())
    }
}
