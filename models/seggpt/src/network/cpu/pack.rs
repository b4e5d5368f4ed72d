//! From checkpoint tensors to layers, one after the other.

use seggpt_kernels::{Isa, LayerNorm, PackedLinear, Precision};

use crate::{Error, weights::Source};

pub(crate) struct Pack<'a> {
    pub(crate) source: Source<'a>,
    pub(crate) isa: Isa,
    /// Of the layers that the time is spent in.
    pub(crate) precision: Precision,
}

impl Pack<'_> {
    pub(crate) fn numbers(&self, name: &str) -> Result<Vec<f32>, Error> {
        Ok(self.source.numbers(name)?)
    }

    /// `name.weight` `[output, ...]` and `name.bias`; all axes but the first are inputs.
    pub(crate) fn linear(&self, name: &str, precision: Precision) -> Result<PackedLinear, Error> {
        let bias = self.numbers(&format!("{name}.bias"))?;
        let layer = self.source.lend(&format!("{name}.weight"), |weight| {
            let size = [bias.len(), weight.len() / bias.len().max(1)];
            PackedLinear::pack(self.isa, precision, weight, Some(&bias), size)
        })?;
        Ok(layer?)
    }

    pub(crate) fn norm(&self, name: &str, epsilon: f64) -> Result<LayerNorm, Error> {
        let weight = self.numbers(&format!("{name}.weight"))?;
        let bias = self.numbers(&format!("{name}.bias"))?;
        Ok(LayerNorm::new(self.isa, &weight, &bias, epsilon as f32)?)
    }
}
