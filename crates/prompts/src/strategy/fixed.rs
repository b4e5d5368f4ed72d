use super::{Pool, Query, Selected, Strategy};
use crate::LibraryError;

/// The first `k` prompts in the order of the pool, for every picture; every score is 1.
#[derive(Debug, Clone, Copy, Default)]
pub struct Fixed;

impl Strategy for Fixed {
    fn select(
        &mut self,
        _: &Query,
        pool: &dyn Pool,
        k: usize,
    ) -> Result<Vec<Selected>, LibraryError> {
        Ok((0..k.min(pool.len()))
            .map(|index| Selected { index, score: 1.0 })
            .collect())
    }
}
