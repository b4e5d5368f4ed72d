//! Samples are made beside the computation, in the order of their numbers whatever the threads do.

use std::{
    sync::mpsc::{Receiver, sync_channel},
    thread,
};

use seggpt_random::Rng;
use seggpt_samples::{Part, SamplesError, Source};

use crate::{Masking, Task, TrainError};

/// Makes a source of samples whose pictures have an edge of so many pixels.
pub type Sources<'a> = dyn Fn(u32, Part) -> Opened + Sync + 'a;

/// A source, or why there is none.
pub type Opened = Result<Box<dyn Source>, SamplesError>;

/// Batches that wait per thread: enough to even out slow samples.
const WAITING: usize = 4;

/// Numbers of prompts are drawn from a stream of their own.
const PROMPTS: u64 = 0x9e37_0f0a_50c1_77d3;

/// What a loader makes: the same for all its batches.
#[derive(Clone, Copy)]
pub(crate) struct Order {
    pub(crate) seed: u64,
    pub(crate) size: u32,
    pub(crate) batch: usize,
    /// The most prompts a sample has: each batch has 1 to so many, as its first sample's seed says.
    pub(crate) prompts: usize,
    pub(crate) patch: usize,
    pub(crate) masking: Masking,
    /// Number of the first sample.
    pub(crate) first: u64,
    /// Batches to be made.
    pub(crate) batches: u64,
    pub(crate) threads: usize,
}

/// Batches of tasks, one after the other.
pub(crate) struct Loader {
    /// Batch `i` comes from thread `i % threads`.
    threads: Vec<Receiver<Vec<Task>>>,
    next: usize,
}

impl Loader {
    /// Starts the threads. They end when their batches are made, or when the loader is gone.
    pub(crate) fn start<'scope>(
        scope: &'scope thread::Scope<'scope, '_>,
        order: Order,
        sources: &Sources,
    ) -> Result<Self, TrainError> {
        let threads = (0..order.threads as u64).map(|thread| {
            let mut source = sources(order.size, Part::Training)?;
            let (sender, receiver) = sync_channel(WAITING);
            scope.spawn(move || {
                for batch in (thread..order.batches).step_by(order.threads) {
                    let first = order.first + batch * order.batch as u64;
                    let stream = Rng::derive(order.seed ^ PROMPTS, first);
                    let prompts = 1 + Rng::new(stream).below(order.prompts);
                    let tasks = (first..first + order.batch as u64).map(|index| {
                        let seed = Rng::derive(order.seed, index);
                        let sample = source.sample(seed, prompts);
                        Task::train(sample, &order.masking, order.patch, seed)
                    });
                    if sender.send(tasks.collect()).is_err() {
                        break;
                    }
                }
            });
            Ok(receiver)
        });
        Ok(Self {
            threads: threads.collect::<Result<_, TrainError>>()?,
            next: 0,
        })
    }

    pub(crate) fn next(&mut self) -> Result<Vec<Task>, TrainError> {
        let thread = self.next % self.threads.len();
        self.next += 1;
        self.threads[thread].recv().map_err(|_| TrainError::Loader)
    }
}
