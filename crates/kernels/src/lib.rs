//! What SegGPT computes with on a CPU: matrix products, attention, norms and convolutions on plain slices of f32, as
//! fast as the CPU at hand allows. Nothing here knows of tensors or checkpoints.
//!
//! | | takes | gives |
//! |---|---|---|
//! | [`PackedLinear`] | rows of numbers | `x Wᵀ + b`, its GELU, or its sum with a residual |
//! | [`Attention`] | queries, keys and values of some prompts and the query that they share | what each token attended to |
//! | [`LayerNorm`] | rows of numbers | the same, normalised |
//! | [`Depthwise`] | grids of tokens | the same, with what their neighbours add |
//! | [`Painter`] | the decoder's embedding | pixels |
//!
//! # Instruction sets
//!
//! [`Isa::detect`] asks the CPU once; everything is laid out for its answer. Each algorithm is written once, over the
//! trait in `simd`, and compiled for AVX-512 (with or without VNNI and BF16), for AVX2 with FMA, and as plain Rust, which
//! serves NEON and all else. Two files hold all unsafe code, a page per instruction set: intrinsics, and loads and stores
//! through references to arrays of a vector's size. A value of a type there is the proof that the CPU can.
//!
//! # Precision
//!
//! Against the same in f64, on numbers of order one, relative to the largest result (tests hold every instruction set to
//! it over odd sizes):
//!
//! | | [`F32`](Precision::F32) | [`Bf16`](Precision::Bf16) | [`Int8`](Precision::Int8) |
//! |---|---|---|---|
//! | linear | 1e-5 | 1e-5 of the product of rounded numbers; 3e-3 of the exact product, root mean square | 1e-5 of the product of quantised numbers; 8e-3 of the exact product |
//! | attention | 1e-5 | 2e-2; 8e-3 root mean square | as `Bf16` |
//! | norm, convolutions | 1e-5 | f32 throughout | f32 throughout |
//!
//! `2^x` in the softmax is good to a relative 2e-7, GELU to 1e-6 of the larger of 1 and |x|. The number of threads
//! changes no bit. A number that is not finite spoils the rows that it enters, and no other.
//!
//! # Threads
//!
//! Work is shared among the threads of the current rayon pool: `pool.install(|| layer.forward(..))` chooses them.

mod attention;
mod buffer;
mod decoder;
mod depthwise;
mod error;
mod isa;
mod linear;
mod math;
mod norm;
mod operand;
mod quantise;
mod simd;
mod tile;

#[cfg(test)]
mod tests;

pub use attention::{Attention, AttentionShape, Queries, Sharing};
pub use decoder::{Painter, PainterWeights, PatchGrid};
pub use depthwise::Depthwise;
pub use error::KernelError;
pub use isa::Isa;
pub use linear::{Epilogue, PackedLinear, Precision, Weight};
pub use norm::LayerNorm;
