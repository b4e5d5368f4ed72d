use std::{num::NonZero, thread};

use eyre::{Result, WrapErr, eyre};
use rayon::{ThreadPool, ThreadPoolBuilder};
use seggpt_contract::{Canvases, Identity, Mask};

use crate::{Segmenter, Settings};

/// As many segmenters with one network as items are worked on at once.
///
/// An item that is alone gets all threads. Several get a share each, and none waits for another in the many short steps
/// that too many threads would share: more pictures a second, and longer for each.
pub struct Crew {
    first: Segmenter,
    /// With more than one item at a time, a pool for each, and the segmenters besides the first.
    pools: Vec<ThreadPool>,
    others: Vec<Segmenter>,
}

impl Crew {
    /// What the settings ask for.
    ///
    /// # Errors
    /// As [`Segmenter::load`]; threads cannot be had.
    pub fn load(settings: &Settings) -> Result<Self> {
        let threads = match settings.threads {
            0 => thread::available_parallelism().map_or(1, NonZero::get),
            threads => threads,
        };
        let at_once = match settings.at_once {
            1 => 0,
            at_once => at_once,
        };
        let pool = || {
            ThreadPoolBuilder::new()
                .num_threads((threads / at_once).max(1))
                .build()
                .wrap_err("AT_ONCE asks for more threads than can be had")
        };
        let first = Segmenter::load(settings)?;
        Ok(Self {
            pools: (0..at_once).map(|_| pool()).collect::<Result<_>>()?,
            others: (1..at_once).map(|_| first.twin()).collect(),
            first,
        })
    }

    /// The masks of items, in their order; at most as many as AT_ONCE says.
    pub fn segment(&mut self, items: Vec<(Identity, Canvases)>) -> Vec<(Identity, Result<Mask>)> {
        if let [(identity, canvases)] = &items[..] {
            let mask = self.first.segment(identity, canvases);
            return items.into_iter().map(|(id, _)| id).zip([mask]).collect();
        }
        let segmenters = std::iter::once(&mut self.first).chain(&mut self.others);
        let masks: Vec<_> = thread::scope(|scope| {
            let running: Vec<_> = (items.iter().zip(segmenters).zip(&self.pools))
                .map(|(((identity, canvases), segmenter), pool)| {
                    scope.spawn(|| pool.install(|| segmenter.segment(identity, canvases)))
                })
                .collect();
            let ended = running.into_iter().map(thread::ScopedJoinHandle::join);
            ended
                .map(|mask| mask.unwrap_or_else(|_| Err(eyre!("the network broke off"))))
                .collect()
        });
        items.into_iter().map(|(id, _)| id).zip(masks).collect()
    }
}
