//! The event loop: fill the window, mark answers, ask again what is overdue.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use eyre::{Result, bail, ensure};
use seggpt_contract::{Identity, Mask, Message, Prompted, Status};
use seggpt_eval::LabelPlane;
use seggpt_exam::{Exam, ExamError, Maker, Mark, Order, Row};
use seggpt_node::{
    Arrival, CONDEMNED, Careful, Io, Link, Step, Window, memory,
    outcome::{self, GONE},
};
use seggpt_prompt_library::memory::Shown;

use crate::{
    Settings,
    reader::{Asked, Next, Reader},
};

const OUTPUT: &str = "prompted";
const INPUT: &str = "mask";

/// How long to wait for a question that is being prepared before looking at events again.
const GLANCE: Duration = Duration::from_millis(10);

/// How often to look at what is due; an answer or a stop wakes earlier.
const SLEEP: Duration = Duration::from_millis(200);

/// A question that is under way: its place in the exam, and its message, which may have to be sent again.
type Sent = Arc<(usize, Identity, Prompted)>;

/// Asks and marks.
pub struct Examination<'a> {
    io: Io,
    exam: &'a Exam,
    row: Row,
    careful: &'a Careful,
    reader: Reader,
    order: Order<'a>,
    /// Questions that the reader has been told of and that are not sent yet.
    unasked: usize,
    link: Link<Sent>,
    /// The next question, while the window has no room for it.
    next: Option<(usize, Box<Asked>)>,
    /// Videos that may be under way at a time where frames wait for each other.
    lanes: usize,
    resend_s: u32,
    total: u64,
    finished: u64,
    failed: usize,
}

impl<'a> Examination<'a> {
    /// `open`: the questions that have no answer yet.
    pub fn new(
        io: Io,
        exam: &'a Exam,
        row: Row,
        reader: Reader,
        open: &[usize],
        careful: &'a Careful,
        settings: &Settings,
    ) -> Self {
        let patience = Duration::from_secs(settings.resend_s.into());
        let own = row.own().count() as u64;
        if let Some(item) = row.own().next() {
            // The process before this one may not have lived to say what it put on record last.
            outcome::say_again(item, Status::Done, own, "");
        }
        let window = Window::new(settings.window.into(), patience, settings.max_tries)
            .within(memory::window_mb(settings.window_mb.into()) << 20);
        Self {
            link: Link::new(window).restarted(io.restarts()),
            io,
            exam,
            row,
            careful,
            reader,
            order: Order::new(exam, open),
            unasked: 0,
            lanes: settings.window.into(),
            next: None,
            resend_s: settings.resend_s,
            total: open.len() as u64 + own,
            finished: own,
            failed: 0,
        }
    }

    /// The row, and how many questions got no answer.
    pub fn end(self) -> (Row, usize) {
        (self.row, self.failed)
    }

    /// Asks; returns when all open questions are answered or the user stops the dataflow.
    ///
    /// # Errors
    /// The answers end early; an answer cannot be written down; the engine is gone.
    pub fn hold(&mut self) -> Result<()> {
        ensure!(
            self.io.is_wired(INPUT),
            "input `{INPUT}` is not wired, so no answer can come"
        );
        for at in self.order.begin(self.lanes) {
            self.want(at);
        }
        while self.finished < self.total {
            self.step()?;
            let may_ask = self.unasked > 0 && self.next.is_none() && self.link.may_send(0);
            if may_ask {
                match self.reader.next_within(GLANCE) {
                    Next::Ready(at, asked) => {
                        self.unasked -= 1;
                        self.next = Some((at, asked));
                    }
                    Next::Busy => {}
                    Next::End => bail!("the thread that prepares questions is gone"),
                }
            }
            let room = |(_, asked): &mut (usize, Box<Asked>)| self.link.may_send(bytes(asked));
            if let Some((at, asked)) = self.next.take_if(room) {
                self.ask(at, *asked)?;
            }
            // While there is something to ask, events are only glanced at.
            let wait = if may_ask {
                Duration::from_millis(1)
            } else {
                SLEEP
            };
            match self.io.receive_within(wait) {
                Some(Some(arrival)) => self.take(&arrival)?,
                Some(None) => {}
                None if self.io.stopped() => return Ok(()),
                None => bail!(
                    "the answers ended after {} of {} questions: a node on the way {GONE}",
                    self.finished,
                    self.total
                ),
            }
        }
        self.io.report_drops();
        Ok(())
    }

    fn want(&mut self, at: usize) {
        self.unasked += 1;
        self.reader.want(at);
    }

    /// A question is done: what waited for it may be asked.
    fn finish(&mut self, at: usize, identity: &Identity, status: Status, error: &str) {
        self.finished += 1;
        self.careful.done(&identity.item);
        outcome::say(identity, status, self.finished, error);
        if let Some(next) = self.order.after(at) {
            self.want(next);
        }
    }

    fn ask(&mut self, at: usize, asked: Asked) -> Result<()> {
        let bytes = bytes(&asked);
        let question = &self.exam.questions[at];
        let sample = self.exam.papers[question.paper]
            .dataset
            .sample(question.query)?;
        let mut identity = Identity::new(question.item.clone(), at as u64, (1, 1));
        identity.source = sample.image.display().to_string();
        identity.total = Some(self.total);
        match asked {
            Err(error) => {
                self.fail(at, &identity, &error);
                Ok(())
            }
            Ok(prompted) => {
                let careful = self.careful;
                (identity.width, identity.height) =
                    (prompted.image.width(), prompted.image.height());
                let sent = careful.over(&identity.item, || {
                    seggpt_fault::at("before-send", &identity.item);
                    self.send(&identity, &prompted)
                });
                match sent {
                    Ok(sent) => sent?,
                    Err(deadly) => {
                        self.fail(at, &identity, &deadly);
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
                    error: format!("the answer cannot be read: {error}"),
                };
                Message::Failed(identity, failure)
            }
        };
        let item = message.identity().item.clone();
        let Some(sent) = self.link.acknowledge(&item, Instant::now()) else {
            tracing::debug!("{item}: answered again");
            return Ok(());
        };
        match message {
            Message::Failed(identity, failure) => {
                self.fail(sent.0, &identity, &failure.error);
                Ok(())
            }
            Message::Item(_, mask) => self.mark(&sent, &mask),
        }
    }

    fn mark(&mut self, sent: &Sent, mask: &Mask) -> Result<()> {
        let (at, identity, _) = &**sent;
        let marked = self.careful.over(&identity.item, || {
            seggpt_fault::at("in-work", &identity.item);
            self.marked(sent, mask)
                .map_err(|error| format!("{:#}", eyre::Report::new(error)))
        });
        match marked.flatten() {
            Ok((mark, answer)) => {
                if self.exam.memory {
                    self.row.kept().keep_shown(*at, &shown(mask))?;
                }
                self.row.add(self.exam, *at, &mark, &answer)?;
                seggpt_fault::at("after-journal", &identity.item);
                self.finish(*at, identity, Status::Done, "");
            }
            Err(error) => self.fail(*at, identity, &error),
        }
        Ok(())
    }

    fn marked(&self, sent: &Sent, mask: &Mask) -> Result<(Mark, LabelPlane), ExamError> {
        let (at, _, prompted) = &**sent;
        let size = (mask.width as usize, mask.height as usize);
        let answer = LabelPlane::new(size, mask.ids.to_vec())?;
        let made = &mask.provenance;
        let mark = Mark {
            // As they were sent: an ensemble may have made one of several.
            prompts: prompted.examples.iter().map(|e| e.name.clone()).collect(),
            maker: Maker {
                model: made.model.clone(),
                trained: made.trained,
                ensemble: made.ensemble.clone(),
                device: made.device.clone(),
            },
            milliseconds: made.milliseconds.values().sum(),
            ..self
                .exam
                .mark(&self.exam.questions[*at], &answer, self.row.kept())?
        };
        Ok((mark, answer))
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
                    tracing::warn!("{}: no answer yet; asked again", identity.item);
                    self.send(identity, prompted)?;
                }
                Step::Condemn(sent) => {
                    let identity = &sent.1;
                    self.link.acknowledge(&identity.item, Instant::now());
                    self.fail(sent.0, identity, CONDEMNED);
                }
                Step::GiveUp(sent) | Step::Lost(sent) => {
                    let identity = &sent.1;
                    let error = format!(
                        "no answer: asked again and again for {} s each; look for a node that died, or raise RESEND_S",
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

/// How sure an answer is of each class.
fn shown(mask: &Mask) -> Vec<Shown> {
    let classes = mask.classes.iter().map(|it| Shown {
        id: it.class.id,
        pixels: it.pixels,
        confidence: it.confidence,
    });
    classes.collect()
}

/// What a question's picture takes once it is decoded.
fn bytes(asked: &Asked) -> u64 {
    asked.as_ref().map_or(0, |prompted| {
        u64::from(prompted.image.width()) * u64::from(prompted.image.height()) * 3
    })
}
