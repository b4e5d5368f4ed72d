//! Where nodes' executables are.

use std::{
    env,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use dora_core::descriptor::{Descriptor, resolve_path, source_is_url};
use dora_message::descriptor::Node;
use seggpt_node::Manual;

/// What there is to know of our nodes.
pub fn ours() -> [Manual; 8] {
    [
        seggpt_source_images::manual(),
        seggpt_prompts::manual(),
        seggpt_ensemble_feature::manual(),
        seggpt_ensemble_spatial::manual(),
        seggpt_ensemble_vote::manual(),
        seggpt_infer::manual(),
        seggpt_sink_files::manual(),
        seggpt_examiner::manual(),
    ]
}

/// This program, where it holds our nodes.
static HOLDER: OnceLock<PathBuf> = OnceLock::new();

/// The word between such a program and the name of a node that it is to be, without [`PREFIX`].
const SUBCOMMAND: &str = "node";

/// What our nodes' names begin with.
const PREFIX: &str = "seggpt-";

/// Says that this program holds our nodes: as `PROGRAM node NAME` it is one of them. Runs then start it again for each of
/// theirs, and need no other programs. To be called first of all, once.
pub fn hold() {
    if let Ok(program) = env::current_exe() {
        // A second call says the same.
        let _ = HOLDER.set(program);
    }
}

/// What there is to know of one of our nodes; nothing of other people's.
pub(super) fn manual(node: &Node) -> Option<Manual> {
    let path = node.path.as_deref()?;
    let name = match HOLDER.get().filter(|program| program.as_os_str() == path) {
        Some(_) => {
            let mut words = node.args.as_deref()?.split_whitespace();
            words.next().filter(|word| *word == SUBCOMMAND)?;
            format!("{PREFIX}{}", words.next()?)
        }
        None => Path::new(path).file_stem()?.to_str()?.to_owned(),
    };
    ours().into_iter().find(|manual| name == manual.name)
}

/// The folder of this program.
fn home() -> Option<PathBuf> {
    env::current_exe().ok()?.parent().map(Path::to_owned)
}

/// The executable of that bare name in a folder.
fn within(name: &str, folder: &Path) -> Option<PathBuf> {
    let is_bare = Path::new(name).components().count() == 1;
    let file = folder.join(format!("{name}{}", env::consts::EXE_SUFFIX));
    (is_bare && file.is_file()).then_some(file)
}

/// Makes bare names absolute: those of our nodes, where this program holds them, and of what stands beside it. What is
/// left, dora looks for itself.
pub(super) fn settle(descriptor: &mut Descriptor, dir: &Path) {
    for node in &mut descriptor.nodes {
        settle_one(
            node,
            dir,
            HOLDER.get().map(PathBuf::as_path),
            home().as_deref(),
        );
    }
}

fn settle_one(node: &mut Node, dir: &Path, holder: Option<&Path>, home: Option<&Path>) {
    // A file of that name in the dataflow's folder comes first, as under the stock `dora`.
    let Some(path) = node.path.clone().filter(|path| !dir.join(path).is_file()) else {
        return;
    };
    let held = ours().iter().any(|manual| manual.name == path);
    if let (Some(holder), true, Some(name)) = (holder, held, path.strip_prefix(PREFIX)) {
        let args = node.args.iter().map(String::as_str);
        let words: Vec<_> = [SUBCOMMAND, name].into_iter().chain(args).collect();
        node.args = Some(words.join(" "));
        node.path = Some(holder.display().to_string());
    } else if let Some(found) = home.and_then(|home| within(&path, home)) {
        node.path = Some(found.display().to_string());
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
    use dora_core::descriptor::DescriptorExt;

    use super::*;

    fn node(yaml: &str) -> Node {
        let flow = format!("nodes:\n  - {{id: a, {yaml}}}\n");
        Descriptor::parse(flow.into()).unwrap().nodes.remove(0)
    }

    #[test]
    fn only_bare_names_are_looked_for_beside_the_program() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join(format!("node{}", env::consts::EXE_SUFFIX));
        std::fs::write(&file, "").unwrap();
        assert_eq!(within("node", home.path()), Some(file));
        assert_eq!(within("./node", home.path()), None);
        assert_eq!(within("other", home.path()), None);
    }

    #[test]
    fn a_program_that_holds_our_nodes_is_started_as_each_of_them() {
        let [dir, home] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let settled = |yaml: &str| {
            let mut node = node(yaml);
            let holder = Some(Path::new("/bin/seggpt"));
            settle_one(&mut node, dir.path(), holder, Some(home.path()));
            (node.path.unwrap(), node.args.unwrap_or_default())
        };
        let of = |path: &str, args: &str| (path.to_owned(), args.to_owned());
        assert_eq!(
            settled("path: seggpt-infer"),
            of("/bin/seggpt", "node infer")
        );
        assert_eq!(
            settled("path: seggpt-sink-files, args: --mask 'ids'"),
            of("/bin/seggpt", "node sink-files --mask 'ids'")
        );
        for path in ["/opt/seggpt-infer", "seggpt-ensemble-mirror", "camera.py"] {
            assert_eq!(settled(&format!("path: {path}")), of(path, ""));
        }
        let mirror = format!("seggpt-ensemble-mirror{}", env::consts::EXE_SUFFIX);
        let mirror = home.path().join(mirror);
        std::fs::write(&mirror, "").unwrap();
        assert_eq!(
            settled("path: seggpt-ensemble-mirror"),
            of(&mirror.display().to_string(), "")
        );
        std::fs::write(dir.path().join("seggpt-infer"), "").unwrap();
        assert_eq!(settled("path: seggpt-infer"), of("seggpt-infer", ""));
    }

    #[test]
    fn our_nodes_are_known_by_name_and_by_path() {
        let known = |yaml: &str| manual(&node(yaml)).map(|manual| manual.name);
        for path in ["seggpt-infer", "/opt/bin/seggpt-infer"] {
            assert_eq!(known(&format!("path: {path}")), Some("seggpt-infer"));
        }
        assert_eq!(known("path: seggpt-ensemble-mirror"), None);
        assert_eq!(known("path: camera.py"), None);
    }

    #[test]
    fn our_nodes_are_known_in_a_program_that_holds_them() {
        hold();
        let program = env::current_exe().unwrap();
        let known = |args: &str| {
            let yaml = format!("path: {}, args: {args}", program.display());
            manual(&node(&yaml)).map(|manual| manual.name)
        };
        assert_eq!(known("node infer --model x"), Some("seggpt-infer"));
        assert_eq!(known("node none"), None);
        assert_eq!(known("run infer"), None);
    }
}
