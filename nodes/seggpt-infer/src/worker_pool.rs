use std::{num::NonZero, panic::resume_unwind, thread};

use eyre::{Result, WrapErr};
use rayon::{ThreadPool, ThreadPoolBuilder};
use seggpt_contract::{Canvases, Identity, Mask};

use crate::{Segmenter, Settings};

/// As many segmenters with one network as items are worked on at once.
///
/// An item that is alone gets all threads. Several get a share each, and none waits for another in the many short steps
/// that too many threads would share: more pictures a second, and longer for each. On a GPU, several go through the
/// network together.
pub struct WorkerPool {
    first: Segmenter,
    /// With more than one item at a time on the CPU, a pool for each, and the segmenters besides the first.
    pools: Vec<ThreadPool>,
    others: Vec<Segmenter>,
}

impl WorkerPool {
    /// What the settings ask for.
    ///
    /// # Errors
    /// As [`Segmenter::load`]; threads cannot be had.
    pub fn load(settings: &Settings) -> Result<Self> {
        let threads = match settings.threads {
            0 => thread::available_parallelism().map_or(1, NonZero::get),
            threads => threads,
        };
        let first = Segmenter::load(settings)?;
        let batch = match settings.batch {
            _ if first.batches() => 0,
            1 => 0,
            batch => batch,
        };
        let pool = || {
            ThreadPoolBuilder::new()
                .num_threads((threads / batch).max(1))
                .build()
                .wrap_err("BATCH asks for more threads than can be had")
        };
        Ok(Self {
            pools: (0..batch).map(|_| pool()).collect::<Result<_>>()?,
            others: (1..batch).map(|_| first.share()).collect(),
            first,
        })
    }

    /// The masks of items, in their order; at most as many as BATCH says.
    pub fn segment(&mut self, items: Vec<(Identity, Canvases)>) -> Vec<(Identity, Result<Mask>)> {
        if items.len() == 1 || self.first.batches() {
            let masks = self.first.segment(&items);
            return items.into_iter().map(|(id, _)| id).zip(masks).collect();
        }
        let segmenters = std::iter::once(&mut self.first).chain(&mut self.others);
        let masks: Vec<_> = thread::scope(|scope| {
            let running: Vec<_> = (items.chunks(1).zip(segmenters).zip(&self.pools))
                .map(|((item, segmenter), pool)| {
                    scope.spawn(|| pool.install(|| segmenter.segment(item)))
                })
                .collect();
            let ended = running.into_iter().map(thread::ScopedJoinHandle::join);
            ended
                .flat_map(|mask| mask.unwrap_or_else(|panic| resume_unwind(panic)))
                .collect()
        });
        items.into_iter().map(|(id, _)| id).zip(masks).collect()
    }
}
