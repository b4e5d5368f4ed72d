//! AdamW (Loshchilov & Hutter 2019) and the running average of the weights.

use std::collections::BTreeMap;

use seggpt::{ComputeError, Config, GradStore, Tensor, Var};

use crate::Optimisation;

/// Gradients by the name of their weight.
pub type Gradients = BTreeMap<String, Tensor>;

/// Weights by name.
pub type Variables = BTreeMap<String, Var>;

/// Takes the gradients of the weights out of a backward pass, which they then no longer hold in memory. Weights that the
/// loss does not depend on have none.
pub fn gradients(weights: &Variables, store: &GradStore) -> Gradients {
    let found = weights
        .iter()
        .filter_map(|(name, var)| Some((name.clone(), store.get(var)?.detach())));
    found.collect()
}

/// Adds gradients of another batch.
///
/// # Errors
/// If the computation fails.
pub fn add(total: &mut Gradients, more: Gradients) -> Result<(), ComputeError> {
    for (name, gradient) in more {
        let sum = match total.get(&name) {
            Some(sum) => (sum + gradient)?,
            None => gradient,
        };
        total.insert(name, sum);
    }
    Ok(())
}

/// The length of all gradients together.
///
/// # Errors
/// If the computation fails.
pub fn length(gradients: &Gradients) -> Result<f64, ComputeError> {
    let mut sum = 0.0;
    for gradient in gradients.values() {
        sum += f64::from(gradient.sqr()?.sum_all()?.to_scalar::<f32>()?);
    }
    Ok(sum.sqrt())
}

/// The memory of the optimiser.
pub struct AdamW {
    /// Running mean of each weight's gradient.
    pub mean: BTreeMap<String, Tensor>,
    /// Running mean of its square.
    pub square: BTreeMap<String, Tensor>,
}

impl AdamW {
    /// A fresh memory.
    ///
    /// # Errors
    /// If there is not enough memory on the device.
    pub fn new(weights: &Variables) -> Result<Self, ComputeError> {
        let zeros = || -> Result<BTreeMap<_, _>, ComputeError> {
            weights
                .iter()
                .map(|(name, var)| Ok((name.clone(), var.zeros_like()?)))
                .collect()
        };
        Ok(Self {
            mean: zeros()?,
            square: zeros()?,
        })
    }

    /// Moves the weights by one step, the first of which has number 1. `factor` scales the gradients; `rate` is the
    /// learning rate of the weight of each name.
    ///
    /// # Errors
    /// If the computation fails.
    pub fn step(
        &mut self,
        weights: &Variables,
        gradients: &Gradients,
        factor: f64,
        rate: impl Fn(&str) -> f64,
        number: u64,
        settings: &Optimisation,
    ) -> Result<(), ComputeError> {
        for (name, gradient) in gradients {
            let (Some(var), Some(mean), Some(square)) = (
                weights.get(name),
                self.mean.get_mut(name),
                self.square.get_mut(name),
            ) else {
                continue;
            };
            let direction = direction(
                &(gradient * factor)?,
                [mean, square],
                number,
                settings.betas,
            )?;
            let rate = rate(name);
            let decay = if decays(name, gradient.dims()) {
                settings.weight_decay
            } else {
                0.0
            };
            // Decoupled: the decay goes past the memory of gradients.
            let weight = ((var.as_tensor() * (1.0 - rate * decay))? - (direction * rate)?)?;
            var.set(&weight.detach())?;
        }
        Ok(())
    }
}

/// Takes a gradient into the memory of its mean and square, and returns Adam's direction for a rate of 1; steps have
/// numbers from 1.
///
/// # Errors
/// If the computation fails.
pub fn direction(
    gradient: &Tensor,
    [mean, square]: [&mut Tensor; 2],
    number: u64,
    betas: [f64; 2],
) -> Result<Tensor, ComputeError> {
    const EPSILON: f64 = 1e-8;
    let [first, second] = betas;
    let correct = |beta: f64| 1.0 - beta.powf(number as f64);
    *mean = ((&*mean * first)? + (gradient * (1.0 - first))?)?;
    *square = ((&*square * second)? + (gradient.sqr()? * (1.0 - second))?)?;
    let deviation = ((&*square / correct(second))?.sqrt()? + EPSILON)?;
    (&*mean / correct(first))?.div(&deviation)
}

/// Matrices decay; tokens, positions, norms and biases do not, as in Painter's code.
fn decays(name: &str, shape: &[usize]) -> bool {
    let long_sides = shape.iter().filter(|side| **side > 1).count();
    long_sides > 1 && !name.contains("pos")
}

/// Painter's layer decay: the embeddings are layer 0, block `i` is layer `i + 1`, the rest is the last.
pub(crate) fn layer_share(config: &Config, name: &str, decay: f64) -> f64 {
    let last = config.depth + 1;
    let embeddings = ["patch_embed.", "target_embed.", "stem.", "pos_embed"];
    let block = name
        .strip_prefix("blocks.")
        .and_then(|rest| rest.split('.').next()?.parse::<usize>().ok());
    let layer = match block {
        Some(index) => index + 1,
        None if embeddings.iter().any(|prefix| name.starts_with(prefix)) => 0,
        None => last,
    };
    decay.powi((last - layer) as i32)
}

/// Moves the average towards the weights. `number` counts steps from 1: early on, the average forgets faster.
///
/// # Errors
/// If the computation fails.
pub fn average(
    average: &Variables,
    weights: &Variables,
    keep: f64,
    number: u64,
) -> Result<(), ComputeError> {
    let keep = keep.min((1 + number) as f64 / (10 + number) as f64);
    for (average, weight) in average.values().zip(weights.values()) {
        let moved = ((average.as_tensor() * keep)? + (weight.as_tensor() * (1.0 - keep))?)?;
        average.set(&moved.detach())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_matrices_and_kernels_decay() {
        assert!(
            decays("blocks.0.mlp.fc1.weight", &[512, 128])
                && decays("stem.0.weight", &[48, 3, 3, 3])
        );
        for (name, shape) in [
            ("mask_token", vec![1, 1, 1, 128]),
            ("blocks.0.norm1.weight", vec![128]),
            ("pos_embed", vec![1, 197, 128]),
            ("blocks.0.attn.rel_pos_h", vec![31, 32]),
        ] {
            assert!(!decays(name, &shape), "{name}");
        }
    }

    #[test]
    fn layers_decay_from_the_last_to_the_first() {
        let config = Config::small();
        let share = |name| layer_share(&config, name, 0.5);
        assert_eq!(share("norm.weight"), 1.0);
        assert_eq!(share("blocks.3.mlp.fc1.weight"), 0.5);
        assert_eq!(share("patch_embed.proj.weight"), 0.5f64.powi(5));
    }
}
