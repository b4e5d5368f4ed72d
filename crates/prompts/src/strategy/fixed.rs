use super::{Query, Selected, Strategy};
use crate::{Library, LibraryError};

/// The first `k` prompts in the order of the library, for every picture; every score is 1.
#[derive(Debug, Clone, Copy, Default)]
pub struct Fixed;

impl Strategy for Fixed {
    fn select(
        &mut self,
        _: &Query,
        library: &Library,
        k: usize,
    ) -> Result<Vec<Selected>, LibraryError> {
        Ok((0..k.min(library.len()))
            .map(|index| Selected { index, score: 1.0 })
            .collect())
    }
}
