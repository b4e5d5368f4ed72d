//! Any stream of pictures as numbered frames on disk, all of them or the last ones.

use std::path::PathBuf;

use clap::{CommandFactory, Parser, ValueEnum, value_parser};
use dora_node_api::{DoraNode, EventStream};
use eyre::{Result, WrapErr};
use seggpt_contract::{Ack, Failure, Greeting, Image, Message, Payload, Status};
use seggpt_node::{
    Arrival, Io, NodeSpec, Port,
    node_spec::{PLACES, RESULTS, SPEED},
    outcome,
};
use seggpt_video::{Film, Kind, Pictures, VideoError};

const INPUT: &str = "image";
const ACK: &str = "ack";

/// Writes any stream of pictures as numbered frames, all of them or the last ones
///
/// Takes pictures in any dialect: overlays, or what a camera sends. A frame is called as its item is, such as
/// `walk/000012.jpg`, comes into its place by renaming, and is acknowledged when it is there. A picture that cannot be read or
/// written under its name is acknowledged as failed.
#[derive(Clone, Debug, Parser)]
#[command(name = "seggpt-sink-video", version)]
pub struct Settings {
    /// The folder for the frames; made where it is missing. Relative to the folder of the dataflow
    #[arg(long, env = "OUT", help_heading = PLACES)]
    pub out: PathBuf,

    /// How frames are stored: `jpeg`, or `png`, which loses nothing
    #[arg(long, env = "CODEC", help_heading = RESULTS, value_enum, default_value_t)]
    pub codec: Codec,

    /// JPEG quality, 1 to 100
    #[arg(long, env = "QUALITY", help_heading = RESULTS, default_value_t = 90, value_parser = value_parser!(u8).range(1..=100))]
    pub quality: u8,

    /// How many frames are kept, those of earlier runs into OUT included: when another comes, the oldest goes. 0: all are kept
    #[arg(long, env = "KEEP", help_heading = SPEED, default_value_t = 0)]
    pub keep: u32,
}

/// How frames are stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Codec {
    /// Small.
    #[default]
    Jpeg,
    /// Lossless.
    Png,
}

/// Ports and parameters, for manifest, README and reference.
pub fn node_spec() -> NodeSpec {
    NodeSpec {
        name: "seggpt-sink-video",
        category: "recorder",
        inputs: &[Port {
            name: INPUT,
            urn: Image::URN,
            required: true,
            description: "The pictures, in any dialect that dora's nodes speak.",
        }],
        outputs: &[Port {
            name: ACK,
            urn: Ack::URN,
            required: false,
            description: "Says of each picture that it is in its place, or that it could not be written.",
        }],
        command: Settings::command(),
        content: None,
        check: None,
        owns: None,
    }
}

/// Writes pictures until they end or the user stops the dataflow.
///
/// # Errors
/// OUT cannot be written (the path is named), or the engine is gone.
pub fn run(node: DoraNode, events: EventStream, settings: Settings) -> Result<()> {
    let kind = match settings.codec {
        Codec::Jpeg => Kind::Jpeg(settings.quality),
        Codec::Png => Kind::Png,
    };
    let mut film = Pictures::open(&settings.out, kind, settings.keep as usize).wrap_err(REFUSED)?;
    let mut io = Io::new(node, events);
    if io.is_restarted() {
        let restarted = Some(io.id());
        io.greet(
            ACK,
            &Greeting {
                restarted,
                ..Greeting::default()
            },
        )?;
    }
    let mut finished = 0;
    while let Some(arrival) = io.receive() {
        if let Some(greeting) = arrival.greeting() {
            io.greet(ACK, &greeting)?;
            continue;
        }
        let message = written(&mut film, &arrival)?;
        finished += 1;
        let (identity, status, error) = match message {
            Message::Item(identity, ack) => (identity, ack.0, String::new()),
            Message::Failed(identity, failure) => (identity, Status::Failed, failure.error),
        };
        outcome::report(&identity, status, finished, &error);
        io.send(ACK, Message::Item(identity, Ack(status)))?;
    }
    film.close().wrap_err(REFUSED)?;
    io.report_drops();
    Ok(())
}

const REFUSED: &str = "OUT cannot be written: free some space or name another folder";

/// Writes one picture, and says how that ended.
fn written(film: &mut dyn Film, arrival: &Arrival) -> Result<Message<Ack>> {
    let failed = |error: String| Failure {
        node: String::new(),
        error,
    };
    let (identity, picture) = match arrival.read::<Image>() {
        Ok(Message::Item(identity, Image(picture))) => (identity, picture),
        Ok(Message::Failed(identity, failure)) => return Ok(Message::Failed(identity, failure)),
        Err(error) => {
            return Ok(Message::Failed(
                arrival.unreadable(),
                failed(error.to_string()),
            ));
        }
    };
    seggpt_fault::at("before-work", &identity.item);
    let pixels = match picture.to_rgb() {
        Ok(pixels) => pixels,
        Err(error) => return Ok(Message::Failed(identity, failed(error.to_string()))),
    };
    match film.put(&identity.name, &pixels) {
        Ok(()) => Ok(Message::Item(identity, Ack(Status::Done))),
        // The disk is to blame, and no other picture fares better.
        Err(error @ VideoError::Io { .. }) => Err(eyre::Report::from(error).wrap_err(REFUSED)),
        Err(error) => Ok(Message::Failed(identity, failed(error.to_string()))),
    }
}
