//! A thread that reads one item ahead.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, sync_channel},
    },
    thread,
    time::Duration,
};

use eyre::{Result, WrapErr};

use super::supply::{Ready, Supply};
use crate::CrashGuard;

/// What there is to send of an item, or why there is nothing: also that the process died of reading it.
pub(crate) fn read<S: Supply>(item: &S, guard: &CrashGuard) -> Result<Ready, String> {
    let reading = guard.run(item.id(), || {
        seggpt_fault::at("before-work", item.id());
        let reading = item.read();
        seggpt_fault::at("in-work", item.id());
        reading
    });
    reading.flatten()
}

/// Reads items in their order; holds one more than was taken.
pub(crate) struct Ahead<S> {
    /// At the end, `None`.
    readings: Receiver<Option<(S, Result<Ready, String>)>>,
}

/// What [`Ahead::next_within`] finds.
#[allow(clippy::large_enum_variant)] // one at a time
pub(crate) enum Next<S> {
    /// The next item, read or not readable.
    Ready(S, Result<Ready, String>),
    /// It is still being read.
    Busy,
    /// All items were taken.
    End,
    /// The thread that reads is gone before its time.
    Gone,
}

impl<S: Supply> Ahead<S> {
    /// Starts reading.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(crate) fn start(
        items: impl IntoIterator<Item = S, IntoIter: Send + 'static>,
        guard: Arc<CrashGuard>,
    ) -> Result<Self> {
        let items = items.into_iter();
        // No buffer: the thread waits with an item in its hands.
        let (hand_over, readings) = sync_channel(0);
        let work = move || {
            for item in items {
                let reading = read(&item, &guard);
                if hand_over.send(Some((item, reading))).is_err() {
                    return; // nobody reads on: the user stopped the dataflow
                }
            }
            // Nobody may wait for it any more.
            let _ = hand_over.send(None);
        };
        thread::Builder::new()
            .name("reader".into())
            .spawn(work)
            .wrap_err("no thread for reading ahead")?;
        Ok(Self { readings })
    }

    /// The next item, if it is read within `timeout`.
    pub(crate) fn next_within(&self, timeout: Duration) -> Next<S> {
        match self.readings.recv_timeout(timeout) {
            Ok(Some((item, reading))) => Next::Ready(item, reading),
            Ok(None) => Next::End,
            Err(RecvTimeoutError::Timeout) => Next::Busy,
            Err(RecvTimeoutError::Disconnected) => Next::Gone,
        }
    }
}
