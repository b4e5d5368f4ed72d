//! Vote: every example answers alone, and the answers are fused pixel by pixel.

use clap::{CommandFactory, Parser};
use dora_node_api::{DoraNode, EventStream};
use eyre::Result;
use seggpt_contract::{Canvases, Combine, ContractError, Payload, Prompt, Prompted};
use seggpt_node::{NodeSpec, Port};

/// Vote: every example answers alone, and the answers are fused pixel by pixel.
///
/// Every example gets a canvas of its own and an answer of its own; the network node then fuses the answers at each pixel.
/// Examples that contradict each other are outvoted instead of blended; time grows with the number of examples.
#[derive(Clone, Debug, Parser)]
#[command(name = "seggpt-ensemble-vote", version)]
pub struct Settings {}

/// Ports and parameters, for manifest, README and reference.
pub fn node_spec() -> NodeSpec {
    NodeSpec {
        name: "seggpt-ensemble-vote",
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
pub fn run(node: DoraNode, events: EventStream, _: Settings) -> Result<()> {
    seggpt_node::transform(node, events, "prompted", "canvases", |_, prompted| {
        Ok(lay_out(&prompted)?)
    })
}

/// One canvas per example, each answered on its own.
///
/// # Errors
/// The picture does not decode.
pub fn lay_out(prompted: &Prompted) -> Result<Canvases, ContractError> {
    let examples = prompted.examples.iter().cloned();
    let prompts = examples.map(Prompt::from).collect();
    Canvases::new(prompted, prompts, Combine::Vote, "vote")
}
