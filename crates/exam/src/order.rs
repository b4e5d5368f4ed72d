use std::collections::{HashSet, VecDeque};

use crate::Exam;

/// In which order open questions are asked: those that build on an answer come after it.
pub struct Order<'a> {
    exam: &'a Exam,
    open: HashSet<usize>,
    /// Those that need not wait for another open one.
    first: VecDeque<usize>,
}

impl<'a> Order<'a> {
    /// `open`: what is not answered yet, ascending.
    #[must_use]
    pub fn new(exam: &'a Exam, open: &[usize]) -> Self {
        let mut order = Self {
            exam,
            open: open.iter().copied().collect(),
            first: VecDeque::new(),
        };
        let mut waiting = HashSet::new();
        for &at in open {
            if !waiting.contains(&at) {
                order.first.push_back(at);
            }
            waiting.extend(order.follower(at));
        }
        order
    }

    /// What may be asked to begin with. With memory, no more than `lanes` videos at a time, so that as few as possible are
    /// half answered when a run is interrupted.
    pub fn begin(&mut self, lanes: usize) -> Vec<usize> {
        let count = match self.exam.memory {
            true => lanes.min(self.first.len()),
            false => self.first.len(),
        };
        self.first.drain(..count).collect()
    }

    /// What may be asked as soon as a question is answered, or has failed.
    pub fn after(&mut self, at: usize) -> Option<usize> {
        self.follower(at).or_else(|| self.first.pop_front())
    }

    /// The next open question that builds on this one.
    fn follower(&self, at: usize) -> Option<usize> {
        let mut chain = std::iter::successors(self.exam.follower(at), |&at| self.exam.follower(at));
        chain.find(|at| self.open.contains(at))
    }
}
