use std::path::{Path, PathBuf};

use dora_message::descriptor::Node;
use seggpt_node::NodeSpec;

/// What the names of nodes begin with that a program holds.
pub const PREFIX: &str = "seggpt-";

/// The word between such a program and the name of the node that it is to be, without [`PREFIX`].
const SUBCOMMAND: &str = "node";

/// The nodes whose settings are known, by their specs, and where they are.
#[derive(Debug)]
pub struct Nodes {
    node_specs: Vec<NodeSpec>,
    holder: Option<PathBuf>,
}

impl Nodes {
    /// From one spec a node. Each is a program of its own name, beside this one or on PATH.
    pub fn new(node_specs: impl IntoIterator<Item = NodeSpec>) -> Self {
        Self {
            node_specs: node_specs.into_iter().collect(),
            holder: None,
        }
    }

    /// The same nodes in one program: called as `PROGRAM node NAME`, the name without [`PREFIX`], it is that node.
    #[must_use]
    pub fn held_by(self, program: PathBuf) -> Self {
        Self {
            holder: Some(program),
            ..self
        }
    }

    /// The spec of the node that a dataflow's `path:` names, with or without its folder.
    pub fn get(&self, path: &str) -> Option<&NodeSpec> {
        let name = Path::new(path).file_stem()?;
        self.node_specs
            .iter()
            .find(|node_spec| name == node_spec.name)
    }

    /// The spec of a node, also where it is held.
    pub(crate) fn of(&self, node: &Node) -> Option<&NodeSpec> {
        let path = node.path.as_deref()?;
        if self.holder.as_deref() != Some(Path::new(path)) {
            return self.get(path);
        }
        let mut words = node.args.as_deref()?.split_whitespace();
        words.next().filter(|word| *word == SUBCOMMAND)?;
        self.get(&format!("{PREFIX}{}", words.next()?))
    }

    /// Where a program holds the node that a bare name means, has it started as that.
    pub(crate) fn hold(&self, node: &mut Node) -> bool {
        let (Some(holder), Some(path)) = (&self.holder, &node.path) else {
            return false;
        };
        let known = self
            .node_specs
            .iter()
            .any(|node_spec| node_spec.name == path);
        let Some(name) = path.strip_prefix(PREFIX).filter(|_| known) else {
            return false;
        };
        let args = node.args.iter().map(String::as_str);
        let words: Vec<_> = [SUBCOMMAND, name].into_iter().chain(args).collect();
        node.args = Some(words.join(" "));
        node.path = Some(holder.display().to_string());
        true
    }
}

#[cfg(test)]
pub(crate) fn ours() -> Nodes {
    Nodes::new([
        seggpt_source_images::node_spec(),
        seggpt_prompts::node_spec(),
        seggpt_ensemble_feature::node_spec(),
        seggpt_ensemble_spatial::node_spec(),
        seggpt_sink_files::node_spec(),
    ])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use dora_core::descriptor::{Descriptor, DescriptorExt};

    use super::*;

    fn node(yaml: &str) -> Node {
        let flow = format!("nodes:\n  - {{id: a, {yaml}}}\n");
        Descriptor::parse(flow.into()).unwrap().nodes.remove(0)
    }

    #[test]
    fn a_program_that_holds_the_nodes_is_started_as_each_and_known_as_it() {
        let nodes = ours().held_by("/bin/seggpt".into());
        let held = |yaml: &str| {
            let mut node = node(yaml);
            let held = nodes.hold(&mut node);
            assert_eq!(held, node.path.as_deref() == Some("/bin/seggpt"));
            let name = nodes.of(&node).map(|node_spec| node_spec.name);
            held.then(|| (node.args.unwrap(), name.unwrap()))
        };
        let of = |args: &str, name| Some((args.to_owned(), name));
        assert_eq!(
            held("path: seggpt-prompts"),
            of("node prompts", "seggpt-prompts")
        );
        assert_eq!(
            held("path: seggpt-sink-files, args: --mask 'ids'"),
            of("node sink-files --mask 'ids'", "seggpt-sink-files")
        );
        for other in ["/opt/seggpt-prompts", "seggpt-ensemble-mirror", "camera.py"] {
            assert_eq!(held(&format!("path: {other}")), None);
        }
        let name = |yaml: &str| nodes.of(&node(yaml)).map(|node_spec| node_spec.name);
        assert_eq!(name("path: /bin/seggpt, args: node none"), None);
        assert_eq!(name("path: /bin/seggpt, args: run prompts"), None);
        assert_eq!(name("path: /opt/seggpt-prompts"), Some("seggpt-prompts"));
    }

    #[test]
    fn our_nodes_are_known_by_name_and_by_path() {
        let ours = ours();
        assert!(
            ours.get("seggpt-prompts").is_some() && ours.get("/opt/bin/seggpt-prompts").is_some()
        );
        assert!(ours.get("seggpt-ensemble-mirror").is_none() && ours.get("camera.py").is_none());
    }
}
