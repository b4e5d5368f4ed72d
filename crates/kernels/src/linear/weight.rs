//! Numbers as they come: out of memory, or out of a file.

use half::{bf16, f16, slice::HalfFloatSliceExt};

/// The numbers of a tensor, row by row. Those of a file are little endian and lie at any address.
#[derive(Clone, Copy, Debug)]
pub enum Weight<'a> {
    /// Floats in memory.
    Floats(&'a [f32]),
    /// 32-bit floats of a file.
    F32(&'a [[u8; 4]]),
    /// The upper halves of 32-bit floats, of a file.
    Bf16(&'a [[u8; 2]]),
    /// IEEE half-precision floats of a file.
    F16(&'a [[u8; 2]]),
}

impl Weight<'_> {
    /// How many there are.
    #[allow(clippy::len_without_is_empty)] // nothing asks
    pub fn len(&self) -> usize {
        match self {
            Self::Floats(x) => x.len(),
            Self::F32(x) => x.len(),
            Self::Bf16(x) | Self::F16(x) => x.len(),
        }
    }

    /// All of them.
    pub fn to_vec(&self) -> Vec<f32> {
        let mut numbers = vec![0.0; self.len()];
        self.read(0, &mut numbers);
        numbers
    }

    /// Numbers from `start` on, as many as `to` holds.
    pub(super) fn read(&self, start: usize, to: &mut [f32]) {
        let range = start..start + to.len();
        match self {
            Self::Floats(x) => to.copy_from_slice(&x[range]),
            Self::F32(x) => {
                for (to, x) in to.iter_mut().zip(&x[range]) {
                    *to = f32::from_le_bytes(*x);
                }
            }
            Self::Bf16(x) => {
                for (to, x) in to.iter_mut().zip(&x[range]) {
                    *to = bf16::from_le_bytes(*x).to_f32();
                }
            }
            Self::F16(x) => {
                // Many at once, for which CPUs have instructions.
                let mut some = [f16::ZERO; 128];
                for (to, x) in to.chunks_mut(some.len()).zip(x[range].chunks(some.len())) {
                    for (some, x) in some.iter_mut().zip(x) {
                        *some = f16::from_le_bytes(*x);
                    }
                    some[..x.len()].convert_to_f32_slice(to);
                }
            }
        }
    }
}
