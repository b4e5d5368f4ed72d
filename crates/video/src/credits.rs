//! How many frames of a live source are under way. Whoever answers a frame gives its credit back; with a credit free, the
//! newest frame goes, and the others are skipped: all dropping happens at one place and is counted.
//!
//! [`Credits`] is the bookkeeping alone: it neither sends nor looks at the clock.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// A credit comes back by itself after so many times the slowest answer.
const SLOWEST: u32 = 10;
/// And never earlier than this.
const LEAST: Duration = Duration::from_secs(2);
/// Nothing was answered yet: networks load.
const FIRST: Duration = Duration::from_secs(60);
/// How many ages are kept for [`Counts::age`].
const AGES: usize = 512;

/// Frames under way.
#[derive(Debug)]
pub struct Credits {
    most: usize,
    set: Option<Duration>,
    out: VecDeque<(String, Instant)>,
    slowest: Option<Duration>,
    /// Since the last frame that was sent.
    skipped: u64,
    counts: Counts,
    ages: VecDeque<Duration>,
}

/// What became of a live source's frames so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Frames that came.
    pub came: u64,
    /// Sent on.
    pub sent: u64,
    /// Not sent, since a newer one came before there was a credit.
    pub skipped: u64,
    /// Sent, and answered.
    pub answered: u64,
    /// Sent, and no answer came in time.
    pub lost: u64,
}

impl Credits {
    /// `most`: frames under way at a time, at least 1. `set`: how long an answer may take; none: ten times the slowest so
    /// far, and at least 2 s.
    #[must_use]
    pub fn new(most: usize, set: Option<Duration>) -> Self {
        Self {
            most: most.max(1),
            set,
            out: VecDeque::new(),
            slowest: None,
            skipped: 0,
            counts: Counts::default(),
            ages: VecDeque::new(),
        }
    }

    /// Frames came.
    pub fn came(&mut self, count: u64) {
        self.counts.came += count;
    }

    /// Frames that came and are not sent.
    pub fn skip(&mut self, count: u64) {
        self.skipped += count;
        self.counts.skipped += count;
    }

    /// Whether a frame may be sent.
    #[must_use]
    pub fn is_free(&self) -> bool {
        self.out.len() < self.most
    }

    /// A frame was sent; returns how many were skipped since the one before it.
    pub fn sent(&mut self, item: impl Into<String>, now: Instant) -> u64 {
        self.counts.sent += 1;
        self.out.push_back((item.into(), now));
        std::mem::take(&mut self.skipped)
    }

    /// A frame was sent of which no answer will come; returns as [`sent`](Self::sent).
    pub fn sent_for_good(&mut self) -> u64 {
        self.counts.sent += 1;
        std::mem::take(&mut self.skipped)
    }

    /// An answer came; returns the frame's age. `None` for one that is not under way: it was given up, or answered twice.
    pub fn answered(&mut self, item: &str, now: Instant) -> Option<Duration> {
        let at = self.out.iter().position(|(out, _)| out == item)?;
        let (_, since) = self.out.remove(at)?;
        let age = now.saturating_duration_since(since);
        self.counts.answered += 1;
        self.slowest = self.slowest.max(Some(age));
        if self.ages.len() == AGES {
            self.ages.pop_front();
        }
        self.ages.push_back(age);
        Some(age)
    }

    /// Gives credits back whose answers are overdue; returns their frames.
    pub fn expire(&mut self, now: Instant) -> Vec<String> {
        let patience = self.patience();
        let late = |since: Instant| now.saturating_duration_since(since) >= patience;
        let lost = self.out.iter().filter(|(_, since)| late(*since));
        let lost: Vec<String> = lost.map(|(item, _)| item.clone()).collect();
        self.out.retain(|(_, since)| !late(*since));
        self.counts.lost += lost.len() as u64;
        lost
    }

    /// A node died: what is under way may have died with it, and is not waited for.
    pub fn forget_all(&mut self) -> usize {
        let lost = self.out.len();
        self.out.clear();
        self.counts.lost += lost as u64;
        lost
    }

    /// How many frames are under way.
    #[must_use]
    pub fn under_way(&self) -> usize {
        self.out.len()
    }

    /// What became of all frames so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// How long the last answers took: half of them no longer than the first, 99 of 100 no longer than the second.
    #[must_use]
    pub fn ages(&self) -> Option<(Duration, Duration)> {
        let mut ages: Vec<Duration> = self.ages.iter().copied().collect();
        ages.sort();
        let last = ages.len().checked_sub(1)?;
        Some((ages[last / 2], ages[last * 99 / 100]))
    }

    fn patience(&self) -> Duration {
        let grown = |slowest: Duration| (slowest * SLOWEST).max(LEAST);
        self.set
            .unwrap_or_else(|| self.slowest.map_or(FIRST, grown))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(start: Instant) -> impl Fn(u64) -> Instant {
        move |milliseconds| start + Duration::from_millis(milliseconds)
    }

    #[test]
    fn with_a_credit_free_the_newest_goes_and_the_others_are_counted() {
        let at = at(Instant::now());
        let mut credits = Credits::new(1, None);
        for frame in 0..10_u64 {
            credits.came(1);
            match credits.is_free() {
                true => assert_eq!(
                    credits.sent(frame.to_string(), at(frame)),
                    [0, 4][frame as usize / 5]
                ),
                false => credits.skip(1),
            }
            if frame == 4 {
                credits.answered("0", at(4));
            }
        }
        let counts = credits.counts();
        assert_eq!(
            (counts.came, counts.sent, counts.skipped, counts.answered),
            (10, 2, 8, 1)
        );
        assert_eq!(counts.came, counts.sent + counts.skipped);
    }

    #[test]
    fn a_credit_comes_back_after_ten_times_the_slowest_answer_and_at_least_2_s() {
        let at = at(Instant::now());
        let mut credits = Credits::new(1, None);
        credits.sent("a", at(0));
        assert!(credits.expire(at(59_999)).is_empty(), "networks load");
        credits.answered("a", at(500));
        credits.sent("b", at(1000));
        assert!(credits.expire(at(5_999)).is_empty());
        assert_eq!(credits.expire(at(6000)), ["b"]);
        assert!(credits.is_free());
        assert_eq!(credits.answered("b", at(6001)), None, "it was given up");
        assert_eq!(credits.counts().lost, 1);
        let mut quick = Credits::new(1, None);
        quick.sent("a", at(0));
        quick.answered("a", at(10));
        quick.sent("b", at(10));
        assert!(quick.expire(at(2_009)).is_empty());
        assert_eq!(quick.expire(at(2_010)), ["b"]);
    }

    #[test]
    fn what_is_set_is_how_long_it_waits() {
        let at = at(Instant::now());
        let mut credits = Credits::new(2, Some(Duration::from_secs(1)));
        credits.sent("a", at(0));
        credits.sent("b", at(500));
        assert!(!credits.is_free());
        assert_eq!(credits.expire(at(1000)), ["a"]);
        assert_eq!(credits.under_way(), 1);
        assert_eq!(credits.forget_all(), 1);
        assert_eq!(credits.counts().lost, 2);
    }

    #[test]
    fn ages_are_those_of_the_last_answers() {
        let at = at(Instant::now());
        let mut credits = Credits::new(1, None);
        assert_eq!(credits.ages(), None);
        for age in 1..=600 {
            credits.sent("a", at(0));
            credits.answered("a", at(age));
        }
        let (half, most) = credits.ages().unwrap_or_default();
        assert_eq!((half.as_millis(), most.as_millis()), (344, 594));
    }
}
