//! What decides a run's results.

use std::{collections::BTreeMap, fmt};

use seggpt_files::hash;

/// What decides a run's results, by name: `ensemble` is `seggpt-ensemble-feature`, `prompts.K` is `2`.
pub type Spec = BTreeMap<String, String>;

/// A short name for a spec: `run-` and 16 hexadecimal digits. Equal specs have equal keys.
#[must_use]
pub fn run_key(spec: &Spec) -> String {
    let mut all = Vec::new();
    for text in spec.iter().flat_map(|(name, value)| [name, value]) {
        all.extend((text.len() as u64).to_le_bytes());
        all.extend(text.as_bytes());
    }
    let digits = hash::short(all.as_slice()).expect("memory can be read");
    format!("run-{digits}")
}

/// One entry in which two specs differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its name.
    pub name: String,
    /// Of the results that are there; `None`: not named.
    pub old: Option<String>,
    /// Of the run that is about to start; `None`: not named.
    pub new: Option<String>,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "(none)".into());
        write!(
            f,
            "{}: {} -> {}",
            self.name,
            text(&self.old),
            text(&self.new)
        )
    }
}

/// Every entry in which `new` differs from `old`, by name.
#[must_use]
pub fn changes(old: &Spec, new: &Spec) -> Vec<Change> {
    let names: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    names
        .into_iter()
        .filter(|name| old.get(*name) != new.get(*name))
        .map(|name| Change {
            name: name.clone(),
            old: old.get(name).cloned(),
            new: new.get(name).cloned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(entries: &[(&str, &str)]) -> Spec {
        entries
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()))
            .collect()
    }

    #[test]
    fn the_key_tells_specs_apart_that_read_alike_when_joined() {
        let keys = [
            run_key(&spec(&[("a", "b")])),
            run_key(&spec(&[("ab", "")])),
            run_key(&spec(&[("a", "b"), ("", "")])),
        ];
        assert!(
            keys.iter()
                .all(|key| key.starts_with("run-") && key.len() == 20)
        );
        assert!(keys[0] != keys[1] && keys[1] != keys[2] && keys[0] != keys[2]);
        assert_eq!(keys[0], run_key(&spec(&[("a", "b")])));
    }

    #[test]
    fn changes_name_what_was_changed_added_and_removed() {
        let old = spec(&[("ensemble", "feature"), ("k", "2"), ("same", "x")]);
        let new = spec(&[("ensemble", "spatial"), ("seed", "1"), ("same", "x")]);
        let said: Vec<_> = changes(&old, &new).iter().map(Change::to_string).collect();
        assert_eq!(
            said,
            [
                "ensemble: feature -> spatial",
                "k: 2 -> (none)",
                "seed: (none) -> 1"
            ]
        );
    }
}
