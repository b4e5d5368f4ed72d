//! Masks of maps on disk: the answers to a map's tiles, blended without seams, as files that lie on the map. A tile is
//! acknowledged once its answer is on disk, and a run that is interrupted at any moment goes on to the same bytes.
//!
//! * [`sink`] – all of it, without dora;
//! * [`record`] – how a map ended;
//! * [`regions`] – polygons of a mask's regions, and their numbers;
//! * [`legend`] – what the classes are called, for GDAL and QGIS.

pub mod legend;
pub mod record;
pub mod regions;
mod settings;
pub mod sink;

pub use regions::PolygonFile;
pub use settings::Settings;

use clap::CommandFactory;
use dora_node_api::{DoraNode, EventStream};
use eyre::Result;
use seggpt_contract::{Ack, Greeting, Mask, Message, Payload};
use seggpt_node::{Io, NodeSpec, Port};

use crate::sink::{Finished, Sink};

/// Ports and parameters, for manifest, README and reference.
pub fn node_spec() -> NodeSpec {
    NodeSpec {
        name: "seggpt-sink-geotiff",
        category: "recorder",
        inputs: &[Port {
            name: "mask",
            urn: Mask::URN,
            required: true,
            description: "The answers, with shares (`SHARES: true` at seggpt-infer).",
        }],
        outputs: &[Port {
            name: "ack",
            urn: Ack::URN,
            required: false,
            description: "Says of each tile that its answer is on disk, or that its failure is.",
        }],
        command: Settings::command(),
        content: None,
        check: None,
        owns: Some("OUT"),
    }
}

/// Writes masks until the inputs end or the user stops the dataflow.
///
/// # Errors
/// OUT cannot be written (the path is named; what was done before stays and counts when run again); the engine is gone.
pub fn run(node: DoraNode, events: EventStream, settings: Settings) -> Result<()> {
    let run = node.dataflow_id().to_string();
    let mut io = Io::new(node, events).until_closed("mask");
    let mut sink = Sink::open(settings, &run)?;
    if io.is_restarted() {
        let restarted = Some(io.id());
        io.greet(
            "ack",
            &Greeting {
                restarted,
                ..Greeting::default()
            },
        )?;
    }
    let outcome = drain(&mut io, &mut sink);
    io.report_drops();
    sink.close(outcome)
}

fn drain(io: &mut Io, sink: &mut Sink) -> Result<()> {
    while let Some(arrival) = io.receive() {
        if let Some(greeting) = arrival.greeting() {
            if arrival.input == "mask" {
                io.greet("ack", &greeting)?;
            }
            continue;
        }
        if arrival.input != "mask" {
            tracing::warn!(
                "input `{}` is not one of this node's (`mask`)",
                arrival.input
            );
            continue;
        }
        let finished = match arrival.read() {
            Ok(message) => sink.mask(message)?,
            Err(error) => sink.unreadable(arrival.unreadable(), &error)?,
        };
        acknowledge(io, finished)?;
        sink.advance()?;
    }
    Ok(())
}

fn acknowledge(io: &mut Io, finished: Vec<Finished>) -> Result<()> {
    finished.into_iter().try_for_each(|(identity, status)| {
        let item = identity.item.clone();
        io.send("ack", Message::Item(identity, Ack(status)))?;
        seggpt_fault::at("after-ack", &item);
        Ok(())
    })
}
