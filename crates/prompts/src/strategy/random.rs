use seggpt_random::Rng;

use super::{Pool, Query, Selected, Strategy};
use crate::LibraryError;

/// `k` prompts drawn without replacement; every score is 1.
///
/// The draw follows from the seed and the item's identity alone, so neither the order of pictures
/// nor a resend changes it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Random {
    seed: u64,
}

impl Random {
    /// A strategy with its own sequence of draws.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed }
    }
}

impl Strategy for Random {
    fn select(
        &mut self,
        query: &Query,
        pool: &dyn Pool,
        k: usize,
    ) -> Result<Vec<Selected>, LibraryError> {
        let mut state = query.item.bytes().fold(self.seed, |state, byte| {
            Rng::new(state ^ u64::from(byte)).bits()
        });
        let mut deck: Vec<usize> = (0..pool.len()).collect();
        let k = k.min(deck.len());
        for place in 0..k {
            state = Rng::new(state).bits();
            let rest = (deck.len() - place) as u64;
            deck.swap(place, place + (state % rest) as usize);
        }
        deck.truncate(k);
        Ok(deck
            .into_iter()
            .map(|index| Selected { index, score: 1.0 })
            .collect())
    }
}
