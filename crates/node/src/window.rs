//! The lossless window: dora drops messages without a word, so a batch source keeps what it sent until the sink
//! acknowledges it, and sends it again where no acknowledgement comes.
//!
//! [`Window`] is the bookkeeping alone: it neither sends nor looks at the clock.
//!
//! An item that waits far longer than those before it is sent once more ahead of time: a node that died and was
//! started again has forgotten it, and a second copy costs little.

use std::time::{Duration, Instant};

/// The items that were sent and not yet acknowledged, each with what is needed to send it again.
#[derive(Debug)]
pub struct Window<T> {
    size: usize,
    patience: Duration,
    max_tries: u32,
    slowest: Option<Duration>,
    pending: Vec<Pending<T>>,
}

/// How many times longer than the slowest acknowledged item one waits before it is sent ahead of time.
const MUCH_LONGER: u32 = 10;
/// And at least this long.
const A_WHILE: Duration = Duration::from_secs(15);

#[derive(Debug)]
struct Pending<T> {
    item: String,
    what: T,
    tries: u32,
    since: Instant,
    ahead: bool,
}

/// What is to be done about an item whose acknowledgement is overdue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Overdue<T> {
    /// Send it again.
    Resend(T),
    /// All tries are spent: send the news that it failed. This too waits for an acknowledgement.
    GiveUp(T),
    /// Not even that was acknowledged: the item is lost, and no longer in the window.
    Lost(T),
}

impl<T: Clone> Window<T> {
    /// `size`: the most items that wait at a time. `patience`: how long an item waits before it is sent again.
    /// `max_tries`: how often an item is sent before it is given up, the first time included.
    pub fn new(size: usize, patience: Duration, max_tries: u32) -> Self {
        Self {
            size,
            patience,
            max_tries,
            slowest: None,
            pending: Vec::new(),
        }
    }

    /// Whether another item may be sent.
    pub fn has_room(&self) -> bool {
        self.pending.len() < self.size
    }

    /// How many items wait.
    pub fn len(&self) -> usize {
        self.pending.len()
    }

    /// Whether everything sent is acknowledged.
    pub fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// Remembers an item that was sent for the first time.
    pub fn sent(&mut self, item: impl Into<String>, what: T, now: Instant) {
        self.pending.push(Pending {
            item: item.into(),
            what,
            tries: 1,
            since: now,
            ahead: false,
        });
    }

    /// Takes an acknowledged item out; `None` for one that does not wait (it was sent twice, and both arrived).
    pub fn acknowledge(&mut self, item: &str, now: Instant) -> Option<T> {
        let at = self.pending.iter().position(|p| p.item == item)?;
        let done = self.pending.remove(at);
        self.slowest = self.slowest.max(Some(now - done.since));
        Some(done.what)
    }

    /// The next item that has waited long enough, longest overdue first. Its waiting starts anew.
    pub fn overdue(&mut self, now: Instant) -> Option<Overdue<T>> {
        let (at, due) = self.first_due()?;
        if due > now {
            return None;
        }
        let ahead = due < self.pending[at].since + self.patience;
        let late = &mut self.pending[at];
        late.since = now;
        late.ahead |= ahead;
        late.tries += u32::from(!ahead);
        let (tries, what) = (late.tries, late.what.clone());
        Some(if tries <= self.max_tries {
            Overdue::Resend(what)
        } else if tries == self.max_tries + 1 {
            Overdue::GiveUp(what)
        } else {
            self.pending.remove(at);
            Overdue::Lost(what)
        })
    }

    /// When [`overdue`](Self::overdue) will next have something; `None` while nothing waits.
    pub fn due(&self) -> Option<Instant> {
        self.first_due().map(|(_, due)| due)
    }

    fn first_due(&self) -> Option<(usize, Instant)> {
        let usual = self
            .slowest
            .map(|slowest| (slowest * MUCH_LONGER).max(A_WHILE));
        let dues = self.pending.iter().map(|p| {
            let early = usual.filter(|_| !p.ahead && p.tries == 1);
            p.since + early.map_or(self.patience, |usual| usual.min(self.patience))
        });
        dues.enumerate().min_by_key(|(_, due)| *due)
    }

    /// The items that wait, in the order of their first sending.
    pub fn items(&self) -> impl Iterator<Item = &T> {
        self.pending.iter().map(|p| &p.what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    fn window() -> (Window<char>, impl Fn(u64) -> Instant) {
        let start = Instant::now();
        (Window::new(2, PATIENCE, 3), move |s| {
            start + Duration::from_secs(s)
        })
    }

    #[test]
    fn it_has_room_until_full_and_again_after_an_acknowledgement() {
        let (mut window, at) = window();
        window.sent("a", 'a', at(0));
        assert!(window.has_room());
        window.sent("b", 'b', at(0));
        assert!(!window.has_room());
        assert_eq!(window.acknowledge("b", at(1)), Some('b'));
        assert!(window.has_room());
        assert_eq!(window.items().collect::<Vec<_>>(), [&'a']);
    }

    #[test]
    fn a_second_acknowledgement_and_one_of_a_stranger_change_nothing() {
        let (mut window, at) = window();
        window.sent("a", 'a', at(0));
        assert_eq!(window.acknowledge("a", at(1)), Some('a'));
        assert_eq!(window.acknowledge("a", at(1)), None);
        assert_eq!(window.acknowledge("x", at(1)), None);
        assert!(window.is_empty());
    }

    #[test]
    fn nothing_is_overdue_before_its_time() {
        let (mut window, at) = window();
        assert_eq!(window.due(), None);
        window.sent("a", 'a', at(1));
        assert_eq!(window.due(), Some(at(11)));
        assert_eq!(window.overdue(at(10)), None);
        assert_eq!(window.overdue(at(11)), Some(Overdue::Resend('a')));
        assert_eq!(window.overdue(at(11)), None);
    }

    #[test]
    fn an_item_that_nobody_acknowledges_is_sent_three_times_given_up_once_and_lost() {
        let (mut window, at) = window();
        window.sent("a", 'a', at(0));
        let fate: Vec<_> = (1..=50).filter_map(|s| window.overdue(at(s))).collect();
        assert_eq!(
            fate,
            [
                Overdue::Resend('a'),
                Overdue::Resend('a'),
                Overdue::GiveUp('a'),
                Overdue::Lost('a')
            ]
        );
        assert!(window.is_empty());
    }

    #[test]
    fn an_acknowledged_failure_is_not_lost() {
        let (mut window, at) = window();
        window.sent("a", 'a', at(0));
        while window.overdue(at(100)) != Some(Overdue::GiveUp('a')) {
            window.pending[0].since = at(0);
        }
        assert_eq!(window.acknowledge("a", at(100)), Some('a'));
        assert_eq!(window.overdue(at(1000)), None);
    }

    #[test]
    fn the_longest_overdue_comes_first() {
        let (mut window, at) = window();
        window.sent("a", 'a', at(3));
        window.sent("b", 'b', at(0));
        assert_eq!(window.overdue(at(20)), Some(Overdue::Resend('b')));
        assert_eq!(window.overdue(at(20)), Some(Overdue::Resend('a')));
        assert_eq!(window.overdue(at(20)), None);
    }

    #[test]
    fn an_item_much_slower_than_the_others_is_sent_ahead_of_time_once_and_not_counted() {
        let (_, at) = window();
        let mut window = Window::new(2, Duration::from_secs(600), 3);
        window.sent("a", 'a', at(0));
        window.acknowledge("a", at(2));
        window.sent("b", 'b', at(10));
        assert_eq!(window.overdue(at(29)), None);
        assert_eq!(window.overdue(at(30)), Some(Overdue::Resend('b')));
        let fate: Vec<_> = (31..=4000)
            .filter_map(|s| Some((s, window.overdue(at(s))?)))
            .collect();
        assert_eq!(
            fate,
            [
                (630, Overdue::Resend('b')),
                (1230, Overdue::Resend('b')),
                (1830, Overdue::GiveUp('b')),
                (2430, Overdue::Lost('b'))
            ]
        );
    }

    /// A sink that forgets two of three messages and a source that always fills its window.
    #[test]
    fn everything_gets_through_an_edge_that_loses_most() {
        let (_, at) = window();
        let mut window = Window::new(4, PATIENCE, 100);
        let (mut arrived, mut tosses) = (std::collections::BTreeSet::new(), 0_u32);
        let mut next = 0;
        for second in 0..10_000 {
            let mut send = |n: u32, window: &mut Window<u32>| {
                tosses += 1;
                if tosses.wrapping_mul(2_654_435_761) % 3 == 0 {
                    arrived.insert(n);
                    window.acknowledge(&n.to_string(), at(second));
                }
            };
            while window.has_room() && next < 100 {
                window.sent(next.to_string(), next, at(second));
                send(next, &mut window);
                next += 1;
            }
            while let Some(overdue) = window.overdue(at(second)) {
                match overdue {
                    Overdue::Resend(n) => send(n, &mut window),
                    other => panic!("{other:?}"),
                }
            }
        }
        assert_eq!(arrived.len(), 100);
        assert!(window.is_empty());
    }
}
