//! The event loop: fill the window, take acknowledgements, send again what is overdue.

use std::time::{Duration, Instant};

use eyre::{Result, bail, ensure};
use seggpt_contract::{Ack, Failure, Image, Message};
use seggpt_node::{Arrival, Io, Overdue, Window};

use crate::{
    load::{Item, Reading},
    reader::{Next, Reader},
};

const OUTPUT: &str = "image";
const INPUT: &str = "ack";

/// How long to wait for a picture that is being read before looking at events again.
const GLANCE: Duration = Duration::from_millis(10);

/// The longest sleep; an acknowledgement or a stop wakes it up.
const SLEEP: Duration = Duration::from_secs(60);

/// Sends items and waits for their acknowledgement.
pub struct Sender {
    io: Io,
    window: Window<Item>,
    resend_s: u32,
    acknowledged: usize,
    lost: Vec<String>,
}

impl Sender {
    /// `resend_s`: the window's patience, for messages.
    pub fn new(io: Io, window: Window<Item>, resend_s: u32) -> Self {
        Self {
            io,
            window,
            resend_s,
            acknowledged: 0,
            lost: Vec::new(),
        }
    }

    /// Sends all items; returns when all are acknowledged or the user stops the dataflow.
    ///
    /// # Errors
    /// The acknowledgements end early; items that nobody acknowledges, by name; the engine is gone.
    pub fn send_all(mut self, items: Vec<Item>) -> Result<()> {
        let total = items.len();
        let reader = Reader::start(items)?;
        if !self.io.is_wired(INPUT) {
            tracing::warn!(
                "input `{INPUT}` is not wired: pictures are sent once, and those that the engine drops are lost"
            );
            return self.send_blindly(&reader);
        }
        let mut unread = total > 0;
        while unread || !self.window.is_empty() {
            let may_send = unread && self.window.has_room();
            if may_send {
                match reader.next_within(GLANCE) {
                    Next::Ready(item, reading) => {
                        self.send(&item, reading)?;
                        self.window.sent(item.id().to_owned(), item, Instant::now());
                    }
                    Next::Busy => {}
                    Next::End => unread = false,
                }
            }
            // While there is something to send, events are only glanced at.
            match self.io.receive_within(if may_send {
                Duration::from_millis(1)
            } else {
                self.rest()
            }) {
                Some(Some(arrival)) => self.take(&arrival),
                Some(None) => {}
                None if self.io.stopped() => return Ok(()),
                None => bail!(
                    "the acknowledgements ended after {} of {total} pictures: the sink is gone",
                    self.acknowledged
                ),
            }
            self.resend()?;
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

    fn rest(&self) -> Duration {
        let due = self
            .window
            .due()
            .map(|due| due.saturating_duration_since(Instant::now()));
        // Never zero: a receive without time sees nothing.
        due.unwrap_or(SLEEP).clamp(Duration::from_millis(1), SLEEP)
    }

    fn take(&mut self, arrival: &Arrival) {
        if arrival.input != INPUT {
            return;
        }
        match arrival.read::<Ack>() {
            Ok(message) => {
                let item = &message.identity().item;
                match self.window.acknowledge(item, Instant::now()) {
                    Some(_) => self.acknowledged += 1,
                    None => tracing::debug!("{item}: acknowledged again"),
                }
            }
            Err(error) => tracing::warn!("an acknowledgement cannot be read: {error}"),
        }
    }

    fn resend(&mut self) -> Result<()> {
        while let Some(overdue) = self.window.overdue(Instant::now()) {
            match overdue {
                Overdue::Resend(item) => {
                    tracing::warn!("{}: no acknowledgement yet; sent again", item.id());
                    let reading = item.read();
                    self.send(&item, reading)?;
                }
                Overdue::GiveUp(item) => {
                    let error = format!(
                        "no acknowledgement: the picture was sent again and again for {} s each, and no answer came; \
                         look for a node that died or drops it, or raise RESEND_S",
                        self.resend_s
                    );
                    tracing::error!("{}: {error}", item.id());
                    self.send(&item, Err(error))?;
                }
                Overdue::Lost(item) => {
                    tracing::error!("{}: lost", item.id());
                    self.lost.push(item.id().to_owned());
                }
            }
        }
        Ok(())
    }

    fn send(&mut self, item: &Item, reading: Reading) -> Result<()> {
        let message = match reading {
            Ok(picture) => Message::Item(
                item.identity((picture.width(), picture.height())),
                Image(picture),
            ),
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
