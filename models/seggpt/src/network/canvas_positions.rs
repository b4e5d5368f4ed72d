use candle_core::Tensor;

use super::attention::Relative;

/// Everything about positions that one canvas size needs.
pub(super) struct Positions {
    /// Absolute positions of the prompt's and of the query's half, each `[1, L, C]`.
    pub(super) absolute: [Tensor; 2],
    /// One-hot row and column of every key of each half, `[L, 2 rows + columns]`.
    pub(super) keys: [Tensor; 2],
    /// Relative positions of every block that has them.
    pub(super) relative: Vec<Option<Relative>>,
}
