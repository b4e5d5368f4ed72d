//! What can be told of the examples before anything starts.

use std::path::Path;

use eyre::{Result, bail};
use seggpt_node::{Values, node_spec::parsed};
use seggpt_prompt_library::files as listed;

use crate::{Settings, selector::open};

/// A library of more files than this is not read twice: its list is.
const MANY: usize = 300;

/// Reads the examples. Each pair was named by hand, so each has to be usable; of a library, one.
pub(crate) fn files(values: &Values, dir: &Path) -> Result<()> {
    let settings: Settings = parsed(values)?;
    let images = settings.images.as_ref().map(|images| dir.join(images));
    if let Some(library) = &settings.prompts
        && listed(&dir.join(library), images.as_deref())?.len() > MANY
    {
        return Ok(());
    }
    let (_, problems) = open(&settings, dir)?;
    if settings.prompt_pairs.is_some() && !problems.is_empty() {
        let all: Vec<_> = problems.iter().map(ToString::to_string).collect();
        bail!("PROMPT_PAIRS cannot be used: {}", all.join("\n  "));
    }
    Ok(())
}
