//! The event loop: fill the window, take acknowledgements, send again what is lost or overdue.

use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, Instant},
};

use eyre::{Result, bail, ensure};
use seggpt_contract::{Ack, Failure, Image, Message};
use seggpt_imaging::read::{Note, NoteKind};

use super::{
    Loaded, Sendable,
    reader::{Next, Reader, read},
};
use crate::{Arrival, CRASHES_NODES, CrashGuard, Io, Link, Step, Window, outcome::GONE};

const OUTPUT: &str = "image";
const INPUT: &str = "ack";

/// How long to wait for a picture that is being read before looking at events again.
const GLANCE: Duration = Duration::from_millis(10);

/// How often to look at what is due; an acknowledgement or a stop wakes earlier.
const SLEEP: Duration = Duration::from_millis(200);

/// Sends items and waits for their acknowledgement.
pub struct Sender<T> {
    io: Io,
    link: Link<T>,
    guard: Arc<CrashGuard>,
    resend_s: u32,
    /// The next picture, while the window has no room for it.
    next: Option<(T, Loaded)>,
    acknowledged: usize,
    lost: Vec<String>,
    told: HashSet<NoteKind>,
}

impl<T: Sendable> Sender<T> {
    /// `resend_s`: the window's timeout, for messages.
    pub fn new(io: Io, window: Window<T>, resend_s: u32) -> Self {
        Self {
            link: Link::new(window).restarted(io.restarts()),
            guard: Arc::new(CrashGuard::new(io.id(), io.crash_log())),
            io,
            resend_s,
            next: None,
            acknowledged: 0,
            lost: Vec::new(),
            told: HashSet::new(),
        }
    }

    /// Sends all items; returns when all are acknowledged or the user stops the dataflow. `total`: how many there are, where
    /// that is known.
    ///
    /// # Errors
    /// The acknowledgements end early; items that nobody acknowledges, by name; the engine is gone.
    pub fn send_all(
        self,
        items: impl IntoIterator<Item = T, IntoIter: Send + 'static>,
        total: Option<u64>,
    ) -> Result<()> {
        let guard = Arc::clone(&self.guard);
        let outcome = self.go_round(items, total);
        guard.close();
        outcome
    }

    fn go_round(
        mut self,
        items: impl IntoIterator<Item = T, IntoIter: Send + 'static>,
        total: Option<u64>,
    ) -> Result<()> {
        let reader = Reader::start(items, Arc::clone(&self.guard))?;
        if !self.io.is_wired(INPUT) {
            tracing::warn!(
                "input `{INPUT}` is not wired: pictures are sent once, and those that the engine drops are lost"
            );
            return self.send_blindly(&reader);
        }
        let mut unread = true;
        let mut taken = 0_u64;
        while unread || self.next.is_some() || !self.link.is_empty() {
            self.step()?;
            let may_send = unread && self.next.is_none() && self.link.may_send(0);
            if may_send {
                match reader.next_within(GLANCE) {
                    Next::Ready(item, reading) => {
                        taken += 1;
                        self.next = Some((item, reading));
                    }
                    Next::Busy => {}
                    Next::Gone => bail!("the thread that reads pictures is gone"),
                    Next::End => unread = false,
                }
            }
            self.send_next()?;
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
                    "the acknowledgements ended after {} of {}: the sink {GONE}",
                    self.acknowledged,
                    count(total, taken)
                ),
            }
        }
        self.io.report_drops();
        ensure!(
            self.lost.is_empty(),
            "{} of {} were lost: neither the picture nor the news of its failure was acknowledged within \
             {} s each; is every node from here to the sink wired and running, and RESEND_S above WINDOW times the \
             slowest picture? Lost: {}",
            self.lost.len(),
            count(total, taken),
            self.resend_s,
            self.lost.join(", ")
        );
        Ok(())
    }

    /// Sends the next picture, if there is room for it.
    fn send_next(&mut self) -> Result<()> {
        let room = |(_, reading): &mut (T, Loaded)| self.link.may_send(bytes(reading));
        if let Some((item, reading)) = self.next.take_if(room) {
            let bytes = bytes(&reading);
            self.send(&item, reading)?;
            seggpt_fault::at("after-send", item.id());
            let id = item.id().to_owned();
            self.link.sent(id, item, bytes, Instant::now());
        }
        Ok(())
    }

    fn send_blindly(mut self, reader: &Reader<T>) -> Result<()> {
        loop {
            match reader.next_within(GLANCE) {
                Next::Ready(item, reading) => self.send(&item, reading)?,
                Next::Busy => {}
                Next::Gone => bail!("the thread that reads pictures is gone"),
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
            // This process is in its place.
            if greeting.died != Some(self.io.id()) {
                self.link.greeted(&greeting, Instant::now());
            }
            return;
        }
        match arrival.read::<Ack>() {
            Ok(message) => {
                let item = &message.identity().item;
                seggpt_fault::at("at-ack", item);
                self.guard.done(item);
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
                    let reading = read(&item, &self.guard);
                    self.send(&item, reading)?;
                }
                Step::Refuse(item) => {
                    tracing::error!("{}: {CRASHES_NODES}", item.id());
                    self.send(&item, Err(CRASHES_NODES.into()))?;
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
    fn tell(&mut self, item: &T, notes: &[Note]) {
        for note in notes {
            if self.told.insert(note.kind) && note.kind != NoteKind::Turned {
                tracing::warn!(
                    "{}: {note} (said once; the report says it of every picture that it is true of)",
                    item.id()
                );
            }
        }
    }

    fn send(&mut self, item: &T, reading: Loaded) -> Result<()> {
        let guard = Arc::clone(&self.guard);
        let sent = guard.run(item.id(), || {
            seggpt_fault::at("before-send", item.id());
            self.send_now(item, reading)
        });
        sent.unwrap_or_else(|fatal| self.send_now(item, Err(fatal)))
    }

    fn send_now(&mut self, item: &T, reading: Loaded) -> Result<()> {
        let message = match reading {
            Ok((picture, notes)) => {
                self.tell(item, &notes);
                let size = (picture.width(), picture.height());
                Message::Item(item.identity(size, &notes), Image(picture))
            }
            Err(error) => Message::Failed(
                item.identity((1, 1), &[]),
                Failure {
                    node: self.io.id(),
                    error,
                },
            ),
        };
        self.io.send(OUTPUT, message)
    }
}

/// How many pictures there are; where nobody knows, how many were read.
fn count(total: Option<u64>, taken: u64) -> String {
    match total {
        Some(total) => format!("{total} pictures"),
        None => format!("{taken} pictures and what comes after them"),
    }
}

/// What a picture takes once it is decoded, as every node on the way will have it.
fn bytes(reading: &Loaded) -> u64 {
    reading.as_ref().map_or(0, |(picture, _)| {
        u64::from(picture.width()) * u64::from(picture.height()) * 3
    })
}
