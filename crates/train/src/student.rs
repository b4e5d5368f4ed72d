//! What is trained: one type for networks of every architecture.

use std::collections::BTreeMap;

use seggpt::{
    Architecture, DType, DTypeChoice, Device, GradStore, Tensor, Trainable, Var, matching,
};
use seggpt_random::Rng;

use crate::{
    Batch, Task, TrainError, loss::smooth_l1, matched, optimiser::layer_share, validation::Painter,
};

/// A network with its weights as variables.
pub(crate) enum Student {
    /// One that paints.
    SegGpt(Trainable),
    /// One that compares features; its encoder stays as it is.
    Matching(matching::Trainable),
}

/// What a step's loss depends on besides the tasks.
pub(crate) struct Course<'a> {
    /// Of the smooth L1 loss.
    pub(crate) beta: f64,
    /// Factors of drop path.
    pub(crate) paths: Option<&'a Tensor>,
    /// For what is drawn anew each time that a sample is shown.
    pub(crate) rng: Rng,
}

impl Student {
    /// A network of this architecture: `trained` are the weights that have gradients, `encoder` those that have none.
    pub(crate) fn new(
        architecture: &Architecture,
        trained: BTreeMap<String, Tensor>,
        encoder: BTreeMap<String, Tensor>,
        device: &Device,
    ) -> Result<Self, TrainError> {
        Ok(match architecture {
            Architecture::SegGpt(config) => {
                Self::SegGpt(Trainable::new(config.clone(), trained, device, DType::F32)?)
            }
            Architecture::Matching(config) => {
                let tensors = trained.into_iter().chain(encoder).collect();
                Self::Matching(matching::Trainable::new(config.clone(), tensors, device)?)
            }
        })
    }

    /// Another of the same architecture, and the same encoder, with other weights.
    pub(crate) fn with(&self, weights: BTreeMap<String, Tensor>) -> Result<Self, TrainError> {
        Ok(match self {
            Self::SegGpt(network) => Self::SegGpt(Trainable::new(
                network.config().clone(),
                weights,
                network.device(),
                DType::F32,
            )?),
            Self::Matching(network) => Self::Matching(network.with_head(weights)?),
        })
    }

    /// See [`Trainable::computing_in`]; a matching network computes in f32.
    pub(crate) fn computing_in(self, dtype: DType) -> Self {
        match self {
            Self::SegGpt(network) => Self::SegGpt(network.computing_in(dtype)),
            matching => matching,
        }
    }

    pub(crate) fn architecture(&self) -> Architecture {
        match self {
            Self::SegGpt(network) => Architecture::SegGpt(network.config().clone()),
            Self::Matching(network) => Architecture::Matching(network.config().clone()),
        }
    }

    pub(crate) fn device(&self) -> &Device {
        match self {
            Self::SegGpt(network) => network.device(),
            Self::Matching(network) => network.device(),
        }
    }

    /// The weights that have gradients.
    pub(crate) fn weights(&self) -> &BTreeMap<String, Var> {
        match self {
            Self::SegGpt(network) => network.weights(),
            Self::Matching(network) => network.weights(),
        }
    }

    /// The tensors that have none.
    pub(crate) fn encoder(&self) -> BTreeMap<String, Tensor> {
        match self {
            Self::SegGpt(_) => BTreeMap::new(),
            Self::Matching(network) => network.encoder_tensors().clone(),
        }
    }

    /// Edge of a patch in pixels.
    pub(crate) fn patch(&self) -> usize {
        match self {
            Self::SegGpt(network) => network.config().patch_size,
            Self::Matching(network) => network.config().encoder.patch_size,
        }
    }

    /// Blocks that drop path may skip.
    pub(crate) fn depth(&self) -> usize {
        match self {
            Self::SegGpt(network) => network.config().depth,
            Self::Matching(_) => 0,
        }
    }

    /// A weight's share of the learning rate.
    pub(crate) fn share(&self, name: &str, layer_decay: f64) -> f64 {
        match self {
            Self::SegGpt(network) => layer_share(network.config(), name, layer_decay),
            Self::Matching(_) => 1.0,
        }
    }

    /// The loss of some tasks, and the gradients of the weights.
    pub(crate) fn learn(
        &self,
        tasks: &[Task],
        mut course: Course,
    ) -> Result<(f64, GradStore), TrainError> {
        let loss = match self {
            Self::SegGpt(network) => {
                let batch = Batch::new(tasks, self.patch(), self.device())?;
                let painted = network.forward(&batch.canvases, course.paths)?;
                smooth_l1(&painted, &batch.target, &batch.weight, course.beta)?
            }
            Self::Matching(network) => matched::loss(network, tasks, &mut course.rng)?,
        };
        Ok((f64::from(loss.to_scalar::<f32>()?), loss.backward()?))
    }

    /// Writes a checkpoint.
    pub(crate) fn save(
        &self,
        path: &std::path::Path,
        dtype: DTypeChoice,
    ) -> Result<(), TrainError> {
        match self {
            Self::SegGpt(network) => network.save(path, dtype)?,
            Self::Matching(network) => network.save(path, dtype)?,
        }
        Ok(())
    }
}

impl Painter for Student {
    fn paint(&self, tasks: &[Task], beta: f64) -> Result<(f64, Vec<Vec<f32>>), TrainError> {
        match self {
            Self::SegGpt(network) => network.paint(tasks, beta),
            Self::Matching(network) => matched::paint(network, tasks),
        }
    }
}

/// Names of the tensors of an architecture: those that are trained, and those that stay as they are.
pub(crate) fn names(architecture: &Architecture) -> (Vec<String>, Vec<String>) {
    let names = architecture.tensors().into_iter().map(|(name, _)| name);
    match architecture {
        Architecture::SegGpt(_) => (names.collect(), Vec::new()),
        Architecture::Matching(_) => names.partition(|name| name.starts_with("head.")),
    }
}
