//! The loss of Painter (`forward_loss`): smooth L1 on what is hidden and valid.

use seggpt::{ComputeError, Tensor};

/// The mean over pixels of weight above 0 of the smooth L1 distance: `d² / (2 beta)` up to `beta`, `|d| - beta / 2`
/// beyond.
///
/// `painted`, `target` and `weight` are `[B, 2 S, S, 3]`. A scalar, differentiable in `painted`.
///
/// # Errors
/// If the shapes do not match.
pub fn smooth_l1(
    painted: &Tensor,
    target: &Tensor,
    weight: &Tensor,
    beta: f64,
) -> Result<Tensor, ComputeError> {
    let distance = (painted - target)?.abs()?;
    let beyond = (&distance - beta)?.relu()?;
    let within = (&distance - &beyond)?;
    let loss = ((within.sqr()? * (0.5 / beta))? + beyond)?;
    // Painter adds 0.01 to the sum of weights, so that canvases without any cost nothing.
    let total = (weight.sum_all()? + 1e-2)?;
    (loss * weight)?.sum_all()?.div(&total)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use seggpt::Device;

    #[test]
    fn it_is_a_square_within_beta_and_a_line_beyond() {
        let tensor = |values: [f32; 3]| {
            Tensor::new(&values, &Device::Cpu)
                .unwrap()
                .reshape((1, 1, 1, 3))
                .unwrap()
        };
        let painted = tensor([0.05, 1.0, -7.0]);
        let loss = |weight| {
            let loss = smooth_l1(&painted, &tensor([0.0; 3]), &tensor(weight), 0.1).unwrap();
            f64::from(loss.to_scalar::<f32>().unwrap()) * 1.01
        };
        assert!((loss([1.0, 0.0, 0.0]) - 0.0125).abs() < 1e-6);
        assert!((loss([0.0, 1.0, 0.0]) - 0.95).abs() < 1e-6);
    }
}
