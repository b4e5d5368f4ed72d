//! The types of our messages, known wherever a dataflow stands.

use std::collections::BTreeMap;

use dora_core::types::{TypeDef, TypeRegistry};
use serde::Deserialize;

/// Our types as dora declares them.
pub(crate) const TYPES: &str = include_str!("../../../dataflows/types/seggpt/flow/v1.yml");

/// What their names begin with.
const PREFIX: &str = "seggpt/flow/v1";

#[derive(Deserialize)]
struct Package {
    types: BTreeMap<String, TypeDef>,
}

/// Adds our types to those that dora knows.
pub(crate) fn add_ours(registry: &mut TypeRegistry) -> Result<(), String> {
    let package: Package = yaml_serde::from_str(TYPES).map_err(|error| error.to_string())?;
    let mut types = package.types.into_iter();
    types.try_for_each(|(name, definition)| {
        registry.add_user_type(&format!("{PREFIX}/{name}"), definition)
    })
}
