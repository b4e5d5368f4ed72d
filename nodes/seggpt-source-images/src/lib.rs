//! Picture files as messages, and none lost: at most a window of them is under way, each is sent again until the sink
//! acknowledges it, and the node ends when all are acknowledged.
//!
//! * [`inputs`]: which files the settings mean, and what the items are called;
//! * [`load`]: a file as the payload of a message;
//! * [`seggpt_node::source`]: the rest, which sources share.

mod found;
pub mod inputs;
pub mod load;
mod naming;
mod results;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use clap::{ArgAction, CommandFactory, Parser, value_parser};
use dora_node_api::{DoraNode, EventStream};
use eyre::{Result, ensure};
use seggpt_contract::{Ack, Image, Payload};
use seggpt_imaging::read::Exif;
use seggpt_node::{
    Io, NodeSpec, Port, Sender, Values, Window, memory,
    node_spec::{PLACES, RESULTS, SPEED, parsed},
    source::{Sendable, done::Done},
};

use crate::load::Item;

/// Sends picture files one by one and repeats each until the sink acknowledges it
///
/// Reads PNG, JPEG, TIFF, WebP and BMP upright (EXIF orientation applied), whatever the depth. What is not taken as it stands
/// in the file (10 to 14 bits in files of 16, bands beyond red, green and blue, transparency) is noted in the record of the
/// picture. Pages of a TIFF file that are as large as its first are pictures of their own. Pictures go out as raw rgb8; those above 24 MiB go out encoded. A file that cannot be read goes out as a failed item, so that the report
/// names it. Without a wired `ack`, everything is sent once and nothing is repeated.
#[derive(Clone, Debug, Parser)]
#[command(name = "seggpt-source-images")]
pub struct Settings {
    /// The pictures, one entry a line: files, folders, globs (`photos/**/*.jpg`) and `@list.txt` files of one path a
    /// line. Relative to the folder of the dataflow. Of folders, only files with a picture's extension are taken
    #[arg(long, env = "INPUTS", help_heading = PLACES, value_delimiter = '\n', required = true)]
    pub inputs: Vec<String>,

    /// Whether folders are searched to any depth
    #[arg(long, env = "RECURSIVE", help_heading = PLACES, default_value_t = true, action = ArgAction::Set)]
    pub recursive: bool,

    /// Whether the orientation that cameras write (EXIF) turns pictures upright: `apply`, or `ignore` to take them as they are
    /// stored
    #[arg(long, env = "EXIF", help_heading = RESULTS, default_value = "apply")]
    pub exif: Exif,

    /// The most pictures that are under way at a time, 1 to 64; queues along the way must hold as many
    #[arg(long, env = "WINDOW", help_heading = SPEED, default_value_t = 4, value_parser = value_parser!(u8).range(1..=64))]
    pub window: u8,

    /// The most megabytes of pixels that are under way at a time, three bytes a pixel, whatever their files take; 0: a
    /// sixteenth of the machine's memory, at most 4096. The nodes together take some five times as much. A picture that
    /// is larger by itself goes alone
    #[arg(long, env = "WINDOW_MB", help_heading = SPEED, default_value_t = 0)]
    pub window_mb: u32,

    /// Seconds without acknowledgement after which a picture is sent again; more than the window times the slowest
    /// picture takes
    #[arg(long, env = "RESEND_S", help_heading = SPEED, default_value_t = 600, value_parser = value_parser!(u32).range(1..))]
    pub resend_s: u32,

    /// How often a picture is sent before it is given up and reported as failed
    #[arg(long, env = "MAX_TRIES", help_heading = SPEED, default_value_t = 3, value_parser = value_parser!(u32).range(1..))]
    pub max_tries: u32,

    /// The sink's OUT: what was done there under the same RUN_KEY, is whole, and whose picture has not changed since, is
    /// skipped
    #[arg(long, env = "RESULTS", help_heading = PLACES)]
    pub results: Option<PathBuf>,

    /// Names what the results depend on (model, prompts, settings); see RESULTS. Without it, nothing is skipped
    #[arg(long, env = "RUN_KEY", help_heading = PLACES, default_value = "")]
    pub run_key: String,
}

/// What the manifest and the README are made from.
pub fn node_spec() -> NodeSpec {
    NodeSpec {
        name: "seggpt-source-images",
        category: "sensor",
        inputs: &[Port {
            name: "ack",
            urn: Ack::URN,
            required: false,
            description: "The sink's word that an item is done with; unwired, pictures are sent once and may get lost.",
        }],
        outputs: &[Port {
            name: "image",
            urn: Image::URN,
            required: false,
            description: "The pictures, at most WINDOW unacknowledged at a time.",
        }],
        command: Settings::command(),
        content: None,
        check: Some(check),
        owns: None,
    }
}

/// Refuses inputs that mean nothing, without listing folders.
fn check(values: &Values, dir: &Path) -> Result<()> {
    let settings: Settings = parsed(values)?;
    inputs::check(&settings.inputs, dir)
}

/// Sends all pictures and returns when all are acknowledged, or the user stops the dataflow.
///
/// # Errors
/// `INPUTS` with an entry that means nothing, or one called like another picture's result in `RESULTS`; acknowledgements that end early or never come (the items are named).
pub fn run(node: DoraNode, events: EventStream, settings: Settings) -> Result<()> {
    let entries = inputs::by_page(inputs::expand(&settings.inputs, settings.recursive)?);
    ensure!(
        !entries.is_empty(),
        "INPUTS is empty: name files, folders, globs or @lists of pictures"
    );
    let found = entries.len();
    let done = match &settings.results {
        Some(results) => {
            let run = node.dataflow_id().to_string();
            Done::of(results, &settings.run_key, &run, &entries)?
        }
        None => Done::default(),
    };
    let mut items = Item::number(
        entries
            .into_iter()
            .filter(|entry| !done.has(entry))
            .collect(),
        settings.exif,
    );
    if items.len() < found {
        let skipped = found - items.len();
        tracing::info!(
            "{skipped} of {found} pictures are done already; {} to go",
            items.len()
        );
    }
    if node.is_restart() {
        tracing::warn!("this node was started again, and goes on from the journal");
    }
    // With the numbers of the process before it.
    items.retain(|item| !done.has_ended(item.id()));
    let window = Window::new(
        settings.window.into(),
        Duration::from_secs(settings.resend_s.into()),
        settings.max_tries,
    )
    .within(memory::window_mb(settings.window_mb.into()) << 20);
    let total = items.len() as u64;
    Sender::new(Io::new(node, events), window, settings.resend_s, "pictures")
        .send_all(items, Some(total))
}
