use std::path::Path;

use seggpt_node::Manual;

/// The nodes whose settings are known: their manuals.
#[derive(Debug)]
pub struct Nodes(Vec<Manual>);

impl Nodes {
    /// From one manual a node.
    pub fn new(manuals: impl IntoIterator<Item = Manual>) -> Self {
        Self(manuals.into_iter().collect())
    }

    /// That of the node that a dataflow's `path:` names, with or without its folder.
    pub fn get(&self, path: &str) -> Option<&Manual> {
        let name = Path::new(path).file_stem()?;
        self.0.iter().find(|manual| name == manual.name)
    }
}

#[cfg(test)]
pub(crate) fn ours() -> Nodes {
    Nodes::new([
        seggpt_source_images::manual(),
        seggpt_prompts::manual(),
        seggpt_ensemble_feature::manual(),
        seggpt_ensemble_spatial::manual(),
        seggpt_sink_files::manual(),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_nodes_are_known_by_name_and_by_path() {
        let ours = ours();
        assert!(
            ours.get("seggpt-prompts").is_some() && ours.get("/opt/bin/seggpt-prompts").is_some()
        );
        assert!(ours.get("seggpt-ensemble-mirror").is_none() && ours.get("camera.py").is_none());
    }
}
