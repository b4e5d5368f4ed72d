//! Counting items from what sinks say of them.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use seggpt_node::outcome::TARGET;

/// The fields of a log record.
pub type Fields = BTreeMap<String, String>;

/// What the sinks have said so far. With several sinks, an item counts once all of them are done with it.
#[derive(Debug)]
pub struct Tally {
    sinks: BTreeMap<String, Sink>,
    /// Failed items with their errors, in the order in which they failed.
    pub failures: Vec<(String, String)>,
    failed: BTreeSet<String>,
    /// Paths of reports.
    pub reports: Vec<String>,
    started: Instant,
    first: Option<Instant>,
    last: Option<Instant>,
}

#[derive(Debug, Default)]
struct Sink {
    finished: u64,
    total: Option<u64>,
    seen: u64,
}

/// The end of an item, as a sink tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The item.
    pub item: String,
    /// `done` or `failed`.
    pub status: String,
    /// Why it failed; empty otherwise.
    pub error: String,
}

/// How far a run has come.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Progress {
    /// Items that are done or have failed.
    pub finished: u64,
    /// All items, where the source knows.
    pub total: Option<u64>,
    /// Items that have failed.
    pub failed: u64,
    /// Items a second, once two have ended.
    pub rate: Option<f64>,
}

impl Tally {
    /// Nothing has ended yet.
    pub fn new() -> Self {
        Self {
            sinks: BTreeMap::new(),
            failures: Vec::new(),
            failed: BTreeSet::new(),
            reports: Vec::new(),
            started: Instant::now(),
            first: None,
            last: None,
        }
    }

    /// Takes a record in if it speaks of progress, and says whether it did. An item's end comes back as well.
    pub fn take(
        &mut self,
        node: &str,
        target: Option<&str>,
        fields: Option<&Fields>,
    ) -> (bool, Option<Ended>) {
        self.take_at(node, target, fields, Instant::now())
    }

    fn take_at(
        &mut self,
        node: &str,
        target: Option<&str>,
        fields: Option<&Fields>,
        now: Instant,
    ) -> (bool, Option<Ended>) {
        let (Some(TARGET), Some(fields)) = (target, fields) else {
            return (false, None);
        };
        if let Some(report) = fields.get("report") {
            self.reports.push(report.clone());
            return (true, None);
        }
        let text = |key: &str| fields.get(key).cloned().unwrap_or_default();
        let number = |key: &str| fields.get(key).and_then(|text| text.parse().ok());
        let sink = self.sinks.entry(node.to_owned()).or_default();
        // What a sink that was started again says once more.
        let again = fields.contains_key("again");
        sink.seen += u64::from(!again);
        sink.finished = number("finished").unwrap_or(sink.finished + 1);
        sink.total = number("total").or(sink.total);
        self.first.get_or_insert(now);
        self.last = Some(now);
        let ended = Ended {
            item: text("item"),
            status: text("status"),
            error: text("error"),
        };
        let is_news = ended.status == "failed" && self.failed.insert(ended.item.clone());
        if is_news {
            self.failures
                .push((ended.item.clone(), ended.error.clone()));
        }
        (true, Some(ended).filter(|_| is_news || !again))
    }

    /// How far it has come, by the sink that is furthest behind.
    pub fn progress(&self) -> Progress {
        let behind = self.sinks.values().min_by_key(|sink| sink.finished);
        let seen = self.sinks.values().map(|sink| sink.seen).min().unwrap_or(0);
        // The first item waits for the model to load, which says nothing of the rest.
        let span = self
            .last
            .zip(self.first)
            .map(|(last, first)| (last - first).as_secs_f64());
        Progress {
            finished: behind.map_or(0, |sink| sink.finished),
            total: behind.and_then(|sink| sink.total),
            failed: self.failures.len() as u64,
            rate: span
                .filter(|span| seen > 1 && *span > 0.0)
                .map(|span| (seen - 1) as f64 / span),
        }
    }

    /// Whether any sink has spoken.
    pub fn is_empty(&self) -> bool {
        self.sinks.is_empty()
    }

    /// Whether every item of every sink has ended; `false` where the number of items is not known.
    pub fn is_complete(&self) -> bool {
        !self.is_empty()
            && self
                .sinks
                .values()
                .all(|sink| sink.total.is_some_and(|total| sink.finished >= total))
    }

    /// Since the run started.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}

impl Default for Tally {
    fn default() -> Self {
        Self::new()
    }
}

impl Progress {
    /// `12 of 30 (40 %), 1 failed, 2.5 s each, 45 s left`
    pub fn line(&self) -> String {
        let share = |total: u64| self.finished * 100 / total.max(1);
        let count = match self.total {
            Some(total) => format!("{} of {total} ({} %)", self.finished, share(total)),
            None => format!("{} items", self.finished),
        };
        let rest = self.rest();
        if rest.is_empty() {
            count
        } else {
            format!("{count}, {rest}")
        }
    }

    /// What stands behind the count.
    pub fn rest(&self) -> String {
        let failed = (self.failed > 0).then(|| format!("{} failed", self.failed));
        let rate = self.rate.map(rate);
        let left = self.left().filter(|left| left.as_secs() > 0);
        let left = left.map(|left| format!("{} left", time(left)));
        [failed, rate, left]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// The time that is left, at the rate so far.
    pub fn left(&self) -> Option<Duration> {
        let remaining = self
            .total?
            .checked_sub(self.finished)
            .filter(|count| *count > 0)?;
        Duration::try_from_secs_f64(remaining as f64 / self.rate?).ok()
    }
}

fn rate(rate: f64) -> String {
    if rate >= 1.0 {
        format!("{rate:.1} a second")
    } else {
        format!("{:.1} s each", 1.0 / rate)
    }
}

/// `850 ms`, `45 s`, `3 min 20 s`, `2 h 5 min`
pub fn time(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0 => format!("{} ms", time.as_millis()),
        1..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> Fields {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    fn item(
        tally: &mut Tally,
        sink: &str,
        item: &str,
        finished: u64,
        error: &str,
        at: Instant,
    ) -> Option<Ended> {
        let status = if error.is_empty() { "done" } else { "failed" };
        let fields = fields(&[
            ("item", item),
            ("status", status),
            ("finished", &finished.to_string()),
            ("total", "4"),
            ("error", error),
        ]);
        tally.take_at(sink, Some(TARGET), Some(&fields), at).1
    }

    #[test]
    fn items_are_counted_and_failures_kept_once() {
        let mut tally = Tally::new();
        let now = Instant::now();
        item(&mut tally, "sink", "a", 1, "", now);
        let ended = item(
            &mut tally,
            "sink",
            "b",
            2,
            "broken",
            now + Duration::from_secs(2),
        )
        .unwrap();
        assert_eq!((ended.item.as_str(), ended.error.as_str()), ("b", "broken"));
        item(
            &mut tally,
            "second",
            "b",
            1,
            "broken",
            now + Duration::from_secs(2),
        );
        assert_eq!(tally.failures, [("b".to_owned(), "broken".to_owned())]);
        assert_eq!(tally.progress().finished, 1, "the second sink is behind");
        assert!(!tally.is_complete());
    }

    #[test]
    fn what_a_sink_says_again_counts_where_it_was_not_said_before() {
        let mut tally = Tally::new();
        let now = Instant::now();
        item(&mut tally, "sink", "a", 3, "broken", now);
        let mut again = |item: &str| {
            let fields = fields(&[
                ("item", item),
                ("status", "failed"),
                ("finished", "4"),
                ("error", "broken"),
                ("again", "true"),
            ]);
            tally.take_at("sink", Some(TARGET), Some(&fields), now).1
        };
        assert_eq!(again("a"), None);
        assert!(again("b").is_some());
        assert_eq!(tally.failures.len(), 2);
        assert!(tally.is_complete());
    }

    #[test]
    fn a_run_is_complete_when_every_sink_has_every_item() {
        let mut tally = Tally::new();
        assert!(!tally.is_complete());
        item(&mut tally, "sink", "d", 4, "", Instant::now());
        assert!(tally.is_complete());
    }

    #[test]
    fn other_records_are_left_alone() {
        let mut tally = Tally::new();
        assert_eq!(
            tally.take(
                "node",
                Some("seggpt_infer"),
                Some(&fields(&[("item", "a")]))
            ),
            (false, None)
        );
        assert_eq!(tally.take("node", Some(TARGET), None), (false, None));
        assert_eq!(
            tally.take(
                "sink",
                Some(TARGET),
                Some(&fields(&[("report", "/o/report.html")]))
            ),
            (true, None)
        );
        assert_eq!(tally.reports, ["/o/report.html"]);
        assert!(tally.is_empty());
    }

    #[test]
    fn the_rate_leaves_out_what_came_before_the_first_item() {
        let mut tally = Tally::new();
        let now = Instant::now() + Duration::from_secs(100);
        item(&mut tally, "sink", "a", 1, "", now);
        assert_eq!(tally.progress().rate, None);
        item(&mut tally, "sink", "b", 2, "", now + Duration::from_secs(5));
        assert_eq!(tally.progress().rate, Some(0.2));
        assert_eq!(tally.progress().left(), Some(Duration::from_secs(10)));
    }

    #[test]
    fn lines_read_well() {
        let mut progress = Progress {
            finished: 12,
            total: Some(30),
            failed: 1,
            rate: Some(0.4),
        };
        assert_eq!(
            progress.line(),
            "12 of 30 (40 %), 1 failed, 2.5 s each, 45 s left"
        );
        progress = Progress {
            finished: 30,
            failed: 0,
            rate: Some(12.34),
            ..progress
        };
        assert_eq!(progress.line(), "30 of 30 (100 %), 12.3 a second");
        progress = Progress {
            finished: 3,
            total: None,
            rate: None,
            ..progress
        };
        assert_eq!(progress.line(), "3 items");
        assert_eq!(
            Progress {
                total: Some(0),
                ..Progress::default()
            }
            .line(),
            "0 of 0 (0 %)"
        );
    }

    #[test]
    fn times_read_well() {
        let shown = [500, 45_000, 200_000, 7_500_000].map(|ms| time(Duration::from_millis(ms)));
        assert_eq!(shown, ["500 ms", "45 s", "3 min 20 s", "2 h 5 min"]);
    }
}
