//! A clock that runs slower while the nodes wait for a core: a node that is not let to work is slow, not silent.

use std::{
    collections::BTreeMap,
    fs,
    time::{Duration, Instant},
};

/// Often enough for limits of tens of seconds, and cheap.
const SAMPLE: Duration = Duration::from_secs(1);
/// A node with many busy threads waits for cores for ever. So the clock never stands still.
const SLOWEST: f64 = 0.05;

/// Time as the nodes of this process have it.
#[derive(Debug)]
pub(crate) struct Clock {
    now: Instant,
    sampled: Instant,
    /// Nanoseconds that each thread has waited for a core.
    waits: BTreeMap<u32, u64>,
}

impl Clock {
    pub fn new(now: Instant) -> Self {
        Self {
            now,
            sampled: now,
            waits: BTreeMap::new(),
        }
    }

    /// The time, at most [`SAMPLE`] old.
    pub fn at(&mut self, real: Instant) -> Instant {
        let passed = real.saturating_duration_since(self.sampled);
        if passed >= SAMPLE {
            self.advance(real, passed, waits(std::process::id()));
        }
        self.now
    }

    fn advance(&mut self, real: Instant, passed: Duration, waits: BTreeMap<u32, u64>) {
        let waited = |(thread, now): (&u32, &u64)| {
            let before = self.waits.get(thread)?;
            Some(now.saturating_sub(*before))
        };
        let longest = waits.iter().filter_map(waited).max().unwrap_or(0);
        let share = 1.0 - longest as f64 / passed.as_nanos() as f64;
        self.now += passed.mul_f64(share.clamp(SLOWEST, 1.0));
        self.sampled = real;
        self.waits = waits;
    }
}

/// What the threads of a process and of all below it have waited for a core; nothing where the system does not say.
fn waits(process: u32) -> BTreeMap<u32, u64> {
    let mut waits = BTreeMap::new();
    let mut open = vec![process];
    while let Some(process) = open.pop() {
        open.extend(children(process));
        for thread in threads(process) {
            let path = format!("/proc/{process}/task/{thread}/schedstat");
            let text = fs::read_to_string(path).unwrap_or_default();
            let waited = text.split_whitespace().nth(1);
            if let Some(waited) = waited.and_then(|waited| waited.parse().ok()) {
                waits.insert(thread, waited);
            }
        }
    }
    waits
}

fn threads(process: u32) -> Vec<u32> {
    let entries = fs::read_dir(format!("/proc/{process}/task"));
    let names = entries.into_iter().flatten().flatten();
    names
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}

fn children(process: u32) -> Vec<u32> {
    let of_thread = |thread| {
        let path = format!("/proc/{process}/task/{thread}/children");
        fs::read_to_string(path).unwrap_or_default()
    };
    let texts: Vec<String> = threads(process).into_iter().map(of_thread).collect();
    texts
        .iter()
        .flat_map(|text| text.split_whitespace())
        .filter_map(|pid| pid.parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn after(waits: &[u64]) -> Duration {
        let start = Instant::now();
        let mut clock = Clock::new(start);
        clock.advance(start, Duration::from_nanos(1), [(7, 0), (8, 0)].into());
        let threads = [7, 8, 9].into_iter().zip(waits.iter().copied());
        clock.advance(start + SECOND, SECOND, threads.collect());
        clock.now - start
    }

    #[test]
    fn time_for_which_a_node_waited_for_a_core_does_not_count() {
        let near = |took: Duration, seconds: f64| (took.as_secs_f64() - seconds).abs() < 1e-6;
        assert!(near(after(&[0, 0]), 1.0));
        assert!(near(after(&[100_000_000, 750_000_000]), 0.25));
        assert!(near(after(&[2_000_000_000, 0]), SLOWEST));
        // A thread that is new has not waited in this second alone.
        assert!(near(after(&[0, 0, 5_000_000_000]), 1.0));
    }

    #[test]
    fn the_clock_keeps_time_where_nobody_waits() {
        let start = Instant::now();
        let mut clock = Clock::new(start);
        assert_eq!(clock.at(start + SECOND / 2), start);
        assert_eq!(clock.at(start + SECOND), start + SECOND);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn children_of_this_process_are_found_with_what_they_waited() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn();
        let child = child.as_mut().unwrap();
        let found = waits(std::process::id()).contains_key(&child.id());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(found);
    }
}
