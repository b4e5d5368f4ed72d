//! The event loop: fill the window, score predictions, send again what is overdue.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use eyre::{Result, bail, ensure};
use seggpt_benchmark::{Benchmark, BenchmarkError, Predictor, QueryScore, Row, Schedule};
use seggpt_contract::{Identity, Mask, Message, Prompted, Status};
use seggpt_imaging::LabelPlane;
use seggpt_node::{
    Arrival, CRASHES_NODES, CrashGuard, Io, Link, Step, Window, memory,
    outcome::{self, GONE},
};
use seggpt_prompt_library::memory::Shown;

use crate::{
    Settings,
    prefetch::{Next, Prefetcher, Prepared},
};

const OUTPUT: &str = "prompted";
const INPUT: &str = "mask";

/// How long to wait for a query that is being prepared before looking at events again.
const POLL: Duration = Duration::from_millis(10);

/// How often to look at what is due; a prediction or a stop wakes earlier.
const IDLE: Duration = Duration::from_millis(200);

/// A query that is under way: its place in the benchmark, and its message, which may have to be sent again.
type Sent = Arc<(usize, Identity, Prompted)>;

/// Sends queries and scores the predictions.
pub struct Evaluation<'a> {
    io: Io,
    benchmark: &'a Benchmark,
    row: Row,
    guard: &'a CrashGuard,
    prefetcher: Prefetcher,
    schedule: Schedule<'a>,
    /// Queries that are being prepared, or wait for it.
    pending: usize,
    link: Link<Sent>,
    /// The next query, while the window has no room for it.
    next: Option<(usize, Box<Prepared>)>,
    /// Videos that may be under way at a time where frames wait for each other.
    videos: usize,
    resend_s: u32,
    total: u64,
    finished: u64,
    failed: usize,
}

impl<'a> Evaluation<'a> {
    /// `open`: the queries that have no prediction yet.
    pub fn new(
        io: Io,
        benchmark: &'a Benchmark,
        row: Row,
        prefetcher: Prefetcher,
        open: &[usize],
        guard: &'a CrashGuard,
        settings: &Settings,
    ) -> Self {
        let timeout = Duration::from_secs(settings.resend_s.into());
        let own = row.own().count() as u64;
        if let Some(item) = row.own().next() {
            // The process before this one may not have lived to say what it put on record last.
            outcome::report_again(item, Status::Done, own, "");
        }
        let window = Window::new(settings.window.into(), timeout, settings.max_tries)
            .within(memory::window_mb(settings.window_mb.into()) << 20);
        Self {
            link: Link::new(window).restarted(io.restarts()),
            io,
            benchmark,
            row,
            guard,
            prefetcher,
            schedule: Schedule::new(benchmark, open),
            pending: 0,
            videos: settings.window.into(),
            next: None,
            resend_s: settings.resend_s,
            total: open.len() as u64 + own,
            finished: own,
            failed: 0,
        }
    }

    /// The row, and how many queries got no prediction.
    pub fn end(self) -> (Row, usize) {
        (self.row, self.failed)
    }

    /// Runs until all open queries have a prediction or the user stops the dataflow.
    ///
    /// # Errors
    /// The predictions end early; a prediction cannot be written down; the engine is gone.
    pub fn run(&mut self) -> Result<()> {
        ensure!(
            self.io.is_wired(INPUT),
            "input `{INPUT}` is not wired, so no prediction can come"
        );
        for at in self.schedule.start(self.videos) {
            self.request(at);
        }
        while self.finished < self.total {
            self.step()?;
            let may_send = self.pending > 0 && self.next.is_none() && self.link.may_send(0);
            if may_send {
                match self.prefetcher.next_within(POLL) {
                    Next::Ready(at, prepared) => {
                        self.pending -= 1;
                        self.next = Some((at, prepared));
                    }
                    Next::Busy => {}
                    Next::End => bail!("the thread that prepares queries is gone"),
                }
            }
            let room =
                |(_, prepared): &mut (usize, Box<Prepared>)| self.link.may_send(bytes(prepared));
            if let Some((at, prepared)) = self.next.take_if(room) {
                self.send_query(at, *prepared)?;
            }
            // While there is something to send, events are only looked at in passing.
            let wait = if may_send {
                Duration::from_millis(1)
            } else {
                IDLE
            };
            match self.io.receive_within(wait) {
                Some(Some(arrival)) => self.take(&arrival)?,
                Some(None) => {}
                None if self.io.stopped() => return Ok(()),
                None => bail!(
                    "the predictions ended after {} of {} queries: a node on the way {GONE}",
                    self.finished,
                    self.total
                ),
            }
        }
        self.io.report_drops();
        Ok(())
    }

    fn request(&mut self, at: usize) {
        self.pending += 1;
        self.prefetcher.request(at);
    }

    /// A query is done: what waited for it may be sent.
    fn finish(&mut self, at: usize, identity: &Identity, status: Status, error: &str) {
        self.finished += 1;
        self.guard.done(&identity.item);
        outcome::report(identity, status, self.finished, error);
        if let Some(next) = self.schedule.after(at) {
            self.request(next);
        }
    }

    fn send_query(&mut self, at: usize, prepared: Prepared) -> Result<()> {
        let bytes = bytes(&prepared);
        let query = &self.benchmark.queries[at];
        let sample = self.benchmark.splits[query.split]
            .dataset
            .sample(query.sample)?;
        let mut identity = Identity::new(query.item.clone(), at as u64, (1, 1));
        identity.source = sample.image.display().to_string();
        identity.total = Some(self.total);
        match prepared {
            Err(error) => {
                self.fail(at, &identity, &error);
                Ok(())
            }
            Ok(prompted) => {
                let guard = self.guard;
                (identity.width, identity.height) =
                    (prompted.image.width(), prompted.image.height());
                let sent = guard.run(&identity.item, || {
                    seggpt_fault::at("before-send", &identity.item);
                    self.send(&identity, &prompted)
                });
                match sent {
                    Ok(sent) => sent?,
                    Err(fatal) => {
                        self.fail(at, &identity, &fatal);
                        return Ok(());
                    }
                }
                let sent = Arc::new((at, identity.clone(), prompted));
                self.link.sent(identity.item, sent, bytes, Instant::now());
                Ok(())
            }
        }
    }

    fn send(&mut self, identity: &Identity, prompted: &Prompted) -> Result<()> {
        let message = Message::Item(identity.clone(), prompted.clone());
        self.io.send(OUTPUT, message)
    }

    fn take(&mut self, arrival: &Arrival) -> Result<()> {
        if arrival.input != INPUT {
            return Ok(());
        }
        if let Some(greeting) = arrival.greeting() {
            // This process is in its place.
            if greeting.died != Some(self.io.id()) {
                self.link.greeted(&greeting, Instant::now());
            }
            return Ok(());
        }
        let message = match arrival.read::<Mask>() {
            Ok(message) => message,
            Err(error) => {
                let identity = arrival.unreadable();
                let failure = seggpt_contract::Failure {
                    node: self.io.id(),
                    error: format!("the prediction cannot be read: {error}"),
                };
                Message::Failed(identity, failure)
            }
        };
        let item = message.identity().item.clone();
        let Some(sent) = self.link.acknowledge(&item, Instant::now()) else {
            tracing::debug!("{item}: a second prediction");
            return Ok(());
        };
        match message {
            Message::Failed(identity, failure) => {
                self.fail(sent.0, &identity, &failure.error);
                Ok(())
            }
            Message::Item(_, mask) => self.score(&sent, &mask),
        }
    }

    fn score(&mut self, sent: &Sent, mask: &Mask) -> Result<()> {
        let (at, identity, _) = &**sent;
        let scored = self.guard.run(&identity.item, || {
            seggpt_fault::at("in-work", &identity.item);
            self.scored(sent, mask)
                .map_err(|error| format!("{:#}", eyre::Report::new(error)))
        });
        match scored.flatten() {
            Ok((score, prediction)) => {
                if self.benchmark.memory {
                    self.row.stored().store_shown(*at, &shown(mask))?;
                }
                self.row.add(self.benchmark, *at, &score, &prediction)?;
                seggpt_fault::at("after-journal", &identity.item);
                self.finish(*at, identity, Status::Done, "");
            }
            Err(error) => self.fail(*at, identity, &error),
        }
        Ok(())
    }

    fn scored(&self, sent: &Sent, mask: &Mask) -> Result<(QueryScore, LabelPlane), BenchmarkError> {
        let (at, _, prompted) = &**sent;
        let size = (mask.width as usize, mask.height as usize);
        let prediction = LabelPlane::new(size, mask.ids.to_vec())?;
        let made = &mask.provenance;
        let score = QueryScore {
            // As they were sent: an ensemble may have made one of several.
            prompts: prompted.examples.iter().map(|e| e.name.clone()).collect(),
            predictor: Predictor {
                model: made.model.clone(),
                trained: made.trained,
                ensemble: made.ensemble.clone(),
                device: made.device.clone(),
            },
            milliseconds: made.milliseconds.values().sum(),
            ..self
                .benchmark
                .score(&self.benchmark.queries[*at], &prediction, self.row.stored())?
        };
        Ok((score, prediction))
    }

    fn fail(&mut self, at: usize, identity: &Identity, error: &str) {
        self.failed += 1;
        self.finish(at, identity, Status::Failed, error);
    }

    fn step(&mut self) -> Result<()> {
        while let Some(step) = self.link.step(Instant::now())? {
            match step {
                Step::Greet(greeting) => self.io.greet(OUTPUT, &greeting)?,
                Step::Resend(sent) => {
                    let (_, identity, prompted) = &*sent;
                    tracing::warn!("{}: no prediction yet; sent again", identity.item);
                    self.send(identity, prompted)?;
                }
                Step::Refuse(sent) => {
                    let identity = &sent.1;
                    self.link.acknowledge(&identity.item, Instant::now());
                    self.fail(sent.0, identity, CRASHES_NODES);
                }
                Step::GiveUp(sent) | Step::Lost(sent) => {
                    let identity = &sent.1;
                    let error = format!(
                        "no prediction: sent again and again for {} s each; look for a node that died, or raise RESEND_S",
                        self.resend_s
                    );
                    self.link.acknowledge(&identity.item, Instant::now());
                    self.fail(sent.0, identity, &error);
                }
            }
        }
        Ok(())
    }
}

/// How sure a prediction is of each class.
fn shown(mask: &Mask) -> Vec<Shown> {
    let classes = mask.classes.iter().map(|it| Shown {
        id: it.class.id,
        pixels: it.pixels,
        confidence: it.confidence,
    });
    classes.collect()
}

/// What a query's picture takes once it is decoded.
fn bytes(prepared: &Prepared) -> u64 {
    prepared.as_ref().map_or(0, |prompted| {
        u64::from(prompted.image.width()) * u64::from(prompted.image.height()) * 3
    })
}
