use std::collections::{HashSet, VecDeque};

use crate::Benchmark;

/// In which order open queries are sent: those that build on a prediction come after it.
pub struct Schedule<'a> {
    benchmark: &'a Benchmark,
    open: HashSet<usize>,
    /// Those that need not wait for another open one.
    first: VecDeque<usize>,
}

impl<'a> Schedule<'a> {
    /// `open`: the queries without a prediction, ascending.
    #[must_use]
    pub fn new(benchmark: &'a Benchmark, open: &[usize]) -> Self {
        let mut schedule = Self {
            benchmark,
            open: open.iter().copied().collect(),
            first: VecDeque::new(),
        };
        let mut waiting = HashSet::new();
        for &at in open {
            if !waiting.contains(&at) {
                schedule.first.push_back(at);
            }
            waiting.extend(schedule.follower(at));
        }
        schedule
    }

    /// What may be sent to begin with. With memory, no more than `videos` videos at a time, so that as few as possible are
    /// half done when a run is interrupted.
    pub fn start(&mut self, videos: usize) -> Vec<usize> {
        let count = match self.benchmark.memory {
            true => videos.min(self.first.len()),
            false => self.first.len(),
        };
        self.first.drain(..count).collect()
    }

    /// What may be sent as soon as a query is done, or has failed.
    pub fn after(&mut self, at: usize) -> Option<usize> {
        self.follower(at).or_else(|| self.first.pop_front())
    }

    /// The next open query that builds on this one.
    fn follower(&self, at: usize) -> Option<usize> {
        let mut chain = std::iter::successors(self.benchmark.follower(at), |&at| {
            self.benchmark.follower(at)
        });
        chain.find(|at| self.open.contains(at))
    }
}
