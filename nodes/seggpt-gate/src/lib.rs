//! A foreign camera as a source of ours: with a credit free the newest frame goes, with identity, time and the count of those
//! that were skipped for it.

use std::time::{Duration, Instant};

use clap::{CommandFactory, Parser, value_parser};
use dora_node_api::{DoraNode, EventStream};
use eyre::Result;
use seggpt_contract::{Ack, Health, Image, Message, Payload};
use seggpt_node::{
    Arrival, Io, NodeSpec, Port,
    live::{ACK, Live, OUTPUT},
    node_spec::{PLACES, SPEED},
};

const INPUT: &str = "image";

/// How often to look at what is due; a frame or an acknowledgement wakes earlier.
const GLANCE: Duration = Duration::from_millis(100);

/// Makes a foreign camera a source: the newest frame when one is answered, the others counted
///
/// Takes pictures of any node, in the dialects of dora-hub, dora's own types, kornia and the ROS bridge. At most WINDOW frames
/// are under way; when one is answered, the newest goes, called `NAME-TIME/000012` with the time at which this process began,
/// so that no two frames of any run are called alike. Its metadata says how many were `skipped` before it. What cannot be read
/// as a picture is named in the log and counted as skipped. A frame whose answer does not come in time is counted as lost.
#[derive(Clone, Debug, Parser)]
#[command(name = "seggpt-gate", version)]
pub struct Settings {
    /// What the camera is called: frames and their results begin with it
    #[arg(long, env = "NAME", help_heading = PLACES, default_value = "camera")]
    pub name: String,

    /// The most frames that are under way at a time, 1 to 16: with 1 answers are youngest, with 2 the network never waits
    #[arg(long, env = "WINDOW", help_heading = SPEED, default_value_t = 2, value_parser = value_parser!(u8).range(1..=16))]
    pub window: u8,

    /// Seconds after which a frame without an answer is given up; 0: ten times the slowest answer so far, at least 2
    #[arg(long, env = "CREDIT_S", help_heading = SPEED, default_value_t = 0)]
    pub credit_s: u32,

    /// Seconds without a frame after which the camera counts as stale
    #[arg(long, env = "READ_TIMEOUT_S", help_heading = SPEED, default_value_t = 5, value_parser = value_parser!(u32).range(1..))]
    pub read_timeout_s: u32,
}

/// Ports and parameters, for manifest, README and reference.
pub fn node_spec() -> NodeSpec {
    NodeSpec {
        name: "seggpt-gate",
        category: "transform",
        inputs: &[
            Port {
                name: INPUT,
                urn: Image::URN,
                required: true,
                description: "The camera's pictures, in any dialect that dora's nodes speak.",
            },
            Port {
                name: ACK,
                urn: Ack::URN,
                required: false,
                description: "The sink's word that a frame is done with; unwired, every frame goes.",
            },
        ],
        outputs: &[
            Port {
                name: OUTPUT,
                urn: Image::URN,
                required: false,
                description: "The newest pictures.",
            },
            Port {
                name: "health",
                urn: Health::URN,
                required: false,
                description: "How the camera is, each second and when that changes.",
            },
        ],
        command: Settings::command(),
        content: None,
        check: None,
        owns: None,
    }
}

/// Lets frames through until the camera ends or the user stops the dataflow.
///
/// # Errors
/// The engine is gone.
pub fn run(node: DoraNode, events: EventStream, settings: Settings) -> Result<()> {
    let io = Io::new(node, events);
    let seconds = |seconds: u32| Duration::from_secs(seconds.into());
    let credit = (settings.credit_s > 0).then(|| seconds(settings.credit_s));
    let stale = seconds(settings.read_timeout_s);
    let live = Live::new(&io, &settings.name, settings.window.into(), credit, stale);
    Gate {
        io,
        live,
        newest: None,
        dropped: 0,
        complaint: String::new(),
    }
    .go_round()
}

struct Gate {
    io: Io,
    live: Live,
    newest: Option<Arrival>,
    /// Messages that the engine dropped, as far as they are counted.
    dropped: u64,
    /// What was wrong with the last frame that could not be read.
    complaint: String,
}

impl Gate {
    fn go_round(mut self) -> Result<()> {
        loop {
            let now = Instant::now();
            let is_down = self.io.is_closed(INPUT);
            self.count_drops(now);
            self.live.tick(&mut self.io, is_down, now)?;
            if self.live.may_send()
                && let Some(newest) = self.newest.take()
            {
                self.send(&newest)?;
                continue;
            }
            if is_down && self.newest.is_none() && self.live.is_idle() {
                break;
            }
            match self.io.receive_within(GLANCE) {
                Some(Some(arrival)) => self.take(arrival),
                Some(None) => {}
                None => break,
            }
        }
        self.io.report_drops();
        self.count_drops(Instant::now());
        self.live.close();
        Ok(())
    }

    /// What the engine dropped on the way here came as well.
    fn count_drops(&mut self, now: Instant) {
        let new = self.io.dropped() - self.dropped;
        self.dropped += new;
        self.live.came(new, new, now);
    }

    fn take(&mut self, arrival: Arrival) {
        let now = Instant::now();
        match arrival.input.as_str() {
            // The camera's own death: it is there again, or its frames end.
            INPUT if arrival.greeting().is_some() => {}
            INPUT => {
                let skipped = u64::from(self.newest.is_some());
                self.live.came(1, skipped, now);
                self.newest = Some(arrival);
            }
            ACK => self.live.answered(&arrival, now),
            other => tracing::debug!("input `{other}` is not one of this node's"),
        }
    }

    fn send(&mut self, arrival: &Arrival) -> Result<()> {
        match arrival.read::<Image>() {
            Ok(Message::Item(identity, Image(picture))) => {
                let is_foreign = arrival.is_foreign();
                self.live.send(&mut self.io, identity, picture, is_foreign)
            }
            Ok(Message::Failed(identity, failure)) => {
                self.complain(format!("{}: {}", identity.item, failure.error));
                Ok(())
            }
            Err(error) => {
                self.complain(error.to_string());
                Ok(())
            }
        }
    }

    /// A frame that cannot be read is skipped; what is wrong is said when it changes.
    fn complain(&mut self, complaint: String) {
        self.live.unreadable();
        if self.complaint != complaint {
            tracing::warn!(
                "a message on input `{INPUT}` is no picture, and is skipped: {complaint} (said once; is the input wired to a \
                 camera's pictures?)"
            );
            self.complaint = complaint;
        }
    }
}
