//! The prompt that learns: two planes of numbers between black and white.

use seggpt::{ComputeError, Device, GradStore, Tensor, Var, pixels};
use seggpt_samples::RgbImage;

use crate::optimiser;

/// Adam's memory of gradient and square: those of training.
const BETAS: [f64; 2] = [0.9, 0.99];

/// One of the prompt's pictures.
pub(super) struct Plane {
    /// `[3, S, S]`: 0 is a channel's black, 1 its white.
    pub(super) value: Var,
    pub(super) mean: Tensor,
    pub(super) square: Tensor,
}

impl Plane {
    pub(super) fn new(value: &Tensor) -> Result<Self, ComputeError> {
        Ok(Self {
            value: Var::from_tensor(value)?,
            mean: value.zeros_like()?,
            square: value.zeros_like()?,
        })
    }

    /// In the network's units, differentiable.
    pub(super) fn normalised(&self) -> Result<Tensor, ComputeError> {
        let [mean, deviation] = pixels::scale(self.value.device())?;
        self.value.broadcast_sub(&mean)?.broadcast_div(&deviation)
    }

    /// What a picture file of 8 bits keeps of it.
    pub(super) fn rounded(&self) -> Result<RgbImage, ComputeError> {
        picture(&self.value.as_detached_tensor())
    }

    /// The square of its gradient's length; 0 where there is none.
    pub(super) fn gradient(&self, store: &GradStore) -> Result<f64, ComputeError> {
        let Some(gradient) = store.get(&self.value) else {
            return Ok(0.0);
        };
        Ok(f64::from(gradient.sqr()?.sum_all()?.to_scalar::<f32>()?))
    }

    /// One step of Adam, the first of which has number 1, and back between black and white.
    pub(super) fn step(
        &mut self,
        store: &GradStore,
        rate: f64,
        number: u64,
    ) -> Result<(), ComputeError> {
        let Some(gradient) = store.get(&self.value) else {
            return Ok(());
        };
        let memory = [&mut self.mean, &mut self.square];
        let direction = optimiser::direction(&gradient.detach(), memory, number, BETAS)?;
        let moved = (self.value.as_tensor() - (direction * rate)?)?;
        self.value.set(&moved.clamp(0f32, 1f32)?.detach())
    }
}

/// A picture as numbers of 0 to 1, `[3, S, S]`.
pub(super) fn numbers(picture: &RgbImage, device: &Device) -> Result<Tensor, ComputeError> {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let values: Vec<f32> = picture
        .as_raw()
        .iter()
        .map(|byte| f32::from(*byte) / 255.0)
        .collect();
    Tensor::from_vec(values, (height, width, 3), &Device::Cpu)?
        .permute((2, 0, 1))?
        .contiguous()?
        .to_device(device)
}

/// The other way round, to the nearest of 256 levels.
pub(super) fn picture(numbers: &Tensor) -> Result<RgbImage, ComputeError> {
    let (_, height, width) = numbers.dims3()?;
    let values = numbers
        .permute((1, 2, 0))?
        .flatten_all()?
        .to_vec1::<f32>()?;
    let bytes = values
        .iter()
        .map(|value| (value * 255.0).round() as u8)
        .collect();
    Ok(RgbImage::from_raw(width as u32, height as u32, bytes)
        .expect("three values a pixel were taken"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_picture_survives_and_numbers_are_off_by_half_a_level_at_most() {
        let bytes = RgbImage::from_fn(6, 4, |x, y| image::Rgb([40 * x as u8, 80 * y as u8, 255]));
        let values = numbers(&bytes, &Device::Cpu).unwrap();
        assert_eq!(values.dims(), [3, 4, 6]);
        assert_eq!(picture(&values).unwrap(), bytes);
        let moved = (&values * 0.97).unwrap();
        let back = numbers(&picture(&moved).unwrap(), &Device::Cpu).unwrap();
        let apart = (back - moved).unwrap().abs().unwrap().max_all().unwrap();
        assert!(apart.to_scalar::<f32>().unwrap() <= 0.5 / 255.0 + 1e-6);
    }
}
