//! Results on disk: masks, overlays, a journal, `run.json` and a report page, each file whole or not there at all; an item
//! is acknowledged once its files and its journal line outlive a power cut.
//!
//! * [`results`] – the files of an item;
//! * [`folder`] – pages, written and then moved to their place;
//! * [`ring`] – of an endless run, which items stay;
//! * [`journal`] – the finished items, those of earlier runs included;
//! * [`report`] – the page;
//! * [`summary`] – `run.json`;
//! * [`export`] – all masks as labelling tools import them;
//! * [`sink`] – all of it together, without dora.

pub mod export;
pub mod folder;
pub mod journal;
pub mod pending_input;
pub mod record;
pub mod report;
pub mod results;
pub mod ring;
mod settings;
pub mod sink;
pub mod summary;
pub mod totals;

pub use settings::{Export, MaskKind, Settings};

use clap::CommandFactory;
use dora_node_api::{DoraNode, EventStream};
use eyre::Result;
use seggpt_contract::{Ack, Greeting, Mask, Message, Payload, Prompted};
use seggpt_node::{Io, NodeSpec, Port};

use crate::sink::{Finished, Sink};

/// Ports and parameters, for manifest, README and reference.
pub fn node_spec() -> NodeSpec {
    NodeSpec {
        name: "seggpt-sink-files",
        category: "recorder",
        inputs: &[
            Port {
                name: "mask",
                urn: Mask::URN,
                required: true,
                description: "The masks.",
            },
            Port {
                name: "prompted",
                urn: Prompted::URN,
                required: false,
                description: "The pictures and their examples, from the prompts node; unwired, there are no overlays, and no pictures in the report.",
            },
        ],
        outputs: &[Port {
            name: "ack",
            urn: Ack::URN,
            required: false,
            description: "Says of each item that its files are in place, or that its failure is recorded.",
        }],
        command: Settings::command(),
        content: None,
        check: None,
        owns: Some("OUT"),
    }
}

/// Writes results until the inputs end or the user stops the dataflow.
///
/// # Errors
/// OUT cannot be written (the path is named; what was done before stays and counts when run again); the engine is gone.
pub fn run(node: DoraNode, events: EventStream, settings: Settings) -> Result<()> {
    let run = node.dataflow_id().to_string();
    let mut io = Io::new(node, events).until_closed("mask");
    let mut sink = Sink::open(settings, io.is_wired("prompted"), &run)?.in_groups_of(GROUP);
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
    let (dropped, stopped) = (io.report_drops(), io.stopped());
    sink.close(dropped, stopped, outcome)
}

/// How many items are put on disk together at most; fewer where no further message waits.
const GROUP: usize = 64;

fn drain(io: &mut Io, sink: &mut Sink) -> Result<()> {
    loop {
        let next = match sink.is_waiting() {
            true => io.try_receive(),
            false => io.receive().map(Some),
        };
        let arrival = match next {
            Some(Some(arrival)) => arrival,
            Some(None) => {
                let finished = sink.commit()?;
                acknowledge(io, finished)?;
                continue;
            }
            None => break,
        };
        if let Some(greeting) = arrival.greeting() {
            if arrival.input == "mask" {
                // What came before it is answered before it.
                let finished = sink.commit()?;
                acknowledge(io, finished)?;
                io.greet("ack", &greeting)?;
            }
            continue;
        }
        let finished = match arrival.input.as_str() {
            "mask" => match arrival.read() {
                Ok(message) => sink.mask(message)?,
                Err(error) => sink.unreadable(arrival.unreadable(), &error)?,
            },
            "prompted" => match arrival.read() {
                Ok(message) => sink.prompted(message)?,
                Err(error) => sink.without_picture(&arrival.unreadable(), &error)?,
            },
            other => {
                sink.unknown_input(other);
                vec![]
            }
        };
        acknowledge(io, finished)?;
    }
    let mut late = vec![];
    if !io.stopped() {
        late = sink.rest()?;
    }
    late.extend(sink.commit()?);
    // The source may have gone; nobody waits for these.
    acknowledge(io, late).or_else(|error| {
        tracing::debug!("{error:#}");
        Ok(())
    })
}

fn acknowledge(io: &mut Io, finished: Vec<Finished>) -> Result<()> {
    finished.into_iter().try_for_each(|(identity, status)| {
        let item = identity.item.clone();
        io.send("ack", Message::Item(identity, Ack(status)))?;
        seggpt_fault::at("after-ack", &item);
        Ok(())
    })
}
