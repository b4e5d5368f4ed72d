//! Where nodes' executables are.

use std::{
    env,
    path::{Path, PathBuf},
};

use dora_core::descriptor::{Descriptor, resolve_path, source_is_url};

/// Our nodes' binaries.
pub const OURS: [&str; 8] = [
    "seggpt-source-images",
    "seggpt-prompts",
    "seggpt-ensemble-feature",
    "seggpt-ensemble-spatial",
    "seggpt-ensemble-vote",
    "seggpt-infer",
    "seggpt-sink-files",
    "seggpt-examiner",
];

/// Whether a node's `path:` names a binary of this project.
pub(super) fn is_ours(path: &str) -> bool {
    Path::new(path)
        .file_stem()
        .is_some_and(|name| OURS.iter().any(|ours| name == *ours))
}

/// The folder of this program.
pub fn home() -> Option<PathBuf> {
    env::current_exe().ok()?.parent().map(Path::to_owned)
}

/// The executable of that bare name beside this program.
pub fn beside(name: &str) -> Option<PathBuf> {
    beside_in(name, &home()?)
}

fn beside_in(name: &str, home: &Path) -> Option<PathBuf> {
    let is_bare = Path::new(name).components().count() == 1;
    let file = home.join(format!("{name}{}", env::consts::EXE_SUFFIX));
    (is_bare && file.is_file()).then_some(file)
}

/// Makes bare names that stand beside this program absolute; what is left, dora looks for itself.
pub(super) fn settle(descriptor: &mut Descriptor, dir: &Path) {
    for node in &mut descriptor.nodes {
        let Some(path) = &mut node.path else { continue };
        // A file of that name in the dataflow's folder comes first, as under the stock `dora`.
        if let Some(found) = beside(path).filter(|_| !dir.join(&*path).is_file()) {
            *path = found.display().to_string();
        }
    }
}

/// Where dora will find a node's `path:`, in its own order: the dataflow's folder, then PATH.
pub(super) fn find(path: &str, dir: &Path) -> Option<PathBuf> {
    resolve_path(path, dir).ok()
}

/// Nodes whose executable is nowhere: id and path.
pub(super) fn missing(descriptor: &Descriptor, dir: &Path) -> Vec<(String, String)> {
    let local = descriptor.nodes.iter().filter(|node| node.git.is_none());
    local
        .filter_map(|node| Some((node.id.to_string(), node.path.clone()?)))
        .filter(|(_, path)| path != "dynamic" && path != "shell" && !source_is_url(path))
        .filter(|(_, path)| find(path, dir).is_none())
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_bare_names_are_looked_for_beside_the_program() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join(format!("node{}", env::consts::EXE_SUFFIX));
        std::fs::write(&file, "").unwrap();
        assert_eq!(beside_in("node", home.path()), Some(file));
        assert_eq!(beside_in("./node", home.path()), None);
        assert_eq!(beside_in("other", home.path()), None);
    }

    #[test]
    fn our_nodes_are_known_by_name_and_by_path() {
        assert!(is_ours("seggpt-infer") && is_ours("/opt/bin/seggpt-infer"));
        assert!(!is_ours("seggpt-ensemble-mirror") && !is_ours("camera.py"));
    }
}
