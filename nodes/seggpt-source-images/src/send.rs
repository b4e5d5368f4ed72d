//! The event loop: fill the window, take acknowledgements, send again what is lost or overdue.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use eyre::{Result, bail, ensure};
use seggpt_contract::{Ack, Failure, Image, Message};
use seggpt_imaging::read::{Exif, Note, NoteKind};
use seggpt_node::{Arrival, Io, Link, Step, Window, outcome::GONE};

use crate::{
    load::{Item, Loaded},
    reader::{Next, Reader},
};

const OUTPUT: &str = "image";
const INPUT: &str = "ack";

/// How long to wait for a picture that is being read before looking at events again.
const GLANCE: Duration = Duration::from_millis(10);

/// How often to look at what is due; an acknowledgement or a stop wakes earlier.
const SLEEP: Duration = Duration::from_millis(200);

/// Sends items and waits for their acknowledgement.
pub struct Sender {
    io: Io,
    link: Link<Item>,
    resend_s: u32,
    exif: Exif,
    acknowledged: usize,
    lost: Vec<String>,
    told: HashSet<NoteKind>,
}

impl Sender {
    /// `resend_s`: the window's patience, for messages.
    pub fn new(io: Io, window: Window<Item>, resend_s: u32, exif: Exif) -> Self {
        Self {
            io,
            link: Link::new(window),
            resend_s,
            exif,
            acknowledged: 0,
            lost: Vec::new(),
            told: HashSet::new(),
        }
    }

    /// Sends all items; returns when all are acknowledged or the user stops the dataflow.
    ///
    /// # Errors
    /// The acknowledgements end early; items that nobody acknowledges, by name; the engine is gone.
    pub fn send_all(mut self, items: Vec<Item>) -> Result<()> {
        let total = items.len();
        let reader = Reader::start(items, self.exif)?;
        if !self.io.is_wired(INPUT) {
            tracing::warn!(
                "input `{INPUT}` is not wired: pictures are sent once, and those that the engine drops are lost"
            );
            return self.send_blindly(&reader);
        }
        let mut unread = total > 0;
        while unread || !self.link.is_empty() {
            self.step()?;
            let may_send = unread && self.link.may_send();
            if may_send {
                match reader.next_within(GLANCE) {
                    Next::Ready(item, reading) => {
                        self.send(&item, reading)?;
                        self.link.sent(item.id().to_owned(), item, Instant::now());
                    }
                    Next::Busy => {}
                    Next::End => unread = false,
                }
            }
            // While there is something to send, events are only glanced at.
            match self.io.receive_within(if may_send {
                Duration::from_millis(1)
            } else {
                SLEEP
            }) {
                Some(Some(arrival)) => self.take(&arrival),
                Some(None) => {}
                None if self.io.stopped() => return Ok(()),
                None => bail!(
                    "the acknowledgements ended after {} of {total} pictures: the sink {GONE}",
                    self.acknowledged
                ),
            }
        }
        self.io.report_drops();
        ensure!(
            self.lost.is_empty(),
            "{} of {total} pictures were lost: neither the picture nor the news of its failure was acknowledged within \
             {} s each; is every node from here to the sink wired and running, and RESEND_S above WINDOW times the \
             slowest picture? Lost: {}",
            self.lost.len(),
            self.resend_s,
            self.lost.join(", ")
        );
        Ok(())
    }

    fn send_blindly(mut self, reader: &Reader) -> Result<()> {
        loop {
            match reader.next_within(GLANCE) {
                Next::Ready(item, reading) => self.send(&item, reading)?,
                Next::Busy => {}
                Next::End => return Ok(()),
            }
            self.io.receive_within(Duration::from_millis(1));
            if self.io.stopped() {
                return Ok(());
            }
        }
    }

    fn take(&mut self, arrival: &Arrival) {
        if arrival.input != INPUT {
            return;
        }
        if let Some(greeting) = arrival.greeting() {
            return self.link.greeted(&greeting, Instant::now());
        }
        match arrival.read::<Ack>() {
            Ok(message) => {
                let item = &message.identity().item;
                match self.link.acknowledge(item, Instant::now()) {
                    Some(_) => self.acknowledged += 1,
                    None => tracing::debug!("{item}: acknowledged again"),
                }
            }
            Err(error) => tracing::warn!("an acknowledgement cannot be read: {error}"),
        }
    }

    fn step(&mut self) -> Result<()> {
        while let Some(step) = self.link.step(Instant::now())? {
            match step {
                Step::Greet(greeting) => self.io.greet(OUTPUT, &greeting)?,
                Step::Resend(item) => {
                    tracing::warn!("{}: no acknowledgement yet; sent again", item.id());
                    let reading = item.read(self.exif);
                    self.send(&item, reading)?;
                }
                Step::GiveUp(item) => {
                    let error = format!(
                        "no acknowledgement: the picture was sent again and again for {} s each, and no answer came; \
                         look for a node that died or drops it, or raise RESEND_S",
                        self.resend_s
                    );
                    tracing::error!("{}: {error}", item.id());
                    self.send(&item, Err(error))?;
                }
                Step::Lost(item) => {
                    tracing::error!("{}: lost", item.id());
                    self.lost.push(item.id().to_owned());
                }
            }
        }
        Ok(())
    }

    /// Says the first note of each kind; the others are in the report.
    fn tell(&mut self, item: &Item, notes: &[Note]) {
        for note in notes {
            if self.told.insert(note.kind) && note.kind != NoteKind::Turned {
                tracing::warn!(
                    "{}: {note} (said once; the report says it of every picture that it is true of)",
                    item.id()
                );
            }
        }
    }

    fn send(&mut self, item: &Item, reading: Loaded) -> Result<()> {
        let message = match reading {
            Ok((picture, notes)) => {
                self.tell(item, &notes);
                let size = (picture.width(), picture.height());
                Message::Item(item.identity(size, &notes), Image(picture))
            }
            Err(error) => Message::Failed(
                item.unread(),
                Failure {
                    node: self.io.id(),
                    error,
                },
            ),
        };
        self.io.send(OUTPUT, message)
    }
}
