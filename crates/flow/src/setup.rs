//! What a run was started with, for `run.json`.

use std::collections::BTreeMap;

use dora_core::descriptor::Descriptor;
use seggpt_node::node_spec::RESULTS;
use seggpt_store::{Setup, Spec, setup::NodeSetup};

use crate::{
    Resources,
    check::{Ours, RUN_KEY},
};

/// Every node with its settings in force, and what else the run was started with.
pub(crate) fn of(
    descriptor: &Descriptor,
    ours: &BTreeMap<String, Ours<'_>>,
    spec: &Spec,
    resources: &Resources,
) -> Setup {
    let nodes = descriptor.nodes.iter().map(|node| {
        let id = node.id.to_string();
        let setup = match ours.get(&id) {
            Some(known) => of_ours(known),
            None => NodeSetup {
                program: node.path.clone().unwrap_or_default(),
                decide_results: (descriptor.env.iter().flatten())
                    .chain(node.env.iter().flatten())
                    .map(|(name, value)| (name.clone(), value.to_string()))
                    .collect(),
                others: BTreeMap::new(),
            },
        };
        (id, setup)
    });
    let version = |name: &str, version: &str| (name.to_owned(), version.to_owned());
    Setup {
        started_by: std::process::id(),
        spec: spec.clone(),
        versions: [
            version("dora-seggpt", env!("CARGO_PKG_VERSION")),
            version("dora", dora_message::VERSION),
        ]
        .into(),
        nodes: nodes.collect(),
        resources: resources.by_name(),
    }
}

fn of_ours(known: &Ours<'_>) -> NodeSetup {
    let deciding = known.node_spec.deciding(RESULTS);
    // The key of the run stands beside its nodes.
    let values = (known.values.clone().into_iter()).filter(|(name, _)| name != RUN_KEY);
    let (decide_results, others) = values.partition(|(name, _)| deciding.contains(name));
    NodeSetup {
        program: known.node_spec.name.to_owned(),
        decide_results,
        others,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use dora_core::descriptor::DescriptorExt;

    use super::*;
    use crate::{check, nodes};

    #[test]
    fn every_node_is_there_with_its_settings_defaults_included() {
        let yaml = "env: {MODEL: small}
nodes:
  - {id: prompts, path: seggpt-prompts, env: {PROMPTS: lib, K: 2}, outputs: [prompted]}
  - {id: viewer, path: viewer.py, env: {X: 1}, inputs: {prompted: prompts/prompted}}
";
        let mut descriptor = Descriptor::parse(yaml.into()).unwrap();
        let known = nodes::ours();
        let ours = check::settings(&mut descriptor, &known).unwrap().ours;
        let spec = [("prompts.K".into(), "2".into())].into();
        let setup = of(&descriptor, &ours, &spec, &Resources::default());
        let prompts = &setup.nodes["prompts"];
        assert_eq!(prompts.program, "seggpt-prompts");
        assert_eq!(prompts.decide_results["K"], "2");
        assert_eq!(prompts.decide_results["SELECT"], "fixed");
        assert_eq!(prompts.others["PROMPTS"], "lib");
        let viewer = &setup.nodes["viewer"];
        assert_eq!(
            (viewer.program.as_str(), viewer.decide_results["X"].as_str()),
            ("viewer.py", "1")
        );
        assert_eq!(setup.spec, spec);
        assert!(
            setup
                .nodes
                .values()
                .all(|node| !node.others.contains_key(RUN_KEY))
        );
        assert!(setup.versions.contains_key("dora"));
    }
}
