//! The loss of Painter (`forward_loss`): smooth L1 on what is hidden and valid; and that of matching networks.

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

/// Binary cross entropy, its mean over the weight, and half of the Dice loss, its mean over tasks.
///
/// `logits`, `target` (0 to 1) and `weight` are `[B, height, width]`. A scalar, differentiable in `logits`.
///
/// # Errors
/// If the shapes do not match.
pub fn cross_entropy_and_dice(
    logits: &Tensor,
    target: &Tensor,
    weight: &Tensor,
) -> Result<Tensor, ComputeError> {
    // ln(1 + e^x) - x t, in a form that does not overflow.
    let rest = (logits.abs()?.neg()?.exp()? + 1.0)?.log()?;
    let entropy = ((logits.relu()? - (logits * target)?)? + rest)?;
    let total = (weight.sum_all()? + 1e-2)?;
    let entropy = (entropy * weight)?.sum_all()?.div(&total)?;

    let sure = ((((logits * 0.5)?.tanh()? + 1.0)? * 0.5)? * weight)?;
    let target = (target * weight)?;
    let sum = |x: &Tensor| x.flatten_from(1)?.sum(1);
    let both = ((sum(&(&sure * &target)?)? * 2.0)? + 1.0)?;
    let either = ((sum(&sure)? + sum(&target)?)? + 1.0)?;
    let dice = (1.0 - both.div(&either)?.mean_all()?)?;
    entropy + (dice * 0.5)?
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

    #[test]
    fn cross_entropy_and_dice_are_those_of_the_definition() {
        let tensor = |values: [f32; 4]| {
            let tensor = Tensor::new(&values, &Device::Cpu).unwrap();
            tensor.reshape((1, 2, 2)).unwrap()
        };
        let (logits, target) = ([100.0, -2.0, 0.5, -100.0], [1.0, 0.0, 1.0, 1.0]);
        let weight = [1.0, 1.0, 1.0, 0.0];
        let loss = cross_entropy_and_dice(&tensor(logits), &tensor(target), &tensor(weight));
        let loss = loss.unwrap().to_scalar::<f32>().unwrap();
        let sigmoid = |x: f32| 1.0 / (1.0 + (-x).exp());
        let entropy = -((1.0 - sigmoid(-2.0)).ln() + sigmoid(0.5).ln()) / 3.01;
        let sure = [1.0, sigmoid(-2.0), sigmoid(0.5)];
        let dice = 1.0 - (2.0 * (sure[0] + sure[2]) + 1.0) / (sure.iter().sum::<f32>() + 2.0 + 1.0);
        assert!((loss - entropy - 0.5 * dice).abs() < 1e-5, "{loss}");
    }
}
