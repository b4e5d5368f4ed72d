use super::{Pool, Query, Selected, Strategy};
use crate::LibraryError;

/// The `k` prompts whose masks show most ([`Pool::by_coverage`]), for every picture; every score is 1. One `Coverage`
/// serves one pool.
#[derive(Debug, Clone, Default)]
pub struct Coverage {
    order: Option<Vec<usize>>,
}

impl Strategy for Coverage {
    fn select(
        &mut self,
        _: &Query,
        pool: &dyn Pool,
        k: usize,
    ) -> Result<Vec<Selected>, LibraryError> {
        let order = match self.order.take() {
            Some(order) => order,
            None => pool.by_coverage()?,
        };
        let order = self.order.insert(order);
        let chosen = order.iter().take(k);
        Ok(chosen
            .map(|&index| Selected { index, score: 1.0 })
            .collect())
    }
}
