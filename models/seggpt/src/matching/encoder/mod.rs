//! From pictures to features.

mod cpu;
mod tensors;

use candle_core::{Device, Tensor};

use super::EncoderConfig;
use crate::{DTypeChoice, Error, network::Canvas, weights::Source};

/// The encoder, laid out for a device. Gradients do not go through it.
pub(super) enum Encoder {
    Cpu(Box<cpu::Encoder>),
    Tensors(Box<tensors::Encoder>),
}

impl Encoder {
    /// Takes the tensors `encoder.*`, to compute in `dtype`, as [`DTypeChoice::on`] has it.
    pub(super) fn load(
        config: &EncoderConfig,
        source: Source,
        device: &Device,
        dtype: DTypeChoice,
    ) -> Result<Self, Error> {
        match device {
            Device::Cpu => Ok(Self::Cpu(cpu::Encoder::load(config, source, dtype)?.into())),
            _ => Ok(Self::Tensors(
                tensors::Encoder::load(config, source, device, dtype)?.into(),
            )),
        }
    }

    /// The features of every patch of normalised pictures `[n, 3, height, width]`, f32 `[n, L, features]`.
    pub(super) fn features(&self, pictures: &Tensor) -> Result<Tensor, Error> {
        let _span = tracing::info_span!("features").entered();
        match self {
            Self::Cpu(encoder) => encoder.features(pictures),
            Self::Tensors(encoder) => Ok(encoder.features(pictures)?),
        }
    }
}

/// The grid of patches of pictures, of which a half has two by two pixels for each of its own.
pub(super) fn grid(
    what: &'static str,
    pictures: &Tensor,
    config: &EncoderConfig,
) -> Result<Canvas, Error> {
    Canvas::of(what, pictures, config.patch_size)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use seggpt_random::Rng;

    use crate::matching::{self, MatchingConfig};

    #[test]
    fn both_engines_make_the_same_features() {
        let config = MatchingConfig::tiny();
        let weights = matching::random(&config, 3).unwrap();
        let config = config.encoder;
        let mut rng = Rng::new(5);
        let numbers: Vec<f32> = (0..2 * 3 * 42 * 70).map(|_| rng.normal() as f32).collect();
        let pictures = Tensor::from_vec(numbers, (2, 3, 42, 70), &Device::Cpu).unwrap();
        let source = Source::Held(&weights);
        let here = cpu::Encoder::load(&config, source, DTypeChoice::F32).unwrap();
        let there =
            tensors::Encoder::load(&config, source, &Device::Cpu, DTypeChoice::F32).unwrap();
        let (here, there) = (
            here.features(&pictures).unwrap(),
            there.features(&pictures).unwrap(),
        );
        assert_eq!(here.dims(), [2, 15, 64]);
        let apart = (here - there).unwrap().abs().unwrap().max_all().unwrap();
        assert!(apart.to_scalar::<f32>().unwrap() < 1e-4, "{apart}");
    }
}
