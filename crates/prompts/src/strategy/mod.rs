//! Which examples should guide a picture?

mod coverage;
mod fixed;
mod named;
mod nearest;
mod random;

pub use coverage::Coverage;
pub use fixed::Fixed;
pub use named::{Choice, STRATEGIES, strategy};
pub use nearest::{Descriptor, EmbedError, Embedding, Nearest};
pub use random::Random;

use std::borrow::Cow;

use seggpt_imaging::RgbImage;

use crate::{Library, LibraryError};

/// Examples to pick from, known by their place: a [`Library`], or the samples of a data set.
pub trait Pool {
    /// How many there are.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The name of one, for messages.
    fn name(&self, index: usize) -> &str;

    /// The picture of one at its own size, for embeddings.
    ///
    /// # Errors
    /// It cannot be read.
    fn picture(&self, index: usize) -> Result<RgbImage, LibraryError>;

    /// All places, those first whose masks show most of what is to be found.
    ///
    /// # Errors
    /// A mask cannot be read.
    fn by_coverage(&self) -> Result<Vec<usize>, LibraryError>;
}

impl Pool for Library {
    fn len(&self) -> usize {
        Library::len(self)
    }

    fn name(&self, index: usize) -> &str {
        &self.prompts()[index].name
    }

    fn picture(&self, index: usize) -> Result<RgbImage, LibraryError> {
        Library::picture(self, index)
    }

    fn by_coverage(&self) -> Result<Vec<usize>, LibraryError> {
        Library::by_coverage(self)
    }
}

/// The picture that examples are wanted for.
#[derive(Clone, Copy)]
pub struct Query<'a> {
    /// Its identity in the flow: the same picture sent again has the same.
    pub item: &'a str,
    /// Its pixels, at any size: decoded where a strategy looks at them.
    pub picture: &'a dyn Fn() -> Result<Cow<'a, RgbImage>, EmbedError>,
}

/// A chosen example.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Selected {
    /// Its place in the pool: of a library, in [`Library::prompts`] and [`Library::examples`].
    pub index: usize,
    /// How well it fits, as the strategy counts; larger is better.
    pub score: f32,
}

/// Picks examples.
///
/// The answer depends on the query and the pool alone, not on what was selected before, so
/// that an item which is sent again gets the same examples.
pub trait Strategy: Send {
    /// Picks `k` different prompts, the best first; all of them, if the pool has fewer than `k`
    /// (whoever asks compares `k` with [`Pool::len`] and says so).
    ///
    /// # Errors
    /// What the strategy needs to look at could not be read or embedded.
    fn select(
        &mut self,
        query: &Query,
        pool: &dyn Pool,
        k: usize,
    ) -> Result<Vec<Selected>, LibraryError>;
}
