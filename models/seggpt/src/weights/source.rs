//! Weights one by one, for who lays them out anew and keeps no tensors.

use std::collections::BTreeMap;

use candle_core::{DType, Error, Result, Tensor, Var};
use seggpt_kernels::Weight;

use super::Checkpoint;

/// Where weights come from. Tensors bear the original code's names.
#[derive(Clone, Copy)]
pub(crate) enum Source<'a> {
    /// The memory map of a file.
    File(&'a Checkpoint),
    /// A network in training.
    Training(&'a BTreeMap<String, Var>),
    /// Tensors that are at hand.
    Held(&'a BTreeMap<String, Tensor>),
}

impl Source<'_> {
    /// Lends the numbers of a tensor to `take`, as they lie in the file.
    pub(crate) fn lend<T>(self, name: &str, take: impl FnOnce(Weight) -> T) -> Result<T> {
        let missing = || Error::CannotFindTensor { path: name.into() }.bt();
        match self {
            Self::File(checkpoint) => {
                let entry = checkpoint.entries.get(name).ok_or_else(missing)?;
                let bytes = checkpoint.bytes(entry);
                Ok(take(match entry.dtype {
                    DType::F16 => Weight::F16(bytes.as_chunks().0),
                    DType::BF16 => Weight::Bf16(bytes.as_chunks().0),
                    // `Checkpoint::open` lets no fourth type pass.
                    _ => Weight::F32(bytes.as_chunks().0),
                }))
            }
            Self::Training(weights) => {
                held(weights.get(name).ok_or_else(missing)?.as_tensor(), take)
            }
            Self::Held(tensors) => held(tensors.get(name).ok_or_else(missing)?, take),
        }
    }

    /// The numbers of a small tensor.
    pub(crate) fn numbers(self, name: &str) -> Result<Vec<f32>> {
        self.lend(name, |numbers| numbers.to_vec())
    }
}

fn held<T>(tensor: &Tensor, take: impl FnOnce(Weight) -> T) -> Result<T> {
    let numbers = tensor.flatten_all()?.to_dtype(DType::F32)?.to_vec1()?;
    Ok(take(Weight::Floats(&numbers)))
}
