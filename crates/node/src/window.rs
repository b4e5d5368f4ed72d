//! The lossless window: dora drops messages without a word, so a batch source keeps what it sent until the sink
//! acknowledges it, and sends it again where no acknowledgement comes.
//!
//! [`Window`] is the bookkeeping alone: it neither sends nor looks at the clock.

use std::time::{Duration, Instant};

/// The items that were sent and not yet acknowledged, each with what is needed to send it again.
#[derive(Debug)]
pub struct Window<T> {
    size: usize,
    most_bytes: u64,
    timeout: Duration,
    max_tries: u32,
    pending: Vec<Pending<T>>,
}

#[derive(Debug)]
struct Pending<T> {
    item: String,
    what: T,
    bytes: u64,
    tries: u32,
    since: Instant,
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
    /// `size`: the most items that wait at a time. `timeout`: how long an item waits before it is sent again.
    /// `max_tries`: how often an item is sent before it is given up, the first time included.
    pub fn new(size: usize, timeout: Duration, max_tries: u32) -> Self {
        Self {
            size,
            most_bytes: u64::MAX,
            timeout,
            max_tries,
            pending: Vec::new(),
        }
    }

    /// The items that wait have no more than `bytes` together; one that is larger by itself waits alone.
    #[must_use]
    pub fn within(self, bytes: u64) -> Self {
        Self {
            most_bytes: bytes,
            ..self
        }
    }

    /// Whether another item of so many bytes may be sent; with 0, whether any may.
    pub fn has_room(&self, bytes: u64) -> bool {
        let waiting: u64 = self.pending.iter().map(|p| p.bytes).sum();
        self.pending.is_empty()
            || self.pending.len() < self.size && waiting.saturating_add(bytes) <= self.most_bytes
    }

    /// How many items wait.
    pub fn len(&self) -> usize {
        self.pending.len()
    }

    /// Whether everything sent is acknowledged.
    pub fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// Remembers an item that was sent for the first time, and the `bytes` that it takes.
    pub fn sent(&mut self, item: impl Into<String>, what: T, bytes: u64, now: Instant) {
        self.pending.push(Pending {
            item: item.into(),
            what,
            bytes,
            tries: 1,
            since: now,
        });
    }

    /// Takes an acknowledged item out; `None` for one that does not wait (it was sent twice, and both arrived).
    pub fn acknowledge(&mut self, item: &str) -> Option<T> {
        let at = self.pending.iter().position(|p| p.item == item)?;
        Some(self.pending.remove(at).what)
    }

    /// The next item that has waited long enough, longest overdue first. Its waiting starts anew.
    pub fn overdue(&mut self, now: Instant) -> Option<Overdue<T>> {
        let waiting = self.pending.iter().enumerate();
        let (at, late) = waiting.min_by_key(|(_, p)| p.since)?;
        if late.since + self.timeout > now {
            return None;
        }
        let late = &mut self.pending[at];
        late.since = now;
        late.tries += 1;
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

    /// The names of the items that were last sent before `then`, or at it.
    pub(crate) fn sent_before(&self, then: Instant) -> Vec<String> {
        let before = self.pending.iter().filter(|p| p.since <= then);
        before.map(|p| p.item.clone()).collect()
    }

    /// The item, to be sent again at once. That is no try.
    pub(crate) fn again(&mut self, item: &str, now: Instant) -> Option<T> {
        let lost = self.pending.iter_mut().find(|p| p.item == item)?;
        lost.since = now;
        Some(lost.what.clone())
    }

    /// The names of the items that wait.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.pending.iter().map(|p| p.item.as_str())
    }

    /// The items that wait, in the order of their first sending.
    pub fn items(&self) -> impl Iterator<Item = &T> {
        self.pending.iter().map(|p| &p.what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(10);

    fn window() -> (Window<char>, impl Fn(u64) -> Instant) {
        let start = Instant::now();
        (Window::new(2, TIMEOUT, 3), move |s| {
            start + Duration::from_secs(s)
        })
    }

    #[test]
    fn it_has_room_until_full_and_again_after_an_acknowledgement() {
        let (mut window, at) = window();
        window.sent("a", 'a', 1, at(0));
        assert!(window.has_room(1));
        window.sent("b", 'b', 1, at(0));
        assert!(!window.has_room(1));
        assert_eq!(window.acknowledge("b"), Some('b'));
        assert!(window.has_room(1));
        assert_eq!(window.items().collect::<Vec<_>>(), [&'a']);
    }

    #[test]
    fn bytes_count_as_well_as_items_and_what_is_larger_than_the_window_goes_alone() {
        let (window, at) = window();
        let mut window = window.within(10);
        assert!(window.has_room(99));
        window.sent("a", 'a', 99, at(0));
        assert!(!window.has_room(0));
        window.acknowledge("a");
        window.sent("b", 'b', 6, at(0));
        assert!(window.has_room(4) && !window.has_room(5));
        window.sent("c", 'c', 4, at(0));
        assert!(!window.has_room(0), "two items are the window");
    }

    #[test]
    fn a_second_acknowledgement_and_one_of_a_stranger_change_nothing() {
        let (mut window, at) = window();
        window.sent("a", 'a', 1, at(0));
        assert_eq!(window.acknowledge("a"), Some('a'));
        assert_eq!(window.acknowledge("a"), None);
        assert_eq!(window.acknowledge("x"), None);
        assert!(window.is_empty());
    }

    #[test]
    fn nothing_is_overdue_before_its_time() {
        let (mut window, at) = window();
        window.sent("a", 'a', 1, at(1));
        assert_eq!(window.overdue(at(10)), None);
        assert_eq!(window.overdue(at(11)), Some(Overdue::Resend('a')));
        assert_eq!(window.overdue(at(11)), None);
    }

    #[test]
    fn an_item_that_nobody_acknowledges_is_sent_three_times_given_up_once_and_lost() {
        let (mut window, at) = window();
        window.sent("a", 'a', 1, at(0));
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
        window.sent("a", 'a', 1, at(0));
        while window.overdue(at(100)) != Some(Overdue::GiveUp('a')) {
            window.pending[0].since = at(0);
        }
        assert_eq!(window.acknowledge("a"), Some('a'));
        assert_eq!(window.overdue(at(1000)), None);
    }

    #[test]
    fn the_longest_overdue_comes_first() {
        let (mut window, at) = window();
        window.sent("a", 'a', 1, at(3));
        window.sent("b", 'b', 1, at(0));
        assert_eq!(window.overdue(at(20)), Some(Overdue::Resend('b')));
        assert_eq!(window.overdue(at(20)), Some(Overdue::Resend('a')));
        assert_eq!(window.overdue(at(20)), None);
    }

    /// A sink that forgets two of three messages and a source that always fills its window.
    #[test]
    fn everything_gets_through_an_edge_that_loses_most() {
        let (_, at) = window();
        let mut window = Window::new(4, TIMEOUT, 100);
        let (mut arrived, mut tosses) = (std::collections::BTreeSet::new(), 0_u32);
        let mut next = 0;
        for second in 0..10_000 {
            let mut send = |n: u32, window: &mut Window<u32>| {
                tosses += 1;
                if tosses.wrapping_mul(2_654_435_761) % 3 == 0 {
                    arrived.insert(n);
                    window.acknowledge(&n.to_string());
                }
            };
            while window.has_room(1) && next < 100 {
                window.sent(next.to_string(), next, 1, at(second));
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
