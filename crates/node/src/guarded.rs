//! Work on one item in a loop of a node's own: what it refuses, panics on, or has died of twice goes on as a failed item.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
};

use eyre::Result;
use seggpt_contract::{Failure, Identity, Message, Payload};

use crate::{
    crash_guard::{CrashLog, fatal},
    io::Arrival,
};

/// The message that `work` makes of one that came in, or the news that the item failed. `node`: who works.
pub fn message<I: Payload, O: Payload>(
    node: &str,
    crash_log: &mut CrashLog,
    arrival: &Arrival,
    work: impl FnOnce(&Identity, I) -> Result<O>,
) -> Message<O> {
    let item = arrival.item().unwrap_or_default();
    crash_log.begin([item.as_str()]);
    let made = match arrival.read::<I>() {
        Ok(Message::Item(identity, _)) if crash_log.is_fatal(&identity.item) => {
            failed(identity, node, fatal(node))
        }
        Ok(Message::Item(identity, payload)) => {
            let worked = catch_unwind(AssertUnwindSafe(|| {
                seggpt_fault::at("in-work", &identity.item);
                work(&identity, payload)
            }));
            match worked {
                Ok(Ok(made)) => Message::Item(identity, made),
                Ok(Err(error)) => failed(identity, node, format!("{error:#}")),
                Err(panic) => {
                    let error = format!("the node broke on it: {}", panic_message(&*panic));
                    failed(identity, node, error)
                }
            }
        }
        Ok(Message::Failed(identity, failure)) => Message::Failed(identity, failure),
        Err(error) => failed(arrival.unreadable(), node, error.to_string()),
    };
    crash_log.end([item.as_str()]);
    made
}

/// The news that an item failed in `node`.
pub fn failed<O>(identity: Identity, node: &str, error: String) -> Message<O> {
    let node = node.to_owned();
    Message::Failed(identity, Failure { node, error })
}

/// What a panic said.
pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("a panic without a message")
}
