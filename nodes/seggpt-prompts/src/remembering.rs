//! The node's loop with memory: pictures in, answers back, each picture guided by what was answered before it.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use dora_node_api::{DoraNode, EventStream};
use eyre::Result;
use seggpt_contract::{Greeting, Identity, Image, Mask, Message, Prompted};
use seggpt_node::{Arrival, CrashLog, Io, guarded};

use crate::{
    Selector, Settings,
    memory::{Answered, Chain},
};

const IMAGE: &str = "image";
const MASK: &str = "mask";
const PROMPTED: &str = "prompted";

/// How often to look whether a picture has waited too long.
const GLANCE: Duration = Duration::from_millis(500);

struct Rememberer {
    io: Io,
    id: String,
    crash_log: CrashLog,
    selector: Selector,
    chain: Chain,
    /// How long a picture waits for the answer to the one before; none: not at all.
    timeout: Option<Duration>,
    /// What came in on `image`, in its order.
    waiting: VecDeque<Arrival>,
    /// Since when the first of them waits.
    since: Option<Instant>,
    unknown_inputs: Vec<String>,
}

/// The loop.
///
/// # Errors
/// The prompts cannot be used, the memory cannot be written, or the engine is gone.
pub(crate) fn run(node: DoraNode, events: EventStream, settings: &Settings) -> Result<()> {
    // Answers come round from here: their edge never closes by itself.
    let mut io = Io::new(node, events).until_closed(IMAGE);
    let (id, crash_log) = (io.id(), io.crash_log());
    if io.is_restarted() {
        let greeting = Greeting {
            restarted: Some(id.clone()),
            ..Greeting::default()
        };
        io.greet(PROMPTED, &greeting)?;
    }
    if !io.is_wired(MASK) {
        tracing::warn!(
            "MEMORY is {}, but input `{MASK}` is not wired: nothing is remembered. Wire it to the network's `{MASK}`, and the \
             sink's to this node's",
            settings.memory
        );
    }
    let wait = u64::from(settings.memory_wait_s);
    let timeout = (wait > 0 && io.is_wired(MASK)).then(|| Duration::from_secs(wait));
    let is_restarted = io.is_restarted();
    let (selector, chain) = io.while_preparing([IMAGE, PROMPTED], || {
        let selector = Selector::load(settings)?;
        let dir = settings.memory_dir.as_deref();
        let chain = Chain::open(settings.rules(), dir, &settings.run_key, is_restarted)?;
        Ok((selector, chain))
    })?;
    Rememberer {
        io,
        id,
        crash_log,
        selector,
        chain,
        timeout,
        waiting: VecDeque::new(),
        since: None,
        unknown_inputs: Vec::new(),
    }
    .go_round()
}

impl Rememberer {
    fn go_round(mut self) -> Result<()> {
        loop {
            self.send_what_may_go()?;
            let next = match self.waiting.is_empty() {
                true => self.io.receive().map(Some),
                false => self.io.receive_within(GLANCE),
            };
            match next {
                Some(Some(arrival)) => self.take(arrival)?,
                Some(None) => {}
                None => break,
            }
        }
        self.crash_log.close();
        self.io.report_drops();
        Ok(())
    }

    fn take(&mut self, arrival: Arrival) -> Result<()> {
        match arrival.input.as_str() {
            IMAGE => {
                let item = arrival.item();
                // One that was sent again takes the place of the first.
                let same = |other: &Arrival| item.is_some() && other.item() == item;
                self.waiting.retain(|other| !same(other));
                self.waiting.push_back(arrival);
            }
            MASK => self.answer(&arrival)?,
            other if !self.unknown_inputs.iter().any(|known| known == other) => {
                tracing::warn!(
                    "input `{other}` is not one of this node's; its messages are ignored"
                );
                self.unknown_inputs.push(other.to_owned());
            }
            _ => {}
        }
        Ok(())
    }

    fn answer(&mut self, arrival: &Arrival) -> Result<()> {
        if let Some(greeting) = arrival.greeting() {
            return self.io.greet(MASK, &greeting);
        }
        let message: Message<Mask> = match arrival.read() {
            Ok(message) => message,
            Err(error) => guarded::failed(arrival.unreadable(), &self.id, error.to_string()),
        };
        seggpt_fault::at("at-mask", &message.identity().item);
        let answered = match &message {
            Message::Item(identity, mask) => self.chain.answered(identity, Some(mask))?,
            Message::Failed(identity, _) => self.chain.answered(identity, None)?,
        };
        if answered == Answered::Unknown && self.timeout.is_some() {
            tracing::warn!(
                "{}: what it was guided by died with another process; it comes again",
                message.identity().item
            );
            return Ok(());
        }
        self.io.send(MASK, message)
    }

    /// Pictures go in their order, and greetings between them.
    fn send_what_may_go(&mut self) -> Result<()> {
        while let Some(first) = self.waiting.front() {
            if let Some(greeting) = first.greeting() {
                self.io.greet(PROMPTED, &greeting)?;
                self.waiting.pop_front();
                continue;
            }
            let item = first.item().unwrap_or_default();
            if let Some(timeout) = self.timeout.filter(|_| !self.chain.is_ready(&item)) {
                let since = *self.since.get_or_insert_with(Instant::now);
                if since.elapsed() < timeout {
                    return Ok(());
                }
                let missing = self.chain.give_up_waiting().join(", ");
                tracing::warn!(
                    "{item}: waited {} s for the answer to {missing}; goes on without it",
                    timeout.as_secs()
                );
            }
            self.since = None;
            let Some(arrival) = self.waiting.pop_front() else {
                return Ok(());
            };
            self.guide(&arrival, &item)?;
        }
        Ok(())
    }

    fn guide(&mut self, arrival: &Arrival, item: &str) -> Result<()> {
        let (selector, chain) = (&mut self.selector, &mut self.chain);
        seggpt_fault::at("before-work", item);
        let work = |identity: &Identity, Image(picture)| -> Result<Prompted> {
            let pixels = picture.to_rgb()?;
            let mut prompted = selector.prompt(identity, picture)?;
            chain.guide(identity, &mut prompted, &pixels)?;
            Ok(prompted)
        };
        let message = guarded::message(&self.id, &mut self.crash_log, arrival, work);
        seggpt_fault::at("before-send", item);
        self.io.send(PROMPTED, message)
    }
}
