//! What lies behind the settings and decides results: the examples' files, by what is in them.

use std::path::Path;

use eyre::{Result, WrapErr, eyre};
use seggpt_files::hash::short_of_file;
use seggpt_node::Values;
use seggpt_prompts::Pairs;
use seggpt_volume::nifti::NiftiFile;

/// A hash of every file of every pair.
pub(crate) fn of(values: &Values, dir: &Path) -> Result<Values> {
    let mut content = Values::new();
    let pairs = values
        .get("PROMPT_PAIRS")
        .map(String::as_str)
        .unwrap_or_default();
    let Pairs(pairs) = pairs.parse().map_err(|error: String| eyre!(error))?;
    for (number, (scan, labels)) in (1..).zip(pairs) {
        for (kind, file) in [("scan", scan), ("labels", labels)] {
            let file = dir.join(file);
            let opened = NiftiFile::open(&file);
            // One that cannot be used is refused when the settings are checked.
            let parts = opened
                .as_ref()
                .map_or(vec![file.as_path()], NiftiFile::files);
            for part in parts.into_iter().filter(|part| part.is_file()) {
                let hash = short_of_file(part)
                    .wrap_err_with(|| format!("{}: cannot be read", part.display()))?;
                let ending = part.extension().unwrap_or_default().to_string_lossy();
                content.insert(format!("example {number} {kind} {ending}"), hash);
            }
        }
    }
    Ok(content)
}
