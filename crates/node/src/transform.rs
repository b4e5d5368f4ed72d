use std::time::Duration;

use dora_node_api::{DoraNode, EventStream};
use eyre::Result;
use seggpt_contract::{Failure, Identity, Message, Payload};

use crate::io::{Arrival, Io, Strangers};

/// The loop of a node with one input and one output: reads every message, lets `work` make the next one of it, and sends
/// that on. An item that `work` refuses, or that cannot be read, goes on as a failed one; failed items pass through.
///
/// # Errors
/// The engine is gone.
pub fn transform<I: Payload, O: Payload>(
    node: DoraNode,
    events: EventStream,
    input: &str,
    output: &str,
    mut work: impl FnMut(&Identity, I) -> Result<O>,
) -> Result<()> {
    let work = |items: Vec<(Identity, I)>| {
        let worked = items.into_iter().map(|(identity, payload)| {
            let made = work(&identity, payload);
            (identity, made)
        });
        worked.collect()
    };
    transform_several(node, events, [input, output], 1, work, |_, _| Ok(()))
}

/// As [`transform`], for nodes that work on as many items as are waiting at once, at most `most`. `work` answers them in
/// their order. Nodes with further outputs see every message in `also` before it is sent.
///
/// # Errors
/// As [`transform`], and those of `also`.
pub fn transform_several<I: Payload, O: Payload>(
    node: DoraNode,
    events: EventStream,
    [input, output]: [&str; 2],
    most: usize,
    mut work: impl FnMut(Vec<(Identity, I)>) -> Vec<(Identity, Result<O>)>,
    mut also: impl FnMut(&mut Io, &Message<O>) -> Result<()>,
) -> Result<()> {
    let mut io = Io::new(node, events);
    let id = io.id();
    let mut strangers = Strangers::default();
    while let Some(arrivals) = waiting(&mut io, most) {
        let mut items = Vec::new();
        // What is to be sent, in order; none for what is worked on.
        let mut messages = Vec::new();
        for arrival in arrivals {
            if arrival.input != input {
                strangers.meet(&arrival.input);
                continue;
            }
            match arrival.read::<I>() {
                Ok(Message::Item(identity, payload)) => {
                    items.push((identity, payload));
                    messages.push(None);
                }
                Ok(Message::Failed(identity, failure)) => {
                    messages.push(Some(Message::Failed(identity, failure)));
                }
                Err(error) => {
                    messages.push(Some(failed(arrival.unreadable(), &id, error.to_string())));
                }
            }
        }
        let mut worked = work(items).into_iter().map(|(identity, made)| match made {
            Ok(made) => Message::Item(identity, made),
            Err(error) => failed(identity, &id, format!("{error:#}")),
        });
        for message in messages {
            let Some(message) = message.or_else(|| worked.next()) else {
                break;
            };
            also(&mut io, &message)?;
            io.send(output, message)?;
        }
    }
    io.report_drops();
    Ok(())
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

fn failed<O: Payload>(identity: Identity, node: &str, error: String) -> Message<O> {
    let node = node.to_owned();
    Message::Failed(identity, Failure { node, error })
}
