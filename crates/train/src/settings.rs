//! `train.yml`: all that decides what a run computes.

use std::{
    fs,
    path::{Path, PathBuf},
};

use seggpt::{Config, TargetEmbedding};
use serde::{Deserialize, Serialize};

use crate::TrainError;

/// The settings of a run. Unknown fields are refused; fields that are left out have the defaults stated here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Decides all that is random. Default 1.
    #[serde(default = "one")]
    pub seed: u64,
    /// The architecture.
    #[serde(default)]
    pub network: NetworkSettings,
    /// The weights to begin with.
    #[serde(default, with = "yaml_serde::with::singleton_map")]
    pub start: Start,
    /// The course of the run: one stage after the other.
    pub stages: Vec<Stage>,
    /// How the weights are moved.
    #[serde(default)]
    pub optimisation: Optimisation,
    /// The number type of the computation. Default f32.
    #[serde(default)]
    pub precision: Precision,
    /// Of the smooth L1 loss: where the square ends and the line begins.
    #[serde(default)]
    pub beta: Beta,
    /// What of a canvas is hidden.
    #[serde(default)]
    pub masking: Masking,
    /// What the samples are made of; `size` is set by the stages.
    #[serde(default)]
    pub data: seggpt_samples::Settings,
    /// How the state of learning is measured.
    #[serde(default)]
    pub validation: Validation,
    /// Steps between two checkpoints. Default 500.
    #[serde(default = "five_hundred")]
    pub checkpoint_every: u64,
    /// Threads that make samples beside the computation. Default 1.
    #[serde(default = "single")]
    pub workers: usize,
}

fn one() -> u64 {
    1
}

fn five_hundred() -> u64 {
    500
}

fn single() -> usize {
    1
}

/// A preset and what is to differ from it ([`Config`] says what each field means).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NetworkSettings {
    /// What the other fields have unless they are given.
    pub preset: Preset,
    /// [`Config::image_size`].
    pub image_size: Option<usize>,
    /// [`Config::patch_size`].
    pub patch_size: Option<usize>,
    /// [`Config::width`].
    pub width: Option<usize>,
    /// [`Config::depth`].
    pub depth: Option<usize>,
    /// [`Config::heads`].
    pub heads: Option<usize>,
    /// [`Config::mlp_width`].
    pub mlp_width: Option<usize>,
    /// [`Config::decoder_width`].
    pub decoder_width: Option<usize>,
    /// [`Config::merge_index`]; -1 merges before the first block.
    pub merge_index: Option<isize>,
    /// [`Config::kept_blocks`].
    pub kept_blocks: Option<Vec<usize>>,
    /// [`Config::type_tokens`].
    pub type_tokens: Option<bool>,
    /// [`Config::absolute_positions`].
    pub absolute_positions: Option<bool>,
    /// [`Config::relative_positions`].
    pub relative_positions: Option<bool>,
    /// [`Config::target_embedding`].
    pub target_embedding: Option<TargetEmbedding>,
    /// [`Config::stem_width`].
    pub stem_width: Option<usize>,
    /// [`Config::depthwise`].
    pub depthwise: Option<usize>,
}

/// Named architectures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// [`Config::small`].
    #[default]
    Small,
    /// [`Config::tiny`].
    Tiny,
    /// [`Config::vit_large`].
    VitLarge,
}

impl NetworkSettings {
    /// The architecture that is meant.
    pub fn config(&self) -> Config {
        let mut config = match self.preset {
            Preset::Small => Config::small(),
            Preset::Tiny => Config::tiny(),
            Preset::VitLarge => Config::vit_large(),
        };
        macro_rules! take {
            ($($field:ident),+) => {
                $(if let Some(value) = &self.$field { config.$field = value.clone(); })+
            };
        }
        take!(
            image_size,
            patch_size,
            width,
            depth,
            heads,
            mlp_width,
            decoder_width,
            kept_blocks,
            type_tokens,
            absolute_positions,
            relative_positions,
            target_embedding,
            stem_width,
            depthwise
        );
        if let Some(index) = self.merge_index {
            config.merge_index = usize::try_from(index).ok();
        }
        if !config.absolute_positions {
            config.pretrain_image_size = config.image_size;
        }
        config
    }
}

/// The weights to begin with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Start {
    /// [`seggpt::start::structured`], fitted to samples.
    #[default]
    Structured,
    /// [`seggpt::start::random`].
    Random,
    /// A checkpoint; with it, `network` has no say. Of a matching network (`seggpt model import-encoder` makes one) the
    /// head is trained on top of the encoder as it is: every picture of a sample is the query once, for one class that
    /// the others show, and `beta`, `masking`, `drop_path` and `layer_decay` have no say.
    Checkpoint(PathBuf),
}

/// The number type of the computation. Weights, their average and the optimiser's memory are f32 whatever it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 32 bits.
    #[default]
    F32,
    /// 16 bits with the range of 32, on CUDA: faster, in half the memory.
    BF16,
}

/// A part of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// Steps of this stage.
    pub steps: u64,
    /// Edge of the pictures in pixels: a multiple of the patch.
    pub size: u32,
    /// Samples that are computed at once.
    pub batch: usize,
    /// The most prompts a sample has: each batch has 1 to so many, drawn anew. With several, the query attends to all of
    /// them at once ([`seggpt::Ensemble::Joint`]). Default 1.
    #[serde(default = "single")]
    pub prompts: usize,
    /// Batches whose gradients are added up for one step. Default 1.
    #[serde(default = "single")]
    pub accumulate: usize,
}

/// How the weights are moved: AdamW with a cosine schedule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Optimisation {
    /// The largest learning rate.
    pub learning_rate: f64,
    /// The last learning rate, as a share of the largest.
    pub final_share: f64,
    /// Steps in which the learning rate rises from 0.
    pub warmup: u64,
    /// Decay of matrices towards 0, per step and learning rate.
    pub weight_decay: f64,
    /// Memory of the gradient and of its square.
    pub betas: [f64; 2],
    /// The longest gradient; longer ones are shortened to it. 0: no limit.
    pub clip: f64,
    /// Factor on the learning rate from one block to the one before it, counted from the last. 1: all alike.
    pub layer_decay: f64,
    /// Probability that a sample skips the last block's branches; it rises from 0 with the blocks.
    pub drop_path: f64,
    /// Share of the average of the weights that stays in each step. 0: no averaging.
    pub average: f64,
}

impl Default for Optimisation {
    fn default() -> Self {
        Self {
            learning_rate: 1e-3,
            final_share: 0.01,
            warmup: 200,
            weight_decay: 0.05,
            betas: [0.9, 0.99],
            clip: 3.0,
            layer_decay: 1.0,
            drop_path: 0.0,
            average: 0.999,
        }
    }
}

/// Beta of the smooth L1 loss goes from `from` to `to` in equal ratios over the run. From nothing, a small beta (the
/// paper's 0.01) paints everything black for long: it is an absolute error, whose best constant is the median.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Beta {
    /// At the first step.
    pub from: f64,
    /// At the last step.
    pub to: f64,
}

impl Default for Beta {
    fn default() -> Self {
        Self {
            from: 0.5,
            to: 0.05,
        }
    }
}

/// What of a canvas is hidden: the whole query, or blocks of patches anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Masking {
    /// Probability that it is the whole query.
    pub whole: f64,
    /// Share of the patches that is hidden otherwise.
    pub ratio: f64,
}

impl Default for Masking {
    fn default() -> Self {
        Self {
            whole: 0.8,
            ratio: 0.75,
        }
    }
}

/// How the state of learning is measured: on samples of files that are never trained on (`data.held_out`), by the averaged
/// weights.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Validation {
    /// Steps between two measurements.
    pub every: u64,
    /// Number of samples.
    pub samples: usize,
    /// Edge of their pictures in pixels; 0 takes that of the last stage.
    pub size: u32,
}

impl Default for Validation {
    fn default() -> Self {
        Self {
            every: 500,
            samples: 96,
            size: 0,
        }
    }
}

impl Settings {
    /// Reads a settings file.
    ///
    /// # Errors
    /// [`TrainError::Io`], [`TrainError::Yaml`] with the place, or [`TrainError::Setting`].
    pub fn read(path: &Path) -> Result<Self, TrainError> {
        let text = fs::read_to_string(path).map_err(TrainError::io("read the settings", path))?;
        let settings: Self = yaml_serde::from_str(&text).map_err(|error| TrainError::Yaml {
            path: path.to_owned(),
            reason: error.to_string(),
        })?;
        settings.check()?;
        Ok(settings)
    }

    /// Checks what the file's grammar does not.
    ///
    /// # Errors
    /// [`TrainError::Setting`] names the first value that makes no sense.
    pub fn check(&self) -> Result<(), TrainError> {
        let refuse = |field, found: String, expected| {
            Err(TrainError::Setting {
                field,
                found,
                expected,
            })
        };
        if self.stages.is_empty() {
            return refuse("stages", "empty".into(), "give at least one stage");
        }
        for stage in &self.stages {
            let counts = [stage.batch, stage.prompts, stage.accumulate];
            if stage.steps == 0 || stage.size == 0 || counts.contains(&0) {
                return refuse(
                    "stages",
                    format!("{stage:?}"),
                    "steps, size, batch, prompts and accumulate must be above 0",
                );
            }
        }
        let rates = &self.optimisation;
        let shares = [
            ("optimisation.final_share", rates.final_share),
            ("optimisation.layer_decay", rates.layer_decay),
            ("optimisation.betas", rates.betas[0]),
            ("optimisation.betas", rates.betas[1]),
            ("optimisation.average", rates.average),
            ("optimisation.drop_path", rates.drop_path),
            ("masking.whole", self.masking.whole),
            ("masking.ratio", self.masking.ratio),
        ];
        for (field, value) in shares {
            if !(0.0..=1.0).contains(&value) {
                return refuse(field, value.to_string(), "it must lie in 0..=1");
            }
        }
        if rates.drop_path == 1.0 || rates.betas.contains(&1.0) || rates.average == 1.0 {
            return refuse(
                "optimisation",
                format!("{rates:?}"),
                "drop_path, betas and average must be below 1",
            );
        }
        let positive = [
            ("optimisation.learning_rate", rates.learning_rate),
            ("beta.from", self.beta.from),
            ("beta.to", self.beta.to),
        ];
        for (field, value) in positive {
            if !(value > 0.0 && value.is_finite()) {
                return refuse(field, value.to_string(), "it must be above 0");
            }
        }
        for (field, count) in [
            ("checkpoint_every", self.checkpoint_every),
            ("validation.every", self.validation.every),
            ("workers", self.workers as u64),
        ] {
            if count == 0 {
                return refuse(field, "0".into(), "it must be above 0");
            }
        }
        Ok(())
    }

    /// Steps of the whole run.
    pub fn steps(&self) -> u64 {
        self.stages.iter().map(|stage| stage.steps).sum()
    }

    /// The stage of a step, and how many samples all steps before it take.
    pub fn stage(&self, step: u64) -> (Stage, u64) {
        let (mut first, mut samples) = (0, 0);
        let mut current = self.stages[0];
        for stage in &self.stages {
            current = *stage;
            let per_step = (stage.batch * stage.accumulate) as u64;
            if step < first + stage.steps {
                return (current, samples + (step - first) * per_step);
            }
            first += stage.steps;
            samples += stage.steps * per_step;
        }
        (current, samples)
    }

    /// The learning rate of a step, counted from 0.
    pub fn learning_rate(&self, step: u64) -> f64 {
        let Optimisation {
            learning_rate,
            final_share,
            warmup,
            ..
        } = self.optimisation;
        if step < warmup {
            return learning_rate * (step + 1) as f64 / warmup as f64;
        }
        let rest = self.steps().saturating_sub(warmup).max(1);
        let done = ((step - warmup) as f64 / rest as f64).min(1.0);
        let cosine = 0.5 * (1.0 + (std::f64::consts::PI * done).cos());
        learning_rate * (final_share + (1.0 - final_share) * cosine)
    }

    /// Beta of a step, counted from 0.
    pub fn beta(&self, step: u64) -> f64 {
        let done = (step as f64 / self.steps().saturating_sub(1).max(1) as f64).min(1.0);
        self.beta.from * (self.beta.to / self.beta.from).powf(done)
    }

    /// The most prompts of any stage: samples of validation have 1 to so many.
    pub fn prompts(&self) -> usize {
        let prompts = self.stages.iter().map(|stage| stage.prompts);
        prompts.max().unwrap_or(1)
    }

    /// Edge of the pictures that are validated on.
    pub fn validation_size(&self) -> u32 {
        match self.validation.size {
            0 => self.stages.last().map_or(64, |stage| stage.size),
            size => size,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn settings() -> Settings {
        yaml_serde::from_str(
            "stages: [{steps: 100, size: 64, batch: 4}, {steps: 300, size: 128, batch: 2, accumulate: 3}]\n\
             optimisation: {learning_rate: 1.0, final_share: 0.1, warmup: 50}",
        )
        .unwrap()
    }

    #[test]
    fn stages_follow_each_other_and_count_their_samples() {
        let settings = settings();
        assert_eq!(settings.steps(), 400);
        assert_eq!(settings.stage(99), (settings.stages[0], 396));
        assert_eq!(settings.stage(102), (settings.stages[1], 412));
    }

    #[test]
    fn the_learning_rate_rises_then_falls_to_its_last_share() {
        let settings = settings();
        assert!((settings.learning_rate(24) - 0.5).abs() < 1e-9);
        assert!((settings.learning_rate(50) - 1.0).abs() < 1e-9);
        assert!((settings.learning_rate(225) - 0.55).abs() < 1e-9);
        assert!((settings.learning_rate(400) - 0.1).abs() < 1e-9);
    }

    #[test]
    fn beta_falls_in_equal_ratios() {
        let settings = settings();
        assert!((settings.beta(0) - 0.5).abs() < 1e-9 && (settings.beta(399) - 0.05).abs() < 1e-9);
    }

    #[test]
    fn an_unknown_field_is_refused() {
        let yaml = "stages: [{steps: 1, size: 64, batch: 1}]\nlearning_rate: 1";
        let error = yaml_serde::from_str::<Settings>(yaml)
            .unwrap_err()
            .to_string();
        assert!(error.contains("learning_rate"), "{error}");
    }

    #[test]
    fn a_preset_takes_overrides() {
        let yaml = "{preset: small, width: 192, heads: 6, merge_index: 0, kept_blocks: [3]}";
        let network: NetworkSettings = yaml_serde::from_str(yaml).unwrap();
        let config = network.config();
        assert_eq!(
            (config.width, config.merge_index, config.depth),
            (192, Some(0), Config::small().depth)
        );
    }
}
