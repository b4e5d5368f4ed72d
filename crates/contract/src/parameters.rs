//! Typed reading of metadata: a key of the wrong type is an error, an absent one is `None`.

use crate::{ContractError, Parameter, Parameters};

fn wrong(message: &'static str, key: &str, found: &Parameter, expected: &str) -> ContractError {
    ContractError::WrongValue {
        message,
        key: key.into(),
        found: format!("{found:?}"),
        expected: expected.into(),
    }
}

pub(crate) fn take_text(
    parameters: &mut Parameters,
    message: &'static str,
    key: &str,
) -> Result<Option<String>, ContractError> {
    match parameters.remove(key) {
        None => Ok(None),
        Some(Parameter::String(text)) => Ok(Some(text)),
        Some(other) => Err(wrong(message, key, &other, "a string")),
    }
}

/// A picture's side: 1 to 2^31 - 1.
pub(crate) fn take_side(
    parameters: &mut Parameters,
    message: &'static str,
    key: &str,
) -> Result<Option<u32>, ContractError> {
    match parameters.remove(key) {
        None => Ok(None),
        Some(Parameter::Integer(n)) if (1..=i64::from(i32::MAX)).contains(&n) => Ok(Some(n as u32)),
        Some(other) => Err(wrong(message, key, &other, "a number of pixels >= 1")),
    }
}

pub(crate) fn integer(n: u64) -> Parameter {
    Parameter::Integer(i64::try_from(n).unwrap_or(i64::MAX))
}
