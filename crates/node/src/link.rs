//! The way round from a source to its sink and back, made lossless: greetings tell a message that is under way from one
//! that was lost.
//!
//! [`Link`] is the bookkeeping alone: it neither sends nor looks at the clock.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::{Duration, Instant},
};

use eyre::{Result, bail};
use seggpt_contract::Greeting;

use crate::window::{Overdue, Window};

/// The `target` of the log record of an item that is lost on the way again although all nodes live: shared memory loses
/// messages without a word where it cannot be mapped.
pub const TARGET: &str = "seggpt::link";

/// Why an item is failed for which [`Step::Refuse`] comes.
pub const CRASHES_NODES: &str =
    "a node died each time that this item alone was under way: see the logs, or leave it out";

/// Between greetings until the first is back.
const HANDSHAKE: Duration = Duration::from_secs(2);
/// How long no greeting comes back before that is said, and before it is an error: nodes answer once their model is loaded.
const SLOW_START: Duration = Duration::from_secs(15);
const NO_START: Duration = Duration::from_secs(300);
/// How long nothing comes back, with items unanswered, before a greeting goes round.
const QUIET: Duration = Duration::from_secs(3);
/// How long a greeting may be under way before another follows it; while a node may be dead, which loses greetings as well.
const NEXT: Duration = Duration::from_secs(30);
const NEXT_IN_DOUBT: Duration = Duration::from_secs(5);
/// Greetings and items take different ways, so that a greeting may overtake an item by a little.
const OVERTAKING: Duration = Duration::from_secs(1);
/// How often an item may be lost, all nodes living.
const MOST_LOSSES: u32 = 2;
/// How often a node may die while this item alone is under way.
const MOST_CRASHES: u32 = 3;
/// Greetings of a process that was started again are told from those of the one before it.
const NUMBERS: u64 = 1 << 32;

/// A [`Window`] whose losses are found by greetings.
#[derive(Debug)]
pub struct Link<T> {
    window: Window<T>,
    began: Option<Instant>,
    open: bool,
    warned: bool,
    number: u64,
    /// Greetings that are not back, and when they were sent.
    under_way: Vec<(u64, Instant)>,
    /// When the greeting that came back was sent, and when to decide by it.
    verdict_due: Option<(Instant, Instant)>,
    heard: Option<Instant>,
    flush: bool,
    losses: BTreeMap<String, u32>,
    again: VecDeque<String>,
    /// What was under way when a node was started again: nothing new is sent until it is through.
    doubt: BTreeSet<String>,
    /// What the node that died may have taken with it.
    excused: BTreeSet<String>,
    /// What the node that died took with it: sent one at a time.
    alone: VecDeque<String>,
    probed: Option<String>,
    /// How often a node died on an item that was alone, and the items that are not tried again.
    crashes: BTreeMap<String, u32>,
    fatal: BTreeSet<String>,
}

/// What is to be done next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step<T> {
    /// Send this greeting.
    Greet(Greeting),
    /// Send the item again; it was lost on the way, or its answer is overdue.
    Resend(T),
    /// As [`Overdue::GiveUp`].
    GiveUp(T),
    /// A node died each time that the item alone was under way: send the news that it failed.
    Refuse(T),
    /// As [`Overdue::Lost`].
    Lost(T),
}

impl<T: Clone> Link<T> {
    /// A way round that has yet to be greeted.
    pub fn new(window: Window<T>) -> Self {
        Self {
            window,
            began: None,
            open: false,
            warned: false,
            number: 0,
            under_way: Vec::new(),
            verdict_due: None,
            heard: None,
            flush: false,
            losses: BTreeMap::new(),
            again: VecDeque::new(),
            doubt: BTreeSet::new(),
            excused: BTreeSet::new(),
            alone: VecDeque::new(),
            probed: None,
            crashes: BTreeMap::new(),
            fatal: BTreeSet::new(),
        }
    }

    /// For a process that was started again so many times: it takes no greeting of its predecessors for its own.
    #[must_use]
    pub fn restarted(self, times: u32) -> Self {
        let number = u64::from(times) * NUMBERS;
        Self { number, ..self }
    }

    /// Whether a new item of so many bytes may be sent; with 0, whether any may.
    pub fn may_send(&self, bytes: u64) -> bool {
        self.open && self.doubt.is_empty() && self.window.has_room(bytes)
    }

    /// Whether everything sent is acknowledged.
    pub fn is_empty(&self) -> bool {
        self.window.is_empty()
    }

    /// As [`Window::sent`].
    pub fn sent(&mut self, item: impl Into<String>, what: T, bytes: u64, now: Instant) {
        if self.window.is_empty() {
            self.heard = Some(now);
        }
        self.window.sent(item, what, bytes, now);
    }

    /// As [`Window::acknowledge`].
    pub fn acknowledge(&mut self, item: &str, now: Instant) -> Option<T> {
        self.heard = Some(now);
        self.losses.remove(item);
        self.doubt.remove(item);
        self.excused.remove(item);
        self.crashes.remove(item);
        self.fatal.remove(item);
        if self.probed.as_deref() == Some(item) {
            self.probed = None;
        }
        self.window.acknowledge(item)
    }

    /// Takes a greeting that came in.
    pub fn greeted(&mut self, greeting: &Greeting, now: Instant) {
        if greeting.died.is_some() {
            return self.doubt_all();
        }
        if let Some(node) = &greeting.restarted {
            tracing::warn!("node `{node}` was started again; what it had taken in is sent again");
            self.flush = true;
            return self.doubt_all();
        }
        self.heard = Some(now);
        self.open = true;
        let sent = self.under_way.iter().find(|(n, _)| *n == greeting.number);
        if let Some((number, sent)) = sent.copied() {
            self.verdict_due = Some((sent, now + OVERTAKING));
            self.under_way.retain(|(n, _)| *n > number);
        }
    }

    /// A node died, and what is under way may have died with it. The node behind it says so, and the next process in its
    /// place as well: no item is alone under way between the two, so that one crash counts once.
    fn doubt_all(&mut self) {
        if let Some(item) = self.probed.take() {
            let crashes = self.crashes.entry(item.clone()).or_default();
            *crashes += 1;
            if *crashes >= MOST_CRASHES {
                self.fatal.insert(item);
            }
        }
        self.alone.clear();
        self.again.clear();
        self.verdict_due = None;
        let items: Vec<_> = self.window.names().map(str::to_owned).collect();
        self.doubt.extend(items.iter().cloned());
        self.excused.extend(items);
    }

    /// The next thing to do; `None` when nothing is due.
    ///
    /// # Errors
    /// No greeting came back at the start; an item was lost again though all nodes live.
    pub fn step(&mut self, now: Instant) -> Result<Option<Step<T>>> {
        if !self.open {
            return self.handshake(now);
        }
        self.check_losses(now)?;
        if let Some((item, what)) = self.lost_one(now) {
            return Ok(Some(match self.fatal.contains(&item) {
                true => Step::Refuse(what),
                false => Step::Resend(what),
            }));
        }
        if self.flush || self.is_quiet(now) {
            self.flush = false;
            return Ok(Some(self.greet(now)));
        }
        Ok(self.window.overdue(now).map(|overdue| match overdue {
            Overdue::Resend(what) => Step::Resend(what),
            Overdue::GiveUp(what) => Step::GiveUp(what),
            Overdue::Lost(what) => Step::Lost(what),
        }))
    }

    fn handshake(&mut self, now: Instant) -> Result<Option<Step<T>>> {
        let waited = now - *self.began.get_or_insert(now);
        if waited >= NO_START {
            bail!(
                "no answer on the way round: a node between here and the sink does not pass messages on or does not run (docs/lossless.md)"
            );
        }
        if waited >= SLOW_START && !self.warned {
            self.warned = true;
            tracing::warn!(
                "no answer on the way round yet; work is sent when every node between here and the sink answers"
            );
        }
        let last = self.under_way.last();
        if last.is_some_and(|(_, sent)| now < *sent + HANDSHAKE) {
            return Ok(None);
        }
        Ok(Some(self.greet(now)))
    }

    fn greet(&mut self, now: Instant) -> Step<T> {
        self.number += 1;
        self.under_way.push((self.number, now));
        Step::Greet(Greeting {
            number: self.number,
            ..Greeting::default()
        })
    }

    fn is_quiet(&self, now: Instant) -> bool {
        let recent = |since: Instant, span| now < since + span;
        let next = match self.doubt.is_empty() {
            true => NEXT,
            false => NEXT_IN_DOUBT,
        };
        !self.window.is_empty()
            && self.verdict_due.is_none()
            && !self.heard.is_some_and(|heard| recent(heard, QUIET))
            && !(self.under_way.last()).is_some_and(|(_, sent)| recent(*sent, next))
    }

    /// What was sent before the greeting that is back, and has no answer, was lost.
    fn check_losses(&mut self, now: Instant) -> Result<()> {
        let Some((sent, _)) = self.verdict_due.take_if(|(_, when)| *when <= now) else {
            return Ok(());
        };
        // What a dead node may have taken along is sent again one at a time, so that a message twice does no harm.
        for item in self.window.sent_before(sent) {
            if self.excused.remove(&item) {
                self.alone.push_back(item);
            }
        }
        for item in self.window.sent_before(sent - OVERTAKING) {
            if self.alone.contains(&item) || self.again.contains(&item) {
                continue;
            }
            let losses = self.losses.entry(item.clone()).or_default();
            *losses += 1;
            if *losses >= MOST_LOSSES {
                tracing::error!(target: TARGET, item, "{item}: lost on the way again");
                bail!("messages are lost in shared memory");
            }
            self.again.push_back(item);
        }
        Ok(())
    }

    fn lost_one(&mut self, now: Instant) -> Option<(String, T)> {
        while let Some(item) = self.again.pop_front() {
            if let Some(what) = self.window.again(&item, now) {
                return Some((item, what));
            }
        }
        while self.probed.is_none() {
            let item = self.alone.pop_front()?;
            if let Some(what) = self.window.again(&item, now) {
                self.probed = Some(item.clone());
                return Some((item, what));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// An open link with `a` and `b` under way since second 1.
    fn link() -> (Link<char>, impl Fn(u64) -> Instant) {
        let start = Instant::now();
        let at = move |s| start + Duration::from_secs(s);
        let mut link = Link::new(Window::new(2, Duration::from_secs(600), 3));
        assert!(!link.may_send(1));
        assert_eq!(greeting(link.step(at(0)).unwrap()), 1);
        link.greeted(&back(1), at(0));
        assert!(link.may_send(1));
        link.sent("a", 'a', 1, at(1));
        link.sent("b", 'b', 1, at(1));
        assert_eq!(link.step(at(2)).unwrap(), None);
        (link, at)
    }

    fn back(number: u64) -> Greeting {
        Greeting {
            number,
            ..Greeting::default()
        }
    }

    fn greeting(step: Option<Step<char>>) -> u64 {
        match step {
            Some(Step::Greet(greeting)) => greeting.number,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn it_sends_handshakes_every_two_seconds_and_ends_after_a_minute() {
        let start = Instant::now();
        let mut link: Link<char> = Link::new(Window::new(1, Duration::from_secs(600), 3));
        let steps: Vec<_> = (0..300)
            .filter_map(|s| link.step(start + Duration::from_secs(s)).unwrap())
            .collect();
        assert_eq!(steps.len(), 150);
        let error = link.step(start + Duration::from_secs(300)).unwrap_err();
        assert!(error.to_string().starts_with("no answer on the way round"));
    }

    #[test]
    fn an_item_without_answer_behind_a_greeting_that_is_back_was_lost() {
        let (mut link, at) = link();
        link.acknowledge("a", at(3));
        assert_eq!(link.step(at(5)).unwrap(), None);
        assert_eq!(greeting(link.step(at(6)).unwrap()), 2);
        link.greeted(&back(2), at(7));
        assert_eq!(link.step(at(7)).unwrap(), None);
        assert_eq!(link.step(at(8)).unwrap(), Some(Step::Resend('b')));
        assert_eq!(link.step(at(8)).unwrap(), None);
        assert_eq!(greeting(link.step(at(11)).unwrap()), 3);
        link.greeted(&back(3), at(12));
        let error = link.step(at(13)).unwrap_err();
        assert_eq!(error.to_string(), "messages are lost in shared memory");
    }

    #[test]
    fn a_slow_item_is_not_sent_again_while_its_greeting_is_under_way() {
        let (mut link, at) = link();
        assert_eq!(greeting(link.step(at(4)).unwrap()), 2);
        assert_eq!(link.step(at(30)).unwrap(), None);
        assert_eq!(greeting(link.step(at(34)).unwrap()), 3);
        link.acknowledge("a", at(35));
        link.acknowledge("b", at(36));
        link.greeted(&back(2), at(36));
        assert_eq!(link.step(at(40)).unwrap(), None);
    }

    #[test]
    fn what_a_dead_node_took_along_is_sent_one_at_a_time_and_nothing_new_meanwhile() {
        let (mut link, at) = link();
        let restarted = Greeting {
            restarted: Some("infer".into()),
            ..Greeting::default()
        };
        for second in [3, 23] {
            link.greeted(&restarted, at(second));
            let number = greeting(link.step(at(second)).unwrap());
            link.greeted(&back(number), at(second + 1));
            let first = link.step(at(second + 2)).unwrap();
            assert!(matches!(first, Some(Step::Resend(_))));
            assert_eq!(link.step(at(second + 3)).unwrap(), None);
            assert!(!link.may_send(1));
        }
        let first = link.probed.clone().unwrap();
        link.acknowledge(&first, at(30));
        assert!(!link.may_send(1));
        assert!(matches!(link.step(at(30)).unwrap(), Some(Step::Resend(_))));
        let second = link.probed.clone().unwrap();
        assert_ne!(first, second);
        link.acknowledge(&second, at(31));
        assert!(link.may_send(1));
    }

    #[test]
    fn an_item_that_nodes_die_on_three_times_alone_is_refused_and_its_neighbours_get_through() {
        let (mut link, at) = link();
        let restarted = Greeting {
            restarted: Some("camera".into()),
            ..Greeting::default()
        };
        let (mut second, mut sent) = (2, Vec::new());
        let mut greeted = |link: &mut Link<char>| {
            // Who is behind it says so too, which is no second crash.
            let died = Greeting {
                died: Some("camera".into()),
                ..Greeting::default()
            };
            link.greeted(&died, at(second));
            link.greeted(&restarted, at(second));
            let number = greeting(link.step(at(second)).unwrap());
            link.greeted(&back(number), at(second + 1));
            let step = link.step(at(second + 2)).unwrap();
            second += 10;
            step
        };
        for _ in 0..4 {
            let step = greeted(&mut link);
            sent.push(step);
        }
        let alone = Some(Step::Resend('a'));
        assert_eq!(sent[..3], [alone.clone(), alone.clone(), alone]);
        assert_eq!(sent[3], Some(Step::Refuse('a')));
        link.acknowledge("a", at(40));
        assert_eq!(link.step(at(40)).unwrap(), Some(Step::Resend('b')));
        link.acknowledge("b", at(41));
        assert!(link.may_send(0));
    }

    #[test]
    fn a_process_that_was_started_again_does_not_take_greetings_of_its_predecessor_for_its_own() {
        let (_, at) = link();
        let window = Window::new(2, Duration::from_secs(600), 3);
        let mut second: Link<char> = Link::new(window).restarted(1);
        let own = greeting(second.step(at(0)).unwrap());
        assert!(own > 1 << 32);
        second.greeted(&back(own), at(1));
        second.sent("a", 'a', 1, at(2));
        second.greeted(&back(3), at(4));
        assert_eq!(
            second.step(at(5)).unwrap(),
            None,
            "nothing is decided by it"
        );
    }
}
