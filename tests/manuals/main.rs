//! Code, manifests, READMEs, the reference page and the dataflows say the same. `UPDATE=1` writes what is made from code.
#![allow(clippy::unwrap_used)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use dora_core::{manifest::NodeManifest, types::TypeRegistry};
use seggpt_node::{NodeSpec, Port, node_spec};
use seggpt_tests::{Scratch, root};
use yaml_serde::{Mapping, Value};

mod messages;

fn node_specs() -> Vec<NodeSpec> {
    seggpt_cli::nodes::node_specs().into()
}

#[test]
fn every_setting_says_what_it_decides() {
    for spec in node_specs() {
        let headings = [node_spec::RESULTS, node_spec::SPEED, node_spec::PLACES];
        let said: BTreeSet<_> = headings.iter().flat_map(|h| spec.deciding(h)).collect();
        assert_eq!(said, spec.variables(), "{}", spec.name);
    }
}

fn agree(path: &Path, made: &str) {
    if std::env::var_os("UPDATE").is_some() {
        fs::write(path, made).unwrap();
    }
    let there = fs::read_to_string(path).unwrap_or_default();
    assert!(
        there == made,
        "{} is not what the code says: `make docs`",
        path.strip_prefix(root()).unwrap().display()
    );
}

#[test]
fn manifests_and_readmes_say_what_the_code_says() {
    for spec in node_specs() {
        let folder = root().join("nodes").join(spec.name);
        agree(
            &folder.join("dora-node.yml"),
            &(spec.manifest() + &shipped_types(&spec)),
        );
        agree(&folder.join("README.md"), &spec.readme());
    }
}

#[test]
fn the_reference_page_holds_every_node() {
    let mut page = String::from(
        "# Nodes\n\nMade from the code by `make docs`. Every node is a part of `seggpt` that a dataflow names as `path:`.\n\n",
    );
    for spec in node_specs() {
        page += &format!(
            "- [{0}](#{0}): {1}\n",
            spec.name,
            spec.command
                .get_about()
                .map(ToString::to_string)
                .unwrap_or_default()
        );
    }
    for spec in node_specs() {
        let deeper = spec.readme().replace("\n## ", "\n### ");
        page += &format!("\n#{deeper}");
    }
    agree(&root().join("docs/reference-nodes.md"), &page);
}

#[test]
fn the_command_line_page_is_what_help_says() {
    let commands = [
        "run",
        "segment",
        "video",
        "eval",
        "demo",
        "doctor",
        "model inspect",
        "model convert",
        "model verify",
        "train",
        "train preview",
        "train pack",
        "tune",
        "link",
        "node",
    ];
    let mut page = String::from(
        "# Command line\n\nMade from the code by `make docs`: what `seggpt COMMAND --help` says.\n",
    );
    for command in [""].into_iter().chain(commands) {
        let said = Scratch::new()
            .seggpt(command.split_whitespace().chain(["--help"]))
            .expect_code(0)
            .said();
        let tidy: Vec<_> = said.lines().map(str::trim_end).collect();
        page += &format!(
            "\n## {}\n\n```text\n{}\n```\n",
            format!("seggpt {command}").trim_end(),
            tidy.join("\n")
        );
    }
    agree(&root().join("docs/reference-cli.md"), &page);
}

#[test]
fn dora_takes_every_manifest() {
    for spec in node_specs() {
        let text =
            fs::read_to_string(root().join("nodes").join(spec.name).join("dora-node.yml")).unwrap();
        let parsed = NodeManifest::parse(&text).unwrap();
        assert_eq!(parsed.name.as_deref(), Some(spec.name));
        parsed.validate_strict(&registry()).unwrap();
    }
}

fn registry() -> TypeRegistry {
    let mut registry = TypeRegistry::new();
    registry
        .load_from_dir(&root().join("dataflows/types"))
        .unwrap();
    registry
}

/// The definitions of the types that a node's ports name, as a manifest ships them.
fn shipped_types(spec: &NodeSpec) -> String {
    let text = fs::read_to_string(root().join("dataflows/types/seggpt/flow/v1.yml")).unwrap();
    let all: Value = yaml_serde::from_str(&text).unwrap();
    let mut used = Mapping::new();
    for port in spec.inputs.iter().chain(spec.outputs) {
        let short = port.urn.strip_prefix("seggpt/flow/v1/").unwrap();
        used.insert(port.urn.into(), all["types"][short].clone());
    }
    let mut shipped = Mapping::new();
    shipped.insert("types".into(), Value::Mapping(used));
    yaml_serde::to_string(&shipped).unwrap()
}

/// Every node of every dataflow: only ports and settings that the node has, with their types, all required inputs wired.
#[test]
fn dataflows_use_nodes_as_their_specs_say() {
    let specs: BTreeMap<_, _> = node_specs()
        .into_iter()
        .map(|spec| (spec.name, spec))
        .collect();
    let mut seen = 0;
    for entry in fs::read_dir(root().join("dataflows")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "yml") {
            continue;
        }
        let flow: Value = yaml_serde::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(
            flow["strict_types"],
            Value::Bool(true),
            "{}: strict_types",
            path.display()
        );
        for node in flow["nodes"].as_sequence().unwrap() {
            let Some(spec) = node["path"].as_str().and_then(|path| specs.get(path)) else {
                continue;
            };
            let place = format!("{}: {}", path.display(), spec.name);
            check_ports(&place, node, "inputs", "input_types", spec.inputs);
            check_ports(&place, node, "outputs", "output_types", spec.outputs);
            let known: Vec<_> = spec
                .command
                .get_arguments()
                .filter_map(|a| a.get_env()?.to_str())
                .collect();
            for variable in keys(&node["env"]) {
                assert!(
                    known.contains(&variable.as_str()),
                    "{place}: `{variable}` is none of its settings {known:?}"
                );
            }
            seen += 1;
        }
    }
    assert!(seen >= 5, "the dataflows use our nodes");
}

fn check_ports(place: &str, node: &Value, wires: &str, types: &str, ports: &[Port]) {
    let wired = keys(&node[wires]);
    for name in &wired {
        let port = ports
            .iter()
            .find(|port| port.name == name)
            .unwrap_or_else(|| panic!("{place}: no port `{name}` in {wires}"));
        assert_eq!(
            node[types][name.as_str()].as_str(),
            Some(port.urn),
            "{place}: {types} of `{name}`"
        );
    }
    for port in ports.iter().filter(|port| port.required) {
        assert!(
            wired.iter().any(|name| name == port.name),
            "{place}: `{}` must be wired",
            port.name
        );
    }
}

/// The keys of a mapping, or the items of a list of names.
fn keys(value: &Value) -> Vec<String> {
    match value {
        Value::Mapping(map) => map
            .keys()
            .filter_map(|key| Some(key.as_str()?.to_owned()))
            .collect(),
        Value::Sequence(list) => list
            .iter()
            .filter_map(|item| Some(item.as_str()?.to_owned()))
            .collect(),
        _ => Vec::new(),
    }
}
