use std::{
    collections::BTreeSet,
    panic::resume_unwind,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use arrow::array::{ArrayRef, NullArray};
use chrono::Utc;
use dora_node_api::{DoraArray, DoraNode, Event, EventStream, StopCause};
use eyre::{Result, eyre};
use seggpt_contract::{
    ContractError, Failure, ForeignName, Greeting, Identity, Message, Parameters, Payload,
};

use crate::{crash_guard::CrashLog, edges};

/// A node's inputs and outputs. Inputs end when [`receive`](Self::receive) says so; then everything queued has been seen.
pub struct Io {
    node: DoraNode,
    events: EventStream,
    /// When this process began to listen: names messages that have no name.
    since: String,
    arrivals: u64,
    stopped: bool,
    vital: Option<&'static str>,
    ending: bool,
    /// What came while nobody could work on it.
    held: Option<Arrival>,
    /// Nothing comes any more.
    ended: bool,
    closed: BTreeSet<String>,
    dropped: u64,
    /// When it was last asked what the engine dropped.
    asked: Instant,
}

/// How often to look whether what is prepared is ready.
const POLL: Duration = Duration::from_millis(50);

/// How often it is said what the engine dropped, where it did.
const DROPS: Duration = Duration::from_secs(1);

/// How long to wait for what is still on its way when the vital input is closed.
const LAST: Duration = Duration::from_millis(500);

/// A message as it came, not yet read.
pub struct Arrival {
    /// The input it came in on.
    pub input: String,
    /// Its metadata.
    pub parameters: Parameters,
    /// Its payload, in shared memory where it is large.
    pub data: ArrayRef,
    session: String,
    number: u64,
}

impl Arrival {
    /// Reads it as the message that its input carries.
    ///
    /// # Errors
    /// As [`Message::decode`].
    pub fn read<P: Payload>(&self) -> Result<Message<P>, ContractError> {
        Message::decode(&self.data, &self.parameters, self.foreign_name())
    }

    /// The item of a message that cannot be read, so that it can be reported.
    pub fn unreadable(&self) -> Identity {
        Identity::of_unreadable(&self.parameters, self.foreign_name())
    }

    /// The item that it speaks of; `None` of a greeting.
    pub fn item(&self) -> Option<String> {
        let identity =
            Identity::from_parameters(&self.parameters, self.foreign_name(), Some((1, 1)));
        identity.ok().map(|identity| identity.item)
    }

    /// Whether another project's node sent it: it does not say which item it is.
    pub fn is_foreign(&self) -> bool {
        !Identity::is_in(&self.parameters)
    }

    /// Whether it is a greeting, to be passed on.
    pub fn greeting(&self) -> Option<Greeting> {
        Greeting::from_parameters(&self.parameters)
    }

    fn foreign_name(&self) -> ForeignName<'_> {
        ForeignName {
            session: &self.session,
            number: self.number,
        }
    }
}

impl Io {
    /// Wraps what `DoraNode::init_from_env` or `init_testing` returned.
    pub fn new(node: DoraNode, events: EventStream) -> Self {
        Self {
            node,
            events,
            since: Utc::now().format("%Y%m%dT%H%M%S%3f").to_string(),
            arrivals: 0,
            stopped: false,
            vital: None,
            ending: false,
            held: None,
            ended: false,
            closed: BTreeSet::new(),
            dropped: 0,
            asked: Instant::now(),
        }
    }

    /// The messages end when this input is closed, however the others stand: without it there is nothing left to do.
    pub fn until_closed(mut self, input: &'static str) -> Self {
        self.vital = Some(input);
        self
    }

    /// Lets `prepare` do what takes long, such as loading a model. Until it is done, greetings that come in on `input` are
    /// passed on to `output`: the way round is known to be whole early. With the first other message, listening ends.
    ///
    /// # Errors
    /// Those of `prepare`; the engine is gone.
    pub fn while_preparing<T>(
        &mut self,
        [input, output]: [&str; 2],
        prepare: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            let listening = scope.spawn(|| self.pass_greetings([input, output], &done));
            // Set by a panic as well, or else the scope would never end.
            let finished = SetAtEnd(&done);
            let prepared = prepare();
            drop(finished);
            listening
                .join()
                .unwrap_or_else(|panic| resume_unwind(panic))?;
            prepared
        })
    }

    fn pass_greetings(&mut self, [input, output]: [&str; 2], done: &AtomicBool) -> Result<()> {
        while !done.load(Ordering::Relaxed) {
            let Some(next) = self.receive_within(POLL) else {
                self.ended = true;
                break;
            };
            let Some(arrival) = next else { continue };
            match arrival.greeting().filter(|_| arrival.input == input) {
                Some(greeting) => self.greet(output, &greeting)?,
                None => {
                    self.held = Some(arrival);
                    break;
                }
            }
        }
        Ok(())
    }

    /// The next message; `None` when all inputs are closed and drained, or the dataflow is stopped.
    pub fn receive(&mut self) -> Option<Arrival> {
        if self.ended || self.held.is_some() {
            return self.held.take();
        }
        edges::listens();
        loop {
            let event = match self.ending {
                true => self.events.recv_timeout(LAST)?,
                false => self.events.recv()?,
            };
            if self.ending && matches!(event, Event::Error(_)) {
                return None;
            }
            match self.take(event)? {
                Some(arrival) => return Some(arrival),
                None => edges::listens(),
            }
        }
    }

    /// As [`receive`](Self::receive), but `Some(None)` if nothing came within `timeout`.
    pub fn receive_within(&mut self, timeout: Duration) -> Option<Option<Arrival>> {
        if self.ended || self.held.is_some() {
            return self.held.take().map(Some);
        }
        edges::listens();
        let event = self.events.recv_timeout(timeout)?;
        self.take(event)
    }

    /// As [`receive`](Self::receive), but `Some(None)` if nothing waits.
    pub fn try_receive(&mut self) -> Option<Option<Arrival>> {
        if self.ended || self.held.is_some() {
            return self.held.take().map(Some);
        }
        match self.events.try_recv() {
            Ok(event) => self.take(event),
            Err(_) => Some(None),
        }
    }

    /// Whether whoever sent to this input is gone.
    pub fn is_closed(&self, input: &str) -> bool {
        self.closed.contains(input)
    }

    /// Whether the user stopped the dataflow: leave at once.
    pub fn stopped(&self) -> bool {
        self.stopped
    }

    fn take(&mut self, event: Event) -> Option<Option<Arrival>> {
        edges::works();
        if self.asked.elapsed() >= DROPS {
            self.report_drops();
        }
        match event {
            Event::Input { id, metadata, data } => {
                let number = self.arrivals;
                self.arrivals += 1;
                let arrival = Arrival {
                    session: format!("{id}-{}", self.since),
                    input: id.to_string(),
                    parameters: metadata.parameters,
                    data: data.into_inner(),
                    number,
                };
                if let Some(greeting) = arrival.greeting() {
                    edges::heard(&arrival.input, greeting.number);
                }
                Some(Some(arrival))
            }
            // What was sent to it meanwhile is lost, and it may be a node that does not say so.
            Event::NodeRestarted { id } => Some(self.died(id.as_ref())),
            Event::InputClosed { id } if self.vital == Some(id.as_str()) => {
                self.ending = true;
                Some(None)
            }
            Event::InputClosed { id } => {
                self.closed.insert(id.to_string());
                Some(None)
            }
            Event::InputRecovered { id } => {
                self.closed.remove(id.as_str());
                Some(None)
            }
            // The user wants out; other stops are the end of the inputs, before which the queue is drained.
            Event::Stop(StopCause::Manual) => {
                self.stopped = true;
                None
            }
            _ => Some(None),
        }
    }

    /// The news that a node died, as if it had come in from it; `None` where it is not one that this node hears.
    fn died(&self, node: &str) -> Option<Arrival> {
        let inputs = &self.node.node_config().inputs;
        // As dataflows write it: `node/output`.
        let from = |mapping: String| mapping.split('/').next() == Some(node);
        let (input, _) = inputs
            .iter()
            .find(|(_, input)| from(input.mapping.to_string()))?;
        let greeting = Greeting {
            died: Some(node.to_owned()),
            ..Greeting::default()
        };
        Some(Arrival {
            input: input.to_string(),
            parameters: greeting.to_parameters(),
            data: Arc::new(NullArray::new(0)),
            session: String::new(),
            number: 0,
        })
    }

    /// Since when this process listens, as names have it: `20261129T131500123`.
    pub fn since(&self) -> &str {
        &self.since
    }

    /// The node's id in the dataflow.
    pub fn id(&self) -> String {
        self.node.id().to_string()
    }

    /// Whether this process replaces one that died.
    pub fn is_restarted(&self) -> bool {
        self.node.is_restart()
    }

    /// How many processes were in its place before it.
    pub fn restarts(&self) -> u32 {
        self.node.restart_count()
    }

    /// What this node's process before it worked on when it died.
    pub fn crash_log(&self) -> CrashLog {
        if self.is_alone() {
            return CrashLog::default();
        }
        let folder = format!("seggpt-{}", self.node.dataflow_id());
        let file = format!("{}.json", self.node.id());
        CrashLog::open(std::env::temp_dir().join(folder).join(file))
    }

    /// Whether the dataflow declares this output: work that nobody asked for is not done.
    pub fn wants(&self, output: &str) -> bool {
        let config = self.node.node_config();
        self.is_alone() || config.outputs.iter().any(|id| id.as_str() == output)
    }

    /// Whether the dataflow wires this input.
    pub fn is_wired(&self, input: &str) -> bool {
        let config = self.node.node_config();
        self.is_alone() || config.inputs.keys().any(|id| id.as_str() == input)
    }

    /// dora's testing mode knows of no dataflow: everything counts as wired.
    fn is_alone(&self) -> bool {
        let config = self.node.node_config();
        config.inputs.is_empty() && config.outputs.is_empty()
    }

    /// Sends a message. An item that cannot be sent (64 MiB and more) goes on as a failed one.
    ///
    /// # Errors
    /// The engine is gone.
    pub fn send<P: Payload>(&mut self, output: &str, message: Message<P>) -> Result<()> {
        let sent = match message.encode() {
            Ok((parameters, array)) => self.send_raw(output, parameters, array),
            Err(error) => Err(error.into()),
        };
        match (sent, message) {
            (Err(error), Message::Item(identity, _)) => {
                let failure = Failure {
                    node: self.id(),
                    error: format!("cannot be sent on: {error:#}"),
                };
                let (parameters, array) = Message::<P>::Failed(identity, failure).encode()?;
                self.send_raw(output, parameters, array)
            }
            (sent, _) => sent,
        }
    }

    /// Sends any Arrow array: for dialects of other people's nodes.
    ///
    /// # Errors
    /// The engine refuses it or is gone.
    pub fn send_raw(
        &mut self,
        output: &str,
        parameters: Parameters,
        array: ArrayRef,
    ) -> Result<()> {
        // dora's own message hides the cause.
        self.node
            .send_output(output.to_owned().into(), parameters, DoraArray::from(array))
            .map_err(|error| eyre!("output `{output}`: {error:?}"))
    }

    /// Sends a greeting. It has no payload, so that it takes the engine's own way, which loses nothing.
    ///
    /// # Errors
    /// The engine is gone.
    pub fn greet(&mut self, output: &str, greeting: &Greeting) -> Result<()> {
        edges::passed(output, greeting.number);
        self.node
            .send_output(output.to_owned().into(), greeting.to_parameters(), ())
            .map_err(|error| eyre!("output `{output}`: {error:?}"))
    }

    /// How many messages the engine is known to have dropped before this node saw them.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Warns of messages that the engine dropped before this node saw them, since that was last said: each second, and at the
    /// end. Returns how many there were in all.
    pub fn report_drops(&mut self) -> u64 {
        self.asked = Instant::now();
        let drops = self.events.drain_drop_counts();
        for (input, count) in drops.iter().filter(|(_, count)| **count > 0) {
            tracing::warn!(input = %input, count, "the engine dropped {count} message(s) of input `{input}`");
        }
        self.dropped += drops.values().sum::<u64>();
        self.dropped
    }
}

/// Says so when it goes, however that comes about.
struct SetAtEnd<'a>(&'a AtomicBool);

impl Drop for SetAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Warns once for each input that a node does not know.
#[derive(Default)]
pub(crate) struct UnknownInputs(BTreeSet<String>);

impl UnknownInputs {
    pub fn warn(&mut self, input: &str) {
        if self.0.insert(input.to_owned()) {
            tracing::warn!(
                input,
                "input `{input}` is not one of this node's; its messages are ignored"
            );
        }
    }
}
