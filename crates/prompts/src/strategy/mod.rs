//! Which examples should guide a picture?

mod fixed;
mod nearest;
mod random;
mod registry;

pub use fixed::Fixed;
pub use nearest::{Descriptor, EmbedError, Embedding, Nearest};
pub use random::Random;
pub use registry::{Choice, Maker, Registry};

use seggpt_imaging::RgbImage;

use crate::{Library, LibraryError};

/// The picture that examples are wanted for.
#[derive(Debug, Clone, Copy)]
pub struct Query<'a> {
    /// Its identity in the flow: the same picture sent again has the same.
    pub item: &'a str,
    /// Its pixels, at any size.
    pub picture: &'a RgbImage,
}

/// A chosen example.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Selected {
    /// Its place in [`Library::prompts`] and [`Library::examples`].
    pub index: usize,
    /// How well it fits, as the strategy counts; larger is better.
    pub score: f32,
}

/// Picks examples.
///
/// The answer depends on the query and the library alone, not on what was asked before, so
/// that an item which is sent again gets the same examples.
pub trait Strategy: Send {
    /// Picks `k` different prompts, the best first; all of them, if the library has fewer than `k`
    /// (whoever asks compares `k` with [`Library::len`] and says so).
    ///
    /// # Errors
    /// What the strategy needs to look at could not be read or embedded.
    fn select(
        &mut self,
        query: &Query,
        library: &Library,
        k: usize,
    ) -> Result<Vec<Selected>, LibraryError>;
}
