//! Linear layers: `y = x Wᵀ + b`, with what follows it done while the numbers are still in registers.
//!
//! The weight is laid out once for the loop in [`tile`](crate::tile): panels of as many outputs as two vectors hold,
//! all inputs of a panel one after the other. `x` is laid out block by block, and quantised on the way where asked for.

mod panels;
mod stored;
mod task;
mod weight;

use rayon::prelude::*;

pub use self::weight::Weight;
use self::{
    panels::{Geometry, Panels},
    task::Task,
};
use crate::{Isa, KernelError, error::expect_length};

/// What the weights are kept as, and the products are made of. Sums are f32 (of a slab of int8 products: exact `i32`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// As good as the order of the sums lets it be.
    F32,
    /// Weights in half the memory; inputs are rounded too where the CPU multiplies bf16 ([`Isa::has_bf16`]).
    Bf16,
    /// Weights in a quarter of the memory: symmetric per output, and inputs symmetric per row, each by its largest value.
    Int8,
}

/// What becomes of `x Wᵀ + b`.
#[derive(Clone, Copy, Debug)]
pub enum Epilogue<'a> {
    /// It is stored.
    Store,
    /// Its exact GELU is stored.
    Gelu,
    /// It is added to what the output holds.
    Add,
    /// Its sum with these, `[rows, outputs]`, is stored.
    Residual(&'a [f32]),
}

/// A linear layer with its weight laid out for one instruction set. The weight it was made from can go.
pub struct PackedLinear {
    isa: Isa,
    precision: Precision,
    inputs: usize,
    outputs: usize,
    bias: Vec<f32>,
    panels: Panels,
    geometry: Geometry,
}

impl PackedLinear {
    /// Lays out `weight` `[outputs, inputs]` and `bias` `[outputs]` (or none) for `isa`.
    ///
    /// # Errors
    /// [`KernelError`] if the lengths do not match, or there is no input.
    pub fn pack(
        isa: Isa,
        precision: Precision,
        weight: Weight,
        bias: Option<&[f32]>,
        [outputs, inputs]: [usize; 2],
    ) -> Result<Self, KernelError> {
        if inputs == 0 || outputs == 0 {
            return Err(KernelError::Size {
                what: "the smaller side of the weight",
                found: 0,
                expected: "at least 1",
            });
        }
        expect_length(
            "the weight",
            weight.len(),
            outputs * inputs,
            "[outputs, inputs]",
        )?;
        if let Some(bias) = bias {
            expect_length("the bias", bias.len(), outputs, "[outputs]")?;
        }
        let geometry = Geometry::of(isa);
        let mut padded = bias.map_or_else(Vec::new, <[f32]>::to_vec);
        padded.resize(outputs.next_multiple_of(geometry.columns), 0.0);
        Ok(Self {
            isa,
            precision,
            inputs,
            outputs,
            bias: padded,
            panels: Panels::pack(geometry, precision, weight, [outputs, inputs]),
            geometry,
        })
    }

    /// How many numbers a row of `x` has.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// How many numbers a row of `y` has.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// What the weight is kept as.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// Memory that the layer holds.
    pub fn bytes(&self) -> usize {
        self.panels.bytes() + size_of_val(&*self.bias)
    }

    /// `x` `[rows, inputs]` to `y` `[rows, outputs]`, on all threads of the current rayon pool.
    ///
    /// # Errors
    /// [`KernelError::Length`] if the lengths do not match.
    pub fn forward(&self, x: &[f32], y: &mut [f32], epilogue: Epilogue) -> Result<(), KernelError> {
        let rows = x.len() / self.inputs;
        expect_length("x", x.len(), rows * self.inputs, "[rows, inputs]")?;
        expect_length("y", y.len(), rows * self.outputs, "[rows, outputs]")?;
        if let Epilogue::Residual(residual) = epilogue {
            expect_length("the residual", residual.len(), y.len(), "[rows, outputs]")?;
        }
        let split = self
            .geometry
            .split(rows, self.outputs, rayon::current_num_threads());
        y.par_chunks_mut(split.rows * self.outputs)
            .zip(x.par_chunks(split.rows * self.inputs))
            .enumerate()
            .flat_map_iter(|(block, (y, x))| {
                columns(y, self.outputs, split.columns)
                    .into_iter()
                    .enumerate()
                    .map(move |(group, out)| Task {
                        layer: self,
                        x,
                        out,
                        first_row: block * split.rows,
                        first_column: group * split.columns,
                        epilogue,
                    })
            })
            .for_each(|task| self.isa.run_tall(task));
        Ok(())
    }
}

/// The rows of `y`, cut into groups of columns.
fn columns(y: &mut [f32], outputs: usize, width: usize) -> Vec<Vec<&mut [f32]>> {
    let mut groups: Vec<Vec<&mut [f32]>> = Vec::new();
    groups.resize_with(outputs.div_ceil(width), Vec::new);
    for row in y.chunks_mut(outputs) {
        for (group, part) in groups.iter_mut().zip(row.chunks_mut(width)) {
            group.push(part);
        }
    }
    groups
}
