//! The event loop: fill the window, hand answers over, ask again what is overdue.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use eyre::{Result, bail, ensure};
use seggpt_contract::{Failure, Identity, Mask, Message, Prompted, Status};
use seggpt_node::{
    Arrival, CRASHES_NODES, CrashGuard, Io, Link, Step, Window, memory,
    outcome::{self, GONE},
};

use crate::{
    session::{Next, Question},
    settings::Settings,
    worker::{News, Order, Worker},
};

const OUTPUT: &str = "prompted";
const INPUT: &str = "mask";

/// How long to wait for a message while a question is being prepared.
const GLANCE: Duration = Duration::from_millis(5);
/// How often to look at what is due; an answer or a stop wakes earlier.
const SLEEP: Duration = Duration::from_millis(100);

/// A question that is under way.
type Sent = Arc<(Identity, Prompted)>;

/// Asks and hands over.
pub struct Asking<'a> {
    io: Io,
    worker: Worker,
    guard: &'a CrashGuard,
    link: Link<Sent>,
    resend_s: u32,
    /// The next question, while the window has no room for it.
    next: Option<Box<Question>>,
    /// What the thread was asked for and has not told.
    expects: bool,
    /// It had nothing to ask until an answer is taken.
    idle: bool,
    is_ready: bool,
    is_over: bool,
    /// Answers that the thread has not taken yet.
    handed: usize,
}

impl<'a> Asking<'a> {
    pub fn new(io: Io, worker: Worker, guard: &'a CrashGuard, settings: &Settings) -> Self {
        let timeout = Duration::from_secs(settings.resend_s.into());
        let window = Window::new(settings.window.into(), timeout, settings.max_tries)
            .within(memory::window_mb(settings.window_mb.into()) << 20);
        Self {
            link: Link::new(window).restarted(io.restarts()),
            io,
            worker,
            guard,
            resend_s: settings.resend_s,
            next: None,
            expects: false,
            idle: false,
            is_ready: false,
            is_over: false,
            handed: 0,
        }
    }

    /// Whether the user stopped the dataflow.
    pub fn stopped(&self) -> bool {
        self.io.stopped()
    }

    /// The thread.
    pub fn worker(&self) -> &Worker {
        &self.worker
    }

    /// Asks; returns when everything is answered or the user stops the dataflow.
    ///
    /// # Errors
    /// The answers end early; OUT cannot be written; the engine is gone.
    pub fn hold(&mut self) -> Result<()> {
        ensure!(
            self.io.is_wired(INPUT),
            "input `{INPUT}` is not wired, so no answer can come"
        );
        while !self.is_over {
            self.step()?;
            while let Some(news) = self.worker.news() {
                self.hear(news)?;
            }
            let room = |question: &mut Box<Question>| self.link.may_send(bytes(question));
            if let Some(question) = self.next.take_if(room) {
                self.ask(*question)?;
            }
            let may_ask = self.is_ready && self.next.is_none() && self.link.may_send(0);
            if may_ask && !self.expects && !self.idle {
                self.expects = true;
                self.worker.order(Order::Next);
            }
            let wait = match self.expects || self.handed > 0 {
                true => GLANCE,
                false => SLEEP,
            };
            match self.io.receive_within(wait) {
                Some(Some(arrival)) => self.take(&arrival),
                Some(None) => {}
                None if self.io.stopped() => return Ok(()),
                None => bail!("the answers ended early: a node on the way {GONE}"),
            }
        }
        self.io.report_drops();
        Ok(())
    }

    fn hear(&mut self, news: News) -> Result<()> {
        match news {
            News::Ready => {
                self.is_ready = true;
                if self.io.is_restarted() {
                    tracing::warn!(
                        "this node was started again, and goes on from the answers on disk"
                    );
                }
            }
            News::Next(next) => {
                self.expects = false;
                match next {
                    Next::Ask(question) => self.next = Some(question),
                    Next::Told(told) => {
                        outcome::report(&told.identity, told.status, told.finished, &told.error);
                    }
                    Next::Wait => self.idle = self.handed == 0,
                    Next::Over(finished) => {
                        self.is_over = true;
                        // The process before this one may not have lived to say what it put on disk last.
                        if self.io.is_restarted() {
                            outcome::report_again("volumes", Status::Done, finished, "");
                        }
                    }
                }
            }
            News::Told(told) => {
                self.handed -= 1;
                self.idle = false;
                outcome::report(&told.identity, told.status, told.finished, &told.error);
            }
            News::Broken(error) => return Err(error),
            News::Closed(_) => {}
        }
        Ok(())
    }

    fn ask(&mut self, question: Question) -> Result<()> {
        let bytes = bytes(&question);
        let Question { identity, prompted } = question;
        let prompted = match prompted {
            Ok(prompted) => prompted,
            Err(error) => {
                self.hand(identity.item, Err(error));
                return Ok(());
            }
        };
        let guard = self.guard;
        let sent = guard.run(&identity.item, || {
            seggpt_fault::at("before-send", &identity.item);
            self.send(&identity, &prompted)
        });
        match sent {
            Ok(sent) => sent?,
            Err(deadly) => {
                self.hand(identity.item, Err(deadly));
                return Ok(());
            }
        }
        let item = identity.item.clone();
        self.link
            .sent(item, Arc::new((identity, prompted)), bytes, Instant::now());
        Ok(())
    }

    fn send(&mut self, identity: &Identity, prompted: &Prompted) -> Result<()> {
        let message = Message::Item(identity.clone(), prompted.clone());
        self.io.send(OUTPUT, message)
    }

    fn hand(&mut self, item: String, answer: Result<Mask, String>) {
        self.handed += 1;
        self.worker.order(Order::Answer(item, Box::new(answer)));
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
        let message = arrival.read::<Mask>().unwrap_or_else(|error| {
            let failure = Failure {
                node: self.io.id(),
                error: format!("the answer cannot be read: {error}"),
            };
            Message::Failed(arrival.unreadable(), failure)
        });
        let item = message.identity().item.clone();
        if self.link.acknowledge(&item, Instant::now()).is_none() {
            tracing::debug!("{item}: answered again");
            return;
        }
        match message {
            Message::Failed(_, failure) => self.hand(item, Err(failure.error)),
            Message::Item(_, mask) => self.hand(item, Ok(mask)),
        }
    }

    fn step(&mut self) -> Result<()> {
        while let Some(step) = self.link.step(Instant::now())? {
            match step {
                Step::Greet(greeting) => self.io.greet(OUTPUT, &greeting)?,
                Step::Resend(sent) => {
                    let (identity, prompted) = &*sent;
                    tracing::warn!("{}: no answer yet; asked again", identity.item);
                    self.send(identity, prompted)?;
                }
                Step::Refuse(sent) => self.give_up(&sent.0, CRASHES_NODES.to_owned()),
                Step::GiveUp(sent) | Step::Lost(sent) => {
                    let error = format!(
                        "no answer: asked again and again for {} s each; look for a node that died, or raise RESEND_S",
                        self.resend_s
                    );
                    self.give_up(&sent.0, error);
                }
            }
        }
        Ok(())
    }

    fn give_up(&mut self, identity: &Identity, error: String) {
        if self
            .link
            .acknowledge(&identity.item, Instant::now())
            .is_some()
        {
            self.hand(identity.item.clone(), Err(error));
        }
    }
}

/// What a question's picture takes once it is decoded.
fn bytes(question: &Question) -> u64 {
    u64::from(question.identity.width) * u64::from(question.identity.height) * 3
}
