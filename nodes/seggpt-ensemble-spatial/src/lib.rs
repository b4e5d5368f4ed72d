//! Spatial ensemble: all examples share one canvas, as cells of a grid.

mod grid;

use clap::{CommandFactory, Parser};
use dora_node_api::{DoraNode, EventStream};
use eyre::Result;
use seggpt_contract::{Canvases, Payload, Prompted};
use seggpt_node::{NodeSpec, Port, node_spec::RESULTS};

pub use grid::lay_out;

/// Spatial ensemble: all examples share one canvas, as cells of a grid.
///
/// The examples are put together as an n x n picture that is sampled down to the size of one (SegGPT, section 3.3); cells
/// left over repeat examples in order. Costs no more than a single example, at the price of their resolution.
#[derive(Clone, Debug, Parser)]
#[command(name = "seggpt-ensemble-spatial", version)]
pub struct Settings {
    /// Cells along each side of the grid; 0: the fewest that hold all examples.
    #[arg(long, env = "GRID", help_heading = RESULTS, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=32))]
    pub grid: u32,
}

/// Ports and parameters, for manifest, README and reference.
pub fn node_spec() -> NodeSpec {
    NodeSpec {
        name: "seggpt-ensemble-spatial",
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
            description: "One canvas that shows all examples.",
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
        lay_out(&prompted, settings.grid)
    })
}
