//! What adds up between two reports.

use std::time::{Duration, Instant};

use crate::Progress;

/// Steps between two reports, which are also the points of the curves.
const REPORT: u64 = 20;

#[derive(Default)]
pub(crate) struct Meter {
    since: Option<Instant>,
    waited: Duration,
    losses: f64,
    steps: u64,
    samples: usize,
}

/// What a step was like.
pub(crate) struct Step {
    pub(crate) began: Instant,
    /// Time spent on waiting for samples.
    pub(crate) waited: Duration,
    pub(crate) loss: f64,
    pub(crate) gradient: f64,
    pub(crate) learning_rate: f64,
    pub(crate) samples: usize,
}

impl Meter {
    /// Takes a step in; after every so many, says where a run of `steps` stands with `done` of them.
    pub(crate) fn add(&mut self, step: &Step, done: u64, steps: u64) -> Option<Progress> {
        let since = *self.since.get_or_insert(step.began);
        self.waited += step.waited;
        self.losses += step.loss;
        self.steps += 1;
        self.samples += step.samples;
        if !done.is_multiple_of(REPORT) {
            return None;
        }
        let seconds = since.elapsed().as_secs_f64().max(1e-9);
        let progress = Progress {
            step: done,
            steps,
            loss: self.losses / self.steps as f64,
            gradient: step.gradient,
            learning_rate: step.learning_rate,
            rate: self.samples as f64 / seconds,
            waiting: self.waited.as_secs_f64() / seconds,
            left: Duration::from_secs_f64(seconds / self.steps as f64 * (steps - done) as f64),
        };
        *self = Self::default();
        Some(progress)
    }
}
