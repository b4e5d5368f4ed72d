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
        let mut state = query
            .item
            .bytes()
            .fold(self.seed, |state, byte| split_mix(state ^ u64::from(byte)));
        let mut deck: Vec<usize> = (0..pool.len()).collect();
        let k = k.min(deck.len());
        for place in 0..k {
            state = split_mix(state);
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

/// One step of SplitMix64.
fn split_mix(state: u64) -> u64 {
    let z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
