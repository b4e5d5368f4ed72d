//! Maps as messages, tile by tile, and none lost: at most a window of tiles is under way, each is sent again until the sink
//! acknowledges it, and the node ends when all are acknowledged.
//!
//! * [`plan`]: which tiles of which maps there are, and which of them are done;
//! * [`area`]: what of a map the work is limited to;
//! * [`tiles`]: a tile as a message.

pub mod area;
pub mod plan;
mod settings;
pub mod tiles;

pub use settings::{Settings, Stretching};

use std::{path::Path, time::Duration};

use clap::CommandFactory;
use dora_node_api::{DoraNode, EventStream};
use eyre::Result;
use seggpt_contract::{Ack, Image, Payload};
use seggpt_node::{Io, NodeSpec, Port, Sender, Values, Window, memory, node_spec::parsed};
use seggpt_source_images::inputs;

use crate::{plan::Plan, tiles::Item};

/// What the manifest and the README are made from.
pub fn node_spec() -> NodeSpec {
    NodeSpec {
        name: "seggpt-source-geotiff",
        category: "sensor",
        inputs: &[Port {
            name: "ack",
            urn: Ack::URN,
            required: false,
            description: "The sink's word that a tile is done with; unwired, tiles are sent once and may get lost.",
        }],
        outputs: &[Port {
            name: "image",
            urn: Image::URN,
            required: false,
            description: "The tiles, at most WINDOW unacknowledged at a time; where each belongs stands beside it, under `map`.",
        }],
        command: Settings::command(),
        content: Some(area::content),
        check: Some(check),
        owns: None,
    }
}

/// Refuses inputs that mean nothing, without listing folders, and an area that cannot be read.
fn check(values: &Values, dir: &Path) -> Result<()> {
    let settings: Settings = parsed(values)?;
    area::check(values, dir)?;
    inputs::check(&settings.inputs, dir)
}

/// Sends all tiles and returns when all are acknowledged, or the user stops the dataflow.
///
/// # Errors
/// As [`Plan::new`]; acknowledgements that end early or never come (the tiles are named).
pub fn run(node: DoraNode, events: EventStream, settings: Settings) -> Result<()> {
    let plan = Plan::new(&settings, &node.dataflow_id().to_string())?;
    for line in plan.to_string().lines() {
        tracing::info!("{line}");
    }
    for map in &plan.placeless {
        tracing::warn!(
            "{map}: nothing says where it lies; its mask will be a TIFF file without a place"
        );
    }
    if node.is_restart() {
        tracing::warn!("this node was started again, and goes on from what is on disk");
    }
    let io = Io::new(node, events);
    let items = Item::all(plan, &io.id());
    let window = Window::new(
        settings.window.into(),
        Duration::from_secs(settings.resend_s.into()),
        settings.max_tries,
    )
    .within(memory::window_mb(settings.window_mb.into()) << 20);
    let total = items.len() as u64;
    Sender::new(io, window, settings.resend_s, "tiles").send_all(items, Some(total))
}
