//! The frames of a clip as messages: none lost, or as a camera would send them.
//!
//! * [`frame`]: a frame as an item of a run;
//! * `play`: a clip at its own speed, of which the newest frame goes.

pub mod frame;
mod play;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use clap::{ArgAction, CommandFactory, Parser, ValueEnum, value_parser};
use dora_node_api::{DoraNode, EventStream};
use eyre::Result;
use seggpt_contract::{Ack, Health, Image, Payload};
use seggpt_imaging::read::Exif;
use seggpt_node::{
    Io, NodeSpec, Port, Sender, Values, Window, memory,
    node_spec::{PLACES, RESULTS, SPEED, parsed},
    source::{Sendable, done::Done},
};
use seggpt_video::{Clip, Span};

use crate::frame::Frames;

/// Sends the frames of a clip one by one and repeats each until the sink acknowledges it, or plays it as a camera would
///
/// A clip is a folder of pictures in the natural order of their names, numbered pictures (`frames/%06d.png`), or a pattern
/// (`frames/left_*.jpg`). Numbers that are missing are said and passed over. Frames are called `CLIP/000012` by their place from
/// 0, and go out as raw rgb8; those above 24 MiB encoded. A frame that cannot be read goes out as a failed item.
/// Under POLICY `newest` the clip is played at FPS: at most WINDOW frames are under way, the newest goes when one is answered,
/// and the others are counted as skipped. Frames of such a flow are called `CLIP-TIME/000012`, by their place among those sent.
#[derive(Clone, Debug, Parser)]
#[command(name = "seggpt-source-video", version)]
pub struct Settings {
    /// The clip: a folder of frames, numbered pictures such as `frames/%06d.png`, or a pattern such as `frames/*.jpg`.
    /// Relative to the folder of the dataflow
    #[arg(long, env = "SOURCE", help_heading = PLACES)]
    pub source: String,

    /// Which frames go: `lossless`, all; `newest`, at the clip's own speed, what the others keep up with
    #[arg(long, env = "POLICY", help_heading = RESULTS, value_enum, default_value_t)]
    pub policy: Policy,

    /// The first frame, from 0
    #[arg(long, env = "FROM", help_heading = PLACES, default_value_t = 0)]
    pub from: u64,

    /// The last frame; without, to the end
    #[arg(long, env = "TO", help_heading = PLACES)]
    pub to: Option<u64>,

    /// Every so many frames one is taken; 1: all
    #[arg(long, env = "EVERY", help_heading = PLACES, default_value_t = 1, value_parser = value_parser!(u32).range(1..))]
    pub every: u32,

    /// Frames a second, at which the clip is played under POLICY `newest`
    #[arg(long, env = "FPS", help_heading = SPEED, default_value_t = 25.0, value_parser = rate)]
    pub fps: f64,

    /// Whether the clip begins anew at its end, under POLICY `newest`
    #[arg(long, env = "LOOP", help_heading = SPEED, default_value_t = false, action = ArgAction::Set)]
    pub r#loop: bool,

    /// Whether the orientation that cameras write (EXIF) turns frames upright: `apply`, or `ignore` to take them as they are
    /// stored
    #[arg(long, env = "EXIF", help_heading = RESULTS, default_value = "apply")]
    pub exif: Exif,

    /// The most frames that are under way at a time, 1 to 64; queues along the way must hold as many. Where earlier frames guide
    /// later ones (MEMORY), 1
    #[arg(long, env = "WINDOW", help_heading = SPEED, default_value_t = 4, value_parser = value_parser!(u8).range(1..=64))]
    pub window: u8,

    /// The most megabytes of pixels that are under way at a time, three bytes a pixel; 0: a sixteenth of the machine's
    /// memory, at most 4096. A frame that is larger by itself goes alone
    #[arg(long, env = "WINDOW_MB", help_heading = SPEED, default_value_t = 0)]
    pub window_mb: u32,

    /// Under POLICY `lossless`: seconds without acknowledgement after which a frame is sent again; more than the window times
    /// the slowest frame takes
    #[arg(long, env = "RESEND_S", help_heading = SPEED, default_value_t = 600, value_parser = value_parser!(u32).range(1..))]
    pub resend_s: u32,

    /// Under POLICY `lossless`: how often a frame is sent before it is given up and reported as failed
    #[arg(long, env = "MAX_TRIES", help_heading = SPEED, default_value_t = 3, value_parser = value_parser!(u32).range(1..))]
    pub max_tries: u32,

    /// Under POLICY `newest`: seconds after which a frame without an answer is given up; 0: ten times the slowest answer so far,
    /// at least 2
    #[arg(long, env = "CREDIT_S", help_heading = SPEED, default_value_t = 0)]
    pub credit_s: u32,

    /// The sink's OUT: frames that were done there under the same RUN_KEY, are whole, and have not changed since, are skipped
    #[arg(long, env = "RESULTS", help_heading = PLACES)]
    pub results: Option<PathBuf>,

    /// Names what the results depend on (model, prompts, settings); see RESULTS. Without it, nothing is skipped
    #[arg(long, env = "RUN_KEY", help_heading = PLACES, default_value = "")]
    pub run_key: String,
}

/// Which frames go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Policy {
    /// All.
    #[default]
    Lossless,
    /// What the others keep up with.
    Newest,
}

fn rate(text: &str) -> Result<f64, String> {
    let rate: Option<f64> = text.parse().ok();
    let rate = rate.filter(|rate| (0.001..=1000.0).contains(rate));
    rate.ok_or_else(|| format!("{text} is no rate: 0.001 to 1000 frames a second"))
}

impl Settings {
    fn span(&self) -> Span {
        Span {
            from: self.from,
            to: self.to,
            every: self.every.into(),
            rate: Some(self.fps),
        }
    }
}

/// Ports and parameters, for manifest, README and reference.
pub fn node_spec() -> NodeSpec {
    NodeSpec {
        name: "seggpt-source-video",
        category: "sensor",
        inputs: &[Port {
            name: "ack",
            urn: Ack::URN,
            required: false,
            description: "The sink's word that a frame is done with; unwired, frames are sent once and may get lost.",
        }],
        outputs: &[
            Port {
                name: "image",
                urn: Image::URN,
                required: false,
                description: "The frames, at most WINDOW unacknowledged at a time.",
            },
            Port {
                name: "health",
                urn: Health::URN,
                required: false,
                description: "Under POLICY `newest`: how it goes, each second.",
            },
        ],
        command: Settings::command(),
        content: None,
        check: Some(check),
        owns: None,
    }
}

/// Refuses a clip that is none, and a span of it that takes no frame.
fn check(values: &Values, dir: &Path) -> Result<()> {
    let settings: Settings = parsed(values)?;
    let clip = Clip::open(&settings.source, dir)?;
    settings.span().of(&clip)?;
    Ok(())
}

/// Sends all frames and returns when all are acknowledged, or the user stops the dataflow.
///
/// # Errors
/// A SOURCE that is no clip, one called like another clip's results in `RESULTS`; acknowledgements that end early or never come
/// (the frames are named).
pub fn run(node: DoraNode, events: EventStream, settings: Settings) -> Result<()> {
    let clip = Clip::open(&settings.source, Path::new(""))?;
    if let Some(gaps) = clip.gaps_said() {
        tracing::warn!("{gaps}");
    }
    let numbers = settings.span().of(&clip)?;
    let frames = Frames::new(Arc::new(clip), settings.exif);
    if settings.policy == Policy::Newest {
        return play::run(node, events, &settings, frames, numbers);
    }
    let listed = frames.list(&numbers);
    let found = listed.len();
    let done = match &settings.results {
        Some(results) => {
            let run = node.dataflow_id().to_string();
            Done::of(results, &settings.run_key, &run, &listed)?
        }
        None => Done::default(),
    };
    let mut items: Vec<_> = listed.into_iter().filter(|item| !done.has(item)).collect();
    if items.len() < found {
        let skipped = found - items.len();
        tracing::info!(
            "{skipped} of {found} frames are done already; {} to go",
            items.len()
        );
    }
    let total = items.len() as u64;
    items.iter_mut().for_each(|item| item.of(total));
    if node.is_restart() {
        tracing::warn!("this node was started again, and goes on from the journal");
    }
    items.retain(|item| !done.has_ended(item.id()));
    let window = Window::new(
        settings.window.into(),
        Duration::from_secs(settings.resend_s.into()),
        settings.max_tries,
    )
    .within(memory::window_mb(settings.window_mb.into()) << 20);
    let total = items.len() as u64;
    Sender::new(Io::new(node, events), window, settings.resend_s, "frames")
        .send_all(items, Some(total))
}
