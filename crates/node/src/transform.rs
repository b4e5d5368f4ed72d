use dora_node_api::{DoraNode, EventStream};
use eyre::Result;
use seggpt_contract::{Failure, Identity, Message, Payload};

use crate::io::{Io, Strangers};

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
    work: impl FnMut(&Identity, I) -> Result<O>,
) -> Result<()> {
    transform_and(node, events, input, output, work, |_, _| Ok(()))
}

/// As [`transform`], for nodes with further outputs: `also` sees every message before it is sent.
///
/// # Errors
/// As [`transform`], and those of `also`.
pub fn transform_and<I: Payload, O: Payload>(
    node: DoraNode,
    events: EventStream,
    input: &str,
    output: &str,
    mut work: impl FnMut(&Identity, I) -> Result<O>,
    mut also: impl FnMut(&mut Io, &Message<O>) -> Result<()>,
) -> Result<()> {
    let mut io = Io::new(node, events);
    let mut strangers = Strangers::default();
    while let Some(arrival) = io.receive() {
        if arrival.input != input {
            strangers.meet(&arrival.input);
            continue;
        }
        let failed = |identity, error| {
            Message::Failed(
                identity,
                Failure {
                    node: io.id(),
                    error,
                },
            )
        };
        let message = match arrival.read::<I>() {
            Ok(Message::Item(identity, payload)) => match work(&identity, payload) {
                Ok(made) => Message::Item(identity, made),
                Err(error) => failed(identity, format!("{error:#}")),
            },
            Ok(Message::Failed(identity, failure)) => Message::Failed(identity, failure),
            Err(error) => {
                match Identity::from_parameters(&arrival.parameters, arrival.number, Some((1, 1))) {
                    Ok(identity) => failed(identity, error.to_string()),
                    Err(_) => {
                        tracing::error!(input, %error, "a message without identity cannot be read: {error}");
                        continue;
                    }
                }
            }
        };
        also(&mut io, &message)?;
        io.send(output, message)?;
    }
    io.report_drops();
    Ok(())
}
