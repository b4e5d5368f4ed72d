//! Kernels of our own for CUDA, in bf16 and f16: attention without the matrix of scores, and one pass instead of several
//! for what stands between matrix products.
//!
//! Each function gives none where its kernel does not fit (another device, number type or size), and its caller then
//! goes on with candle's operations: the portable way, which stays the measure of these.

mod attention;
mod depthwise;
mod launch;
mod paint;
mod rows;
#[cfg(test)]
mod tests;

pub(super) use self::{
    attention::attention,
    depthwise::add_depthwise,
    paint::Painter,
    rows::{bias, bias_gelu, bias_residual, layer_norm},
};
