//! A thread that reads one picture ahead.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, sync_channel},
    },
    thread,
    time::Duration,
};

use eyre::{Result, WrapErr};

use super::{Loaded, Sendable};
use crate::CrashGuard;

/// The item's picture, or why there is none: also that the process died of reading it.
pub fn read(item: &impl Sendable, guard: &CrashGuard) -> Loaded {
    let reading = guard.run(item.id(), || {
        seggpt_fault::at("before-work", item.id());
        let reading = item.read();
        seggpt_fault::at("in-work", item.id());
        reading
    });
    reading.flatten()
}

/// Reads items in their order; holds one picture more than was taken.
#[derive(Debug)]
pub struct Reader<T> {
    /// At the end, `None`.
    readings: Receiver<Option<(T, Loaded)>>,
}

/// What [`Reader::next_within`] finds.
pub enum Next<T> {
    /// The next item, read or not readable.
    Ready(T, Loaded),
    /// It is still being read.
    Busy,
    /// All items were taken.
    End,
    /// The thread that reads is gone before its time.
    Gone,
}

impl<T: Sendable> Reader<T> {
    /// Starts reading.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(
        items: impl IntoIterator<Item = T, IntoIter: Send + 'static>,
        guard: Arc<CrashGuard>,
    ) -> Result<Self> {
        let items = items.into_iter();
        // No buffer: the thread waits with a picture in its hands.
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
            .wrap_err("no thread for reading pictures")?;
        Ok(Self { readings })
    }

    /// The next item, if it is read within `timeout`.
    pub fn next_within(&self, timeout: Duration) -> Next<T> {
        match self.readings.recv_timeout(timeout) {
            Ok(Some((item, reading))) => Next::Ready(item, reading),
            Ok(None) => Next::End,
            Err(RecvTimeoutError::Timeout) => Next::Busy,
            Err(RecvTimeoutError::Disconnected) => Next::Gone,
        }
    }
}
