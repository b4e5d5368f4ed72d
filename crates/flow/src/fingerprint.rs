//! What decides a run's results: programs, settings, wiring and contents of all nodes on the way to a folder of results.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use dora_core::{config::InputMapping, descriptor::Descriptor};
use dora_message::descriptor::{EnvValue, Node};
use seggpt_files::hash::short_of_file;
use seggpt_node::node_spec::RESULTS;
use seggpt_store::Spec;

use crate::{Diagnostic, check::Ours, executables};

/// Nodes of this category keep results.
const RECORDER: &str = "recorder";

/// The spec of a dataflow's results; empty where no node of ours keeps any.
///
/// # Errors
/// What a setting names cannot be read.
pub(crate) fn spec(
    descriptor: &Descriptor,
    ours: &BTreeMap<String, Ours<'_>>,
    dir: &Path,
) -> Result<Spec, Diagnostic> {
    let mut spec = Spec::new();
    let on_the_way = on_the_way(descriptor, ours);
    for node in descriptor
        .nodes
        .iter()
        .filter(|node| on_the_way.contains(node.id.as_ref() as &str))
    {
        let id = node.id.to_string();
        match ours.get(&id) {
            Some(known) => of_ours(&mut spec, &id, known, dir)?,
            None => of_foreign(&mut spec, &id, node, descriptor.env.as_ref(), dir),
        }
        for (input, from) in &node.inputs {
            spec.insert(format!("{id}/{input}"), from.mapping.to_string());
        }
    }
    if !spec.is_empty() {
        spec.insert("version".into(), env!("CARGO_PKG_VERSION").into());
    }
    Ok(spec)
}

/// The folders that belong to one run at a time.
pub(crate) fn owned(ours: &BTreeMap<String, Ours<'_>>, dir: &Path) -> Vec<PathBuf> {
    let folder = |known: &Ours<'_>| Some(dir.join(known.values.get(known.node_spec.owns?)?));
    ours.values().filter_map(folder).collect()
}

fn of_ours(spec: &mut Spec, id: &str, known: &Ours<'_>, dir: &Path) -> Result<(), Diagnostic> {
    let Ours { node_spec, values } = known;
    spec.insert(id.to_owned(), node_spec.name.to_owned());
    for variable in node_spec.deciding(RESULTS) {
        if let Some(value) = values.get(&variable) {
            spec.insert(format!("{id}.{variable}"), value.clone());
        }
    }
    let Some(content) = node_spec.content else {
        return Ok(());
    };
    let content =
        content(values, dir).map_err(|error| Diagnostic::new(format!("node `{id}`: {error:#}")))?;
    spec.extend(
        content
            .into_iter()
            .map(|(name, value)| (format!("{id}: {name}"), value)),
    );
    Ok(())
}

/// Of other people's nodes everything that can be seen: the program, its arguments and its environment.
fn of_foreign(
    spec: &mut Spec,
    id: &str,
    node: &Node,
    shared: Option<&BTreeMap<String, EnvValue>>,
    dir: &Path,
) {
    let path = node.path.clone().unwrap_or_default();
    if let Some(hash) = executables::find(&path, dir).and_then(|file| short_of_file(&file).ok()) {
        spec.insert(format!("{id}: program"), hash);
    }
    spec.insert(id.to_owned(), path);
    if let Some(args) = &node.args {
        spec.insert(format!("{id}: arguments"), args.clone());
    }
    let variables = shared
        .into_iter()
        .flatten()
        .chain(node.env.iter().flatten());
    spec.extend(variables.map(|(name, value)| (format!("{id}.{name}"), value.to_string())));
}

/// The nodes that keep results and all that they hear of, directly or not.
fn on_the_way(descriptor: &Descriptor, ours: &BTreeMap<String, Ours<'_>>) -> BTreeSet<String> {
    let keeps = |(id, known): (&String, &Ours<'_>)| {
        (known.node_spec.category == RECORDER).then(|| id.clone())
    };
    let mut open: Vec<String> = ours.iter().filter_map(keeps).collect();
    let mut seen = BTreeSet::new();
    while let Some(id) = open.pop() {
        let node = descriptor
            .nodes
            .iter()
            .find(|node| node.id.as_ref() as &str == id);
        if !seen.insert(id) {
            continue;
        }
        let inputs = node.into_iter().flat_map(|node| node.inputs.values());
        open.extend(inputs.filter_map(|input| match &input.mapping {
            InputMapping::User(from) => Some(from.source.to_string()),
            _ => None,
        }));
    }
    seen
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use dora_core::descriptor::DescriptorExt;
    use seggpt_store::spec::changes;

    use super::*;
    use crate::check;

    fn of(yaml: &str) -> Spec {
        let mut flow = Descriptor::parse(yaml.as_bytes().to_vec()).unwrap();
        let nodes = crate::nodes::ours();
        let ours = check::settings(&mut flow, &nodes).unwrap().ours;
        spec(&flow, &ours, Path::new(".")).unwrap()
    }

    const FLOW: &str = "nodes:
  - {id: source, path: seggpt-source-images, env: {INPUTS: a}, outputs: [image], inputs: {ack: {source: sink/ack, queue_size: 9}}}
  - {id: ensemble, path: seggpt-ensemble-feature, outputs: [canvases], inputs: {prompted: source/image}}
  - {id: sink, path: seggpt-sink-files, env: {OUT: out}, outputs: [ack], inputs: {mask: ensemble/canvases}}
  - {id: viewer, path: viewer.py, env: {X: 1}, inputs: {mask: ensemble/canvases}}
";

    fn said(new: &str) -> Vec<String> {
        changes(&of(FLOW), &of(new))
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn places_speed_queues_and_viewers_decide_nothing() {
        for (old, new) in [
            ("INPUTS: a", "INPUTS: b"),
            ("OUT: out", "OUT: o, REPORT: false"),
            ("queue_size: 9", "queue_size: 8"),
            ("X: 1", "X: 2"),
        ] {
            assert!(said(&FLOW.replace(old, new)).is_empty(), "{new}");
        }
    }

    #[test]
    fn a_swapped_ensemble_a_setting_and_the_wiring_are_told() {
        let swapped = FLOW.replace("ensemble-feature", "ensemble-spatial");
        assert!(
            said(&swapped)
                .contains(&"ensemble: seggpt-ensemble-feature -> seggpt-ensemble-spatial".into()),
            "{:?}",
            said(&swapped)
        );
        assert_eq!(
            said(&FLOW.replace("OUT: out", "OUT: out, MASK: ids")),
            ["sink.MASK: palette -> ids"]
        );
        assert_eq!(
            said(&FLOW.replace(
                "{mask: ensemble/canvases}}\n  - {id: v",
                "{mask: source/image}}\n  - {id: v"
            ))[0],
            "ensemble: seggpt-ensemble-feature -> (none)"
        );
    }

    #[test]
    fn a_default_that_is_written_out_changes_nothing() {
        assert!(said(&FLOW.replace("OUT: out", "OUT: out, MASK: palette")).is_empty());
    }

    #[test]
    fn a_foreign_node_on_the_way_counts_with_all_that_can_be_seen() {
        let foreign = |env: &str| {
            FLOW.replace(
                "path: seggpt-ensemble-feature",
                &format!("path: mine.py, args: --fast, env: {{A: {env}}}"),
            )
        };
        let changed = changes(&of(&foreign("1")), &of(&foreign("2")));
        assert_eq!(
            changed.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["ensemble.A: 1 -> 2"]
        );
        assert_eq!(of(&foreign("1"))["ensemble: arguments"], "--fast");
    }
}
