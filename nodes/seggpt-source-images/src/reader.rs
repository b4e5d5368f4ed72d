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
use seggpt_imaging::read::Exif;
use seggpt_node::CrashGuard;

use crate::load::{Item, Loaded};

/// The item's picture, or why there is none: also that the process died of reading it.
pub fn read(item: &Item, exif: Exif, guard: &CrashGuard) -> Loaded {
    let reading = guard.run(item.id(), || {
        seggpt_fault::at("before-work", item.id());
        let reading = item.read(exif);
        seggpt_fault::at("in-work", item.id());
        reading
    });
    reading.flatten()
}

/// Reads items in their order; holds one picture more than was taken.
#[derive(Debug)]
pub struct Reader {
    readings: Receiver<(Item, Loaded)>,
}

/// What [`Reader::next_within`] finds.
pub enum Next {
    /// The next item, read or not readable.
    Ready(Item, Loaded),
    /// It is still being read.
    Busy,
    /// All items were taken.
    End,
}

impl Reader {
    /// Starts reading.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(items: Vec<Item>, exif: Exif, guard: Arc<CrashGuard>) -> Result<Self> {
        // No buffer: the thread waits with a picture in its hands.
        let (hand_over, readings) = sync_channel(0);
        let work = move || {
            for item in items {
                let reading = read(&item, exif, &guard);
                if hand_over.send((item, reading)).is_err() {
                    break; // nobody reads on: the user stopped the dataflow
                }
            }
        };
        thread::Builder::new()
            .name("reader".into())
            .spawn(work)
            .wrap_err("no thread for reading pictures")?;
        Ok(Self { readings })
    }

    /// The next item, if it is read within `timeout`.
    pub fn next_within(&self, timeout: Duration) -> Next {
        match self.readings.recv_timeout(timeout) {
            Ok((item, reading)) => Next::Ready(item, reading),
            Err(RecvTimeoutError::Timeout) => Next::Busy,
            Err(RecvTimeoutError::Disconnected) => Next::End,
        }
    }
}
