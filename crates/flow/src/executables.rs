//! Where nodes' executables are.

use std::{
    env,
    path::{Path, PathBuf},
};

use dora_core::descriptor::{Descriptor, resolve_path, source_is_url};

use crate::Nodes;

/// The executable of that bare name in a folder.
fn within(folder: &Path, name: &str) -> Option<PathBuf> {
    let is_bare = Path::new(name).components().count() == 1;
    let file = folder.join(format!("{name}{}", env::consts::EXE_SUFFIX));
    (is_bare && file.is_file()).then_some(file)
}

/// Makes bare names absolute: those of our nodes where a program holds them, and those of what stands beside this program.
/// What is left, dora looks for itself.
pub(crate) fn resolve(descriptor: &mut Descriptor, dir: &Path, nodes: &Nodes) {
    let program = env::current_exe().ok();
    let home = program.as_deref().and_then(Path::parent);
    for node in &mut descriptor.nodes {
        // A file of that name in the dataflow's folder comes first, as under the stock `dora`.
        let Some(path) = node.path.clone().filter(|path| !dir.join(path).is_file()) else {
            continue;
        };
        if nodes.hold(node) {
            continue;
        }
        if let Some(found) = home.and_then(|home| within(home, &path)) {
            node.path = Some(found.display().to_string());
        }
    }
}

/// Where dora will find a node's `path:`, in its own order: the dataflow's folder, then PATH.
pub(crate) fn find(path: &str, dir: &Path) -> Option<PathBuf> {
    resolve_path(path, dir).ok()
}

/// Nodes whose executable is nowhere: id and path.
pub(crate) fn missing(descriptor: &Descriptor, dir: &Path) -> Vec<(String, String)> {
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
    use dora_core::descriptor::DescriptorExt;

    use super::*;

    #[test]
    fn only_bare_names_are_looked_for_beside_the_program() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join(format!("node{}", env::consts::EXE_SUFFIX));
        std::fs::write(&file, "").unwrap();
        assert_eq!(within(home.path(), "node"), Some(file));
        assert_eq!(within(home.path(), "./node"), None);
        assert_eq!(within(home.path(), "other"), None);
    }

    #[test]
    fn a_file_in_the_dataflows_folder_comes_before_the_node_of_its_name() {
        let dir = tempfile::tempdir().unwrap();
        let nodes = crate::nodes::ours().held_by("/bin/seggpt".into());
        let yaml = "nodes:\n  - {id: a, path: seggpt-prompts}\n";
        let mut flow = Descriptor::parse(yaml.into()).unwrap();
        std::fs::write(dir.path().join("seggpt-prompts"), "").unwrap();
        resolve(&mut flow, dir.path(), &nodes);
        assert_eq!(flow.nodes[0].path.as_deref(), Some("seggpt-prompts"));
        std::fs::remove_file(dir.path().join("seggpt-prompts")).unwrap();
        resolve(&mut flow, dir.path(), &nodes);
        assert_eq!(flow.nodes[0].path.as_deref(), Some("/bin/seggpt"));
    }
}
