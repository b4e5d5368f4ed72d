//! Feature ensemble: several examples guide one answer inside the network.

use clap::{CommandFactory, Parser, ValueEnum};
use dora_node_api::{DoraNode, EventStream};
use eyre::Result;
use seggpt_contract::{Canvases, Combine, ContractError, Payload, Prompt, Prompted};
use seggpt_node::{NodeSpec, Port, node_spec::RESULTS};

/// Feature ensemble: several examples guide one answer inside the network.
///
/// Every example gets a canvas of its own; after each attention the network averages the query's features over all of them
/// (SegGPT, section 3.3). Time grows with the number of examples; usually the most accurate way to use several. With
/// `MERGE=joint` the query attends to all examples at once instead, in the same time.
#[derive(Clone, Debug, Parser)]
#[command(name = "seggpt-ensemble-feature", version)]
pub struct Settings {
    /// How the query takes from several examples.
    #[arg(long, env = "MERGE", help_heading = RESULTS, value_enum, default_value_t)]
    pub merge: Merge,
}

/// How the query takes from several examples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Merge {
    /// The same from each: what they say is averaged (the original).
    #[default]
    Mean,
    /// Each part of it from the example that is most like it (one softmax over all; not in the paper).
    Joint,
}

/// Ports and parameters, for manifest, README and reference.
pub fn node_spec() -> NodeSpec {
    NodeSpec {
        name: "seggpt-ensemble-feature",
        category: "transform",
        inputs: &[Port {
            name: "prompted",
            urn: Prompted::URN,
            required: true,
            description: "The picture and its examples.",
        }],
        outputs: &[Port {
            name: "canvases",
            urn: Canvases::URN,
            required: false,
            description: "One canvas per example.",
        }],
        command: Settings::command(),
        content: None,
        check: None,
        owns: None,
    }
}

/// The node's loop.
///
/// # Errors
/// The engine is gone.
pub fn run(node: DoraNode, events: EventStream, settings: Settings) -> Result<()> {
    seggpt_node::transform(node, events, "prompted", "canvases", |_, prompted| {
        Ok(lay_out(&prompted, settings.merge)?)
    })
}

/// One canvas per example, brought together inside the network.
///
/// # Errors
/// The picture does not decode.
pub fn lay_out(prompted: &Prompted, merge: Merge) -> Result<Canvases, ContractError> {
    let examples = prompted.examples.iter().cloned();
    let prompts = examples.map(Prompt::from).collect();
    let (combine, name) = match merge {
        Merge::Mean => (Combine::Feature, "feature"),
        Merge::Joint => (Combine::Joint, "joint"),
    };
    Canvases::new(prompted, prompts, combine, name)
}
