//! What lies behind the settings and decides results: the examples' files, by what is in them.

use std::{collections::BTreeMap, path::Path};

use eyre::{Result, WrapErr, eyre};
use seggpt_files::hash::{short, short_of_file};
use seggpt_node::Values;
use seggpt_prompts::Pairs;
use seggpt_volume::{LabelFile, Source};

/// A hash of the files of every pair, by their endings: of several of one ending, of all their hashes.
pub(crate) fn of(values: &Values, dir: &Path) -> Result<Values> {
    let mut content = Values::new();
    let pairs = values
        .get("PROMPT_PAIRS")
        .map(String::as_str)
        .unwrap_or_default();
    let Pairs(pairs) = pairs.parse().map_err(|error: String| eyre!(error))?;
    for (number, (scan, labels)) in (1..).zip(pairs) {
        let (scan, labels) = (dir.join(scan), dir.join(labels));
        // Those that cannot be used are refused when the settings are checked.
        let (source, file) = (Source::open(&scan), LabelFile::open(&labels));
        let parts = source.as_ref().map_or(vec![&*scan], Source::files);
        content.extend(hashes(&format!("example {number} scan"), &parts)?);
        let parts = file.as_ref().map_or(vec![&*labels], LabelFile::files);
        content.extend(hashes(&format!("example {number} labels"), &parts)?);
    }
    Ok(content)
}

fn hashes(what: &str, parts: &[&Path]) -> Result<Values> {
    let mut by_ending: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for part in parts.iter().filter(|part| part.is_file()) {
        let hash =
            short_of_file(part).wrap_err_with(|| format!("{}: cannot be read", part.display()))?;
        let ending = part.extension().unwrap_or_default().to_string_lossy();
        by_ending.entry(ending.into_owned()).or_default().push(hash);
    }
    let mut content = Values::new();
    for (ending, mut hashes) in by_ending {
        // Wherever they lie.
        hashes.sort_unstable();
        let hash = match &hashes[..] {
            [hash] => hash.clone(),
            all => short(all.concat().as_bytes())?,
        };
        content.insert(format!("{what} {ending}"), hash);
    }
    Ok(content)
}
