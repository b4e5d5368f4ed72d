//! What a node says of its edges: which greetings it heard and passed on, and that it is at work. Whoever watches a run
//! finds by it the first edge that nothing comes through.

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// The `target` of these log records. They have a field [`HEARD`] or [`PASSED`], with the port, and [`GREETING`], the
/// number; or [`BUSY`], the seconds since the node last listened, and at its start, 0, with [`PROCESS`].
pub const TARGET: &str = "seggpt::edge";
/// The input that a greeting came in on.
pub const HEARD: &str = "heard";
/// The output that a greeting goes out on.
pub const PASSED: &str = "passed";
/// The greeting's number.
pub const GREETING: &str = "greeting";
/// How long the node has not listened.
pub const BUSY: &str = "busy";
/// The number of the node's process.
pub const PROCESS: &str = "process";
/// How often a node that does not listen says that it is at work.
pub const PULSE: Duration = Duration::from_secs(5);

static STARTED: OnceLock<Instant> = OnceLock::new();
/// Milliseconds from the start at which the node stopped listening, and one more; 0 while it listens.
static BUSY_SINCE: AtomicU64 = AtomicU64::new(1);

/// From now on the process says that it is at work whenever it does not listen for long.
pub(crate) fn begin_pulse() {
    STARTED.get_or_init(Instant::now);
    tracing::debug!(target: TARGET, busy = 0_u64, process = std::process::id());
    let pulse = || {
        loop {
            thread::sleep(PULSE);
            if let Some(busy) = busy().filter(|busy| *busy >= PULSE) {
                tracing::debug!(target: TARGET, busy = busy.as_secs());
            }
        }
    };
    let thread = thread::Builder::new().name("pulse".into()).spawn(pulse);
    if let Err(error) = thread {
        tracing::warn!("no thread to say that this node is at work: {error}");
    }
}

/// It waits for events from now on.
pub(crate) fn listens() {
    BUSY_SINCE.store(0, Ordering::Relaxed);
}

/// It has an event, and listens again when it is done with it.
pub(crate) fn works() {
    let started = STARTED.get_or_init(Instant::now);
    let since = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX - 1);
    BUSY_SINCE.store(since + 1, Ordering::Relaxed);
}

fn busy() -> Option<Duration> {
    let since = BUSY_SINCE.load(Ordering::Relaxed).checked_sub(1)?;
    let elapsed = STARTED.get()?.elapsed();
    Some(elapsed.saturating_sub(Duration::from_millis(since)))
}

pub(crate) fn heard(input: &str, greeting: u64) {
    tracing::debug!(target: TARGET, heard = input, greeting);
}

pub(crate) fn passed(output: &str, greeting: u64) {
    tracing::debug!(target: TARGET, passed = output, greeting);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_busy_between_an_event_and_the_next_look() {
        works();
        thread::sleep(Duration::from_millis(2));
        assert!(busy().is_some_and(|busy| busy >= Duration::from_millis(1)));
        listens();
        assert_eq!(busy(), None);
    }
}
