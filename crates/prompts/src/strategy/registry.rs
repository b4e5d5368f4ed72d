use std::collections::BTreeMap;

use super::{Descriptor, Fixed, Nearest, Random, Strategy};
use crate::LibraryError;

/// What a strategy is made with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Choice {
    /// For strategies that draw.
    pub seed: u64,
}

/// Makes a strategy.
pub type Maker = Box<dyn Fn(&Choice) -> Box<dyn Strategy> + Send + Sync>;

/// Strategies by name, as settings call them: `fixed`, `nearest`, `random`, and what is registered.
pub struct Registry {
    makers: BTreeMap<String, Maker>,
}

impl Default for Registry {
    fn default() -> Self {
        let mut registry = Self {
            makers: BTreeMap::new(),
        };
        registry.register("fixed", |_| Box::new(Fixed));
        registry.register("random", |choice| Box::new(Random::new(choice.seed)));
        registry.register("nearest", |_| Box::new(Nearest::new(Descriptor)));
        registry
    }
}

impl Registry {
    /// Adds a strategy, or replaces the one of that name.
    pub fn register(
        &mut self,
        name: &str,
        maker: impl Fn(&Choice) -> Box<dyn Strategy> + Send + Sync + 'static,
    ) {
        self.makers.insert(name.to_owned(), Box::new(maker));
    }

    /// The names there are, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.makers.keys().map(String::as_str)
    }

    /// Makes the strategy of a name.
    ///
    /// # Errors
    /// [`LibraryError::UnknownStrategy`], which lists the names there are.
    pub fn make(&self, name: &str, choice: &Choice) -> Result<Box<dyn Strategy>, LibraryError> {
        match self.makers.get(name) {
            Some(maker) => Ok(maker(choice)),
            None => Err(LibraryError::UnknownStrategy {
                name: name.to_owned(),
                known: self.names().collect::<Vec<_>>().join(", "),
            }),
        }
    }
}
