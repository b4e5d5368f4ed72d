use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use dora_node_api::{DoraNode, EventStream};
use eyre::{Result, eyre};
use seggpt_contract::{Greeting, Identity, Message, Payload};

use crate::{
    crash_guard::{CrashLog, fatal},
    guarded::{failed, panic_message},
    io::{Arrival, Io, UnknownInputs},
};

/// The loop of a node with one input and one output: reads every message, lets `work` make the next one of it, and sends
/// that on. An item that `work` refuses or panics on, or that cannot be read, goes on as a failed one; so does one that
/// killed the process twice. Failed items and greetings pass through.
///
/// # Errors
/// The engine is gone.
pub fn transform<I: Payload, O: Payload>(
    node: DoraNode,
    events: EventStream,
    input: &str,
    output: &str,
    work: impl FnMut(&Identity, I) -> Result<O>,
) -> Result<()> {
    let prepare = || Ok(one_by_one(work));
    transform_several(node, events, [input, output], 1, prepare, |_, _| Ok(()))
}

/// An item, and what was made of it.
pub type Made<O> = (Identity, Result<O>);

/// Work on one item as work on several.
pub fn one_by_one<I, O>(
    mut work: impl FnMut(&Identity, I) -> Result<O>,
) -> impl FnMut(Vec<(Identity, I)>) -> Vec<Made<O>> {
    move |items| {
        let worked = items.into_iter().map(|(identity, payload)| {
            let made = work(&identity, payload);
            (identity, made)
        });
        worked.collect()
    }
}

/// As [`transform`], for nodes that work on as many items as are waiting at once, at most `most`. The work itself comes
/// from `prepare`, which may take its time: greetings pass meanwhile. It answers the items in their order. Nodes with
/// further outputs see every message in `also` before it is sent.
///
/// # Errors
/// As [`transform`], and those of `prepare` and `also`.
pub fn transform_several<I: Payload, O: Payload, W>(
    node: DoraNode,
    events: EventStream,
    [input, output]: [&str; 2],
    most: usize,
    prepare: impl FnOnce() -> Result<W>,
    mut also: impl FnMut(&mut Io, &Message<O>) -> Result<()>,
) -> Result<()>
where
    W: FnMut(Vec<(Identity, I)>) -> Vec<(Identity, Result<O>)>,
{
    let mut io = Io::new(node, events);
    let id = io.id();
    let crash_log = io.crash_log();
    if io.is_restarted() {
        let restarted = Some(id.clone());
        io.greet(
            output,
            &Greeting {
                restarted,
                ..Greeting::default()
            },
        )?;
    }
    let work = io.while_preparing([input, output], prepare)?;
    let mut worker = Worker { crash_log, work };
    let mut unknown_inputs = UnknownInputs::default();
    while let Some(arrivals) = waiting(&mut io, most) {
        let mut items = Vec::new();
        let mut outgoing = Vec::new();
        // To read, to work and to send can each be what a process dies of.
        let names: Vec<_> = arrivals.iter().filter_map(Arrival::item).collect();
        seggpt_fault::at_any("before-work", names.iter().map(String::as_str));
        worker.crash_log.begin(names.iter().map(String::as_str));
        for arrival in &arrivals {
            if arrival.input != input {
                unknown_inputs.warn(&arrival.input);
                continue;
            }
            if let Some(greeting) = arrival.greeting() {
                outgoing.push(Outgoing::Greeting(greeting));
                continue;
            }
            outgoing.push(match arrival.read::<I>() {
                Ok(Message::Item(identity, _)) if worker.crash_log.is_fatal(&identity.item) => {
                    Outgoing::Message(failed(identity, &id, fatal(&id)))
                }
                Ok(Message::Item(identity, payload)) => {
                    items.push((arrival, identity, payload));
                    Outgoing::Worked
                }
                Ok(Message::Failed(identity, failure)) => {
                    Outgoing::Message(Message::Failed(identity, failure))
                }
                Err(error) => {
                    Outgoing::Message(failed(arrival.unreadable(), &id, error.to_string()))
                }
            });
        }
        let mut worked = worker
            .take(items)
            .into_iter()
            .map(|(identity, made)| match made {
                Ok(made) => Message::Item(identity, made),
                Err(error) => failed(identity, &id, format!("{error:#}")),
            });
        for next in outgoing {
            let message = match next {
                Outgoing::Greeting(greeting) => {
                    io.greet(output, &greeting)?;
                    continue;
                }
                Outgoing::Message(message) => message,
                Outgoing::Worked => match worked.next() {
                    Some(message) => message,
                    None => break,
                },
            };
            seggpt_fault::at("before-send", &message.identity().item);
            also(&mut io, &message)?;
            io.send(output, message)?;
        }
        worker.crash_log.end(names.iter().map(String::as_str));
    }
    worker.crash_log.close();
    io.report_drops();
    Ok(())
}

/// What is to be sent, in order.
enum Outgoing<O> {
    Greeting(Greeting),
    Message(Message<O>),
    /// The next of what is worked on.
    Worked,
}

/// Where the work is done: one item's panic is one failed item.
struct Worker<W> {
    crash_log: CrashLog,
    work: W,
}

impl<W> Worker<W> {
    /// Works on items, together unless one of them has caused a crash or the work panics.
    fn take<I: Payload, O>(
        &mut self,
        items: Vec<(&Arrival, Identity, I)>,
    ) -> Vec<(Identity, Result<O>)>
    where
        W: FnMut(Vec<(Identity, I)>) -> Vec<(Identity, Result<O>)>,
    {
        let several = items.len() > 1;
        let suspect =
            |(_, identity, _): &(_, Identity, I)| self.crash_log.is_suspect(&identity.item);
        if several && items.iter().any(suspect) {
            return items
                .into_iter()
                .flat_map(|item| self.take(vec![item]))
                .collect();
        }
        let sources: Vec<_> = items
            .iter()
            .map(|(arrival, identity, _)| (*arrival, identity.clone()))
            .collect();
        let items: Vec<_> = items
            .into_iter()
            .map(|(_, identity, payload)| (identity, payload))
            .collect();
        if items.is_empty() {
            return Vec::new();
        }
        let worked = catch_unwind(AssertUnwindSafe(|| {
            let names = items.iter().map(|(identity, _)| identity.item.as_str());
            seggpt_fault::at_any("in-work", names);
            (self.work)(items)
        }));
        match worked {
            Ok(worked) => worked,
            Err(_) if several => sources
                .into_iter()
                .flat_map(|(arrival, identity)| match arrival.read::<I>() {
                    Ok(Message::Item(identity, payload)) => {
                        self.take(vec![(arrival, identity, payload)])
                    }
                    _ => vec![(identity, Err(eyre!("it cannot be read again")))],
                })
                .collect(),
            Err(panic) => {
                let error = panic_message(&*panic).to_owned();
                sources
                    .into_iter()
                    .map(|(_, identity)| (identity, Err(eyre!("the node broke on it: {error}"))))
                    .collect()
            }
        }
    }
}

/// Waits for a message, and takes what has come besides, at most `most` in all.
fn waiting(io: &mut Io, most: usize) -> Option<Vec<Arrival>> {
    let mut arrivals = vec![io.receive()?];
    while arrivals.len() < most {
        match io.receive_within(Duration::ZERO) {
            Some(Some(arrival)) => arrivals.push(arrival),
            _ if io.stopped() => return None,
            _ => break,
        }
    }
    Some(arrivals)
}
