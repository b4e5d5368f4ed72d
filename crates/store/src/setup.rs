//! What a run was started with: whoever starts it writes that down, whoever describes the results reads it.

use std::{collections::BTreeMap, path::Path};

use serde::{Deserialize, Serialize};

use crate::{OWN, RUN_PID, Refusal, Spec, put};

const FILE: &str = "setup.json";

/// What a run was started with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setup {
    /// The process that started it.
    pub started_by: u32,
    /// What decides its results.
    pub spec: Spec,
    /// Of the programs, by name.
    pub versions: BTreeMap<String, String>,
    /// Every node of the dataflow, by id.
    pub nodes: BTreeMap<String, NodeSetup>,
    /// What it may take, by name: items, or megabytes where the name ends in `_mb`.
    pub resources: BTreeMap<String, u64>,
}

/// A node of a dataflow, as it was started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeSetup {
    /// Its program.
    pub program: String,
    /// Settings in force that decide results, by variable, defaults included; of a node that is not ours, all that the
    /// dataflow says.
    pub decide_results: BTreeMap<String, String>,
    /// Settings in force that do not, by variable.
    pub others: BTreeMap<String, String>,
}

impl Setup {
    /// Writes it into the folder of results `root`.
    ///
    /// # Errors
    /// [`Refusal::Io`].
    pub fn write(&self, root: &Path) -> Result<(), Refusal> {
        let path = root.join(OWN).join(FILE);
        let text = serde_json::to_vec_pretty(self).expect("texts and numbers serialise");
        put(&path, &text).map_err(Refusal::io(&path))
    }

    /// That of the run that this process belongs to; `None` where nobody wrote one, as under the stock `dora` command line.
    #[must_use]
    pub fn of_this_run(root: &Path) -> Option<Self> {
        Self::of(root, std::env::var(RUN_PID).ok()?.parse().ok()?)
    }

    fn of(root: &Path, pid: u32) -> Option<Self> {
        let text = std::fs::read(root.join(OWN).join(FILE)).ok()?;
        let setup: Self = serde_json::from_slice(&text).ok()?;
        (setup.started_by == pid).then_some(setup)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_by_the_run_that_wrote_it_and_by_no_other() {
        let out = tempfile::tempdir().unwrap();
        std::fs::create_dir(out.path().join(OWN)).unwrap();
        assert_eq!(Setup::of(out.path(), 7), None);
        let setup = Setup {
            started_by: 7,
            resources: [("window_mb".into(), 512)].into(),
            ..Setup::default()
        };
        setup.write(out.path()).unwrap();
        assert_eq!(Setup::of(out.path(), 7), Some(setup));
        assert_eq!(Setup::of(out.path(), 8), None);
    }
}
