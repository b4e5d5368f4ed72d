//! Where nodes' executables are.

use std::{
    env,
    path::{Path, PathBuf, absolute},
};

use dora_core::descriptor::{Descriptor, resolve_path, source_is_url};

/// The folder of this program.
pub fn home() -> Option<PathBuf> {
    env::current_exe().ok()?.parent().map(Path::to_owned)
}

/// Names a folder whose nodes come before those beside this program, such as those built for a GPU.
const NODES_VARIABLE: &str = "SEGGPT_NODES";

/// The executable of that bare name in the folder that `$SEGGPT_NODES` names, or beside this program.
pub fn beside(name: &str) -> Option<PathBuf> {
    let named = env::var_os(NODES_VARIABLE).and_then(|folder| absolute(folder).ok());
    first_in(name, named.into_iter().chain(home()))
}

fn first_in(name: &str, folders: impl IntoIterator<Item = PathBuf>) -> Option<PathBuf> {
    let is_bare = Path::new(name).components().count() == 1;
    let file = format!("{name}{}", env::consts::EXE_SUFFIX);
    let mut files = folders.into_iter().map(|folder| folder.join(&file));
    files.find(|file| is_bare && file.is_file())
}

/// Makes bare names that stand beside this program absolute; what is left, dora looks for itself.
pub(crate) fn resolve(descriptor: &mut Descriptor, dir: &Path) {
    for node in &mut descriptor.nodes {
        let Some(path) = &mut node.path else { continue };
        // A file of that name in the dataflow's folder comes first, as under the stock `dora`.
        if let Some(found) = beside(path).filter(|_| !dir.join(&*path).is_file()) {
            *path = found.display().to_string();
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
    use super::*;

    #[test]
    fn only_bare_names_are_looked_for_beside_the_program() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join(format!("node{}", env::consts::EXE_SUFFIX));
        std::fs::write(&file, "").unwrap();
        let found = |name| first_in(name, [home.path().to_owned()]);
        assert_eq!(found("node"), Some(file));
        assert_eq!(found("./node"), None);
        assert_eq!(found("other"), None);
    }

    #[test]
    fn the_folder_that_is_named_comes_first_for_what_it_has() {
        let [named, home] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let file = |folder: &Path, name: &str| {
            let file = folder.join(format!("{name}{}", env::consts::EXE_SUFFIX));
            std::fs::write(&file, "").unwrap();
            file
        };
        let infer = file(named.path(), "infer");
        file(home.path(), "infer");
        let sink = file(home.path(), "sink");
        let folders = [named.path().to_owned(), home.path().to_owned()];
        assert_eq!(first_in("infer", folders.clone()), Some(infer));
        assert_eq!(first_in("sink", folders), Some(sink));
    }
}
