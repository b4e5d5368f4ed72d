use super::{Coverage, Descriptor, Fixed, Nearest, Random, Strategy};
use crate::LibraryError;

/// What a strategy is made with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Choice {
    /// For strategies that draw.
    pub seed: u64,
}

/// The strategies, as settings call them.
pub const STRATEGIES: [&str; 4] = ["fixed", "coverage", "random", "nearest"];

/// The strategy of a name, one of [`STRATEGIES`].
///
/// # Errors
/// [`LibraryError::UnknownStrategy`], which lists the names there are.
pub fn strategy(name: &str, choice: &Choice) -> Result<Box<dyn Strategy>, LibraryError> {
    Ok(match name {
        "fixed" => Box::new(Fixed),
        "coverage" => Box::new(Coverage::default()),
        "random" => Box::new(Random::new(choice.seed)),
        "nearest" => Box::new(Nearest::new(Descriptor)),
        _ => {
            return Err(LibraryError::UnknownStrategy {
                name: name.to_owned(),
                known: STRATEGIES.join(", "),
            });
        }
    })
}
