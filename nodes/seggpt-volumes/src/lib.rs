//! Volumes through the dataflow: source, prompts and sink in one, since asking a slice needs the answers to its neighbours,
//! the answer is the acknowledgement, and one place knows the geometry.
//!
//! * [`Settings`]; [`inputs`]: which volumes there are, `files`: in which files;
//! * [`examples`]: the labelled slices of all examples;
//! * [`target`]: a volume that is being asked: which slice is next, with which examples; [`answers`]: what was answered;
//! * [`whole`]: labelled slices and answers put together, [`making`]: what segmentations say of that; [`marks`]: compared with the truth;
//! * [`record`], [`summary`], [`report`]: how it ended, for programs and for people;
//! * [`session`]: all of it together, without dora; `worker`: on a thread of its own; `asking`: the event loop.

pub mod answers;
mod asking;
mod content;
pub mod examples;
mod files;
pub mod inputs;
pub mod making;
pub mod marks;
pub mod record;
pub mod report;
pub mod session;
mod settings;
pub mod summary;
pub mod target;
pub mod whole;
mod worker;

pub use settings::{Settings, Time};

use std::{path::Path, sync::Arc};

use clap::CommandFactory;
use dora_node_api::{DoraNode, EventStream};
use eyre::{Result, bail};
use seggpt_contract::{Mask, Payload, Prompted};
use seggpt_node::{CrashGuard, Io, NodeSpec, Port, Values, node_spec::parsed, outcome};

use crate::{
    asking::Asking,
    summary::State,
    worker::{News, Order, Worker},
};

/// Ports and parameters, for manifest, README and reference.
pub fn node_spec() -> NodeSpec {
    NodeSpec {
        name: "seggpt-volumes",
        category: "recorder",
        inputs: &[Port {
            name: "mask",
            urn: Mask::URN,
            required: true,
            description: "The answers.",
        }],
        outputs: &[Port {
            name: "prompted",
            urn: Prompted::URN,
            required: false,
            description: "Slices and their examples, one of each chain at a time.",
        }],
        command: Settings::command(),
        content: Some(content::of),
        check: Some(check),
        owns: Some("OUT"),
    }
}

/// Relative paths start in the folder of the dataflow.
fn check(values: &Values, dir: &Path) -> Result<()> {
    let mut settings: Settings = parsed(values)?;
    for (scan, labels) in &mut settings.prompt_pairs.0 {
        *scan = dir.join(&*scan);
        *labels = dir.join(&*labels);
    }
    for input in &mut settings.inputs {
        *input = match input.strip_prefix('@') {
            Some(list) => format!("@{}", dir.join(list).display()),
            None => dir.join(&*input).display().to_string(),
        };
    }
    settings.truth = settings.truth.map(|truth| dir.join(truth));
    session::check(&settings)
}

/// Asks until all volumes are done or the user stops the dataflow.
///
/// # Errors
/// Inputs or examples that cannot be used; OUT that cannot be written; answers that end early; the engine is gone.
pub fn run(node: DoraNode, events: EventStream, settings: Settings) -> Result<()> {
    let run = node.dataflow_id().to_string();
    let io = Io::new(node, events);
    let guard = Arc::new(CrashGuard::new(io.id(), io.crash_log()));
    let worker = Worker::start(settings.clone(), run, Arc::clone(&guard))?;
    let mut asking = Asking::new(io, worker, &guard, &settings);
    let outcome = asking.hold();
    guard.close();
    let state = match (&outcome, asking.stopped()) {
        (Err(_), _) => State::Broken,
        (Ok(()), true) => State::Stopped,
        (Ok(()), false) => State::Finished,
    };
    let error = outcome.as_ref().err().map(|error| format!("{error:#}"));
    asking.worker().order(Order::Close(state, error));
    loop {
        match asking.worker().wait() {
            Some(News::Closed(page)) => {
                outcome::report_page(&page);
                return outcome;
            }
            Some(News::Broken(error)) => return outcome.and(Err(error)),
            Some(_) => {}
            // It broke before, and has said why.
            None if outcome.is_err() => return outcome,
            None => bail!("the thread that reads volumes is gone"),
        }
    }
}
