//! `seggpt node`: this program as a node of a dataflow. Called by a node's name, as through a link, it is that node.

use std::{ffi::OsString, path::Path};

use clap::Subcommand;
use seggpt_flow::PREFIX;
use seggpt_node::renamed;

/// The nodes by their names without `seggpt-`, each with its settings.
#[derive(Debug, Subcommand)]
#[allow(missing_docs)] // what `--help` says of each stands at its settings
pub enum NodeCommand {
    SourceImages(Box<seggpt_source_images::Settings>),
    Prompts(Box<seggpt_prompts::Settings>),
    EnsembleFeature(Box<seggpt_ensemble_feature::Settings>),
    EnsembleSpatial(Box<seggpt_ensemble_spatial::Settings>),
    EnsembleVote(Box<seggpt_ensemble_vote::Settings>),
    Infer(Box<seggpt_infer::Settings>),
    SinkFiles(Box<seggpt_sink_files::Settings>),
    #[command(alias = "examiner")]
    Evaluator(Box<seggpt_evaluator::Settings>),
    Volumes(Box<seggpt_volumes::Settings>),
    SourceGeotiff(Box<seggpt_source_geotiff::Settings>),
    SinkGeotiff(Box<seggpt_sink_geotiff::Settings>),
    SourceVideo(Box<seggpt_source_video::Settings>),
    Gate(Box<seggpt_gate::Settings>),
    Overlay(Box<seggpt_overlay::Settings>),
    SinkVideo(Box<seggpt_sink_video::Settings>),
}

/// Connects to the dataflow that started this process, and is the node until the dataflow ends.
///
/// # Errors
/// Those of the node, or that no dataflow started this process.
pub fn run(node: NodeCommand) -> eyre::Result<()> {
    use NodeCommand as Node;
    let (io, events) = seggpt_node::start()?;
    seggpt_node::outcome::report_error(match node {
        Node::SourceImages(settings) => seggpt_source_images::run(io, events, *settings),
        Node::Prompts(settings) => seggpt_prompts::run(io, events, *settings),
        Node::EnsembleFeature(settings) => seggpt_ensemble_feature::run(io, events, *settings),
        Node::EnsembleSpatial(settings) => seggpt_ensemble_spatial::run(io, events, *settings),
        Node::EnsembleVote(settings) => seggpt_ensemble_vote::run(io, events, *settings),
        Node::Infer(settings) => seggpt_infer::run(io, events, *settings),
        Node::SinkFiles(settings) => seggpt_sink_files::run(io, events, *settings),
        Node::Evaluator(settings) => seggpt_evaluator::run(io, events, *settings),
        Node::Volumes(settings) => seggpt_volumes::run(io, events, *settings),
        Node::SourceGeotiff(settings) => seggpt_source_geotiff::run(io, events, *settings),
        Node::SinkGeotiff(settings) => seggpt_sink_geotiff::run(io, events, *settings),
        Node::SourceVideo(settings) => seggpt_source_video::run(io, events, *settings),
        Node::Gate(settings) => seggpt_gate::run(io, events, *settings),
        Node::Overlay(settings) => seggpt_overlay::run(io, events, *settings),
        Node::SinkVideo(settings) => seggpt_sink_video::run(io, events, *settings),
    })
}

/// The command line that is meant: `seggpt-infer ...` is `seggpt node infer ...`.
pub fn words(called: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut words: Vec<_> = called.into_iter().collect();
    let stem = words
        .first()
        .and_then(|program| Path::new(program).file_stem());
    let name = stem
        .and_then(|stem| stem.to_str())
        .map(|stem| renamed::node(stem).unwrap_or(stem))
        .and_then(|stem| stem.strip_prefix(PREFIX))
        .filter(|name| NodeCommand::has_subcommand(name))
        .map(OsString::from);
    if let Some(name) = name {
        words.splice(..1, ["seggpt".into(), "node".into(), name]);
    }
    words
}

/// The name of the node that a command line is for, as dataflows have it.
pub(crate) fn of(words: &[OsString]) -> Option<String> {
    let name = words.get(2)?.to_str().filter(|_| words[1] == "node")?;
    Some(format!("{PREFIX}{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nodes;

    fn of(line: &str) -> String {
        let words = words(line.split(' ').map(OsString::from));
        let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
        words.join(" ")
    }

    #[test]
    fn the_name_that_it_is_called_by_decides() {
        assert_eq!(
            of("/opt/bin/seggpt-infer --model x"),
            "seggpt node infer --model x"
        );
        assert_eq!(of("seggpt-evaluator"), "seggpt node evaluator");
        for same in ["seggpt run a.yml", "seggpt-other --help", "./seggpt-0.1"] {
            assert_eq!(of(same), same);
        }
    }

    #[test]
    fn every_node_is_there() {
        for node_spec in nodes::node_specs() {
            assert!(
                of(node_spec.name).starts_with("seggpt node "),
                "{node_spec:?}"
            );
        }
    }
}
