//! Masks and pictures come on two edges, in either order, some of them twice: they are joined here.

use std::collections::VecDeque;

/// What came on one edge and waits for its counterpart, oldest first.
#[derive(Debug)]
struct Waiting<T> {
    limit: usize,
    queue: VecDeque<(String, T)>,
}

impl<T> Waiting<T> {
    fn take(&mut self, item: &str) -> Option<T> {
        let at = self.queue.iter().position(|(waiting, _)| waiting == item)?;
        self.queue.remove(at).map(|(_, what)| what)
    }

    /// Replaces what waits for the same item. Returns what has to give way.
    fn put(&mut self, item: &str, what: T) -> Option<T> {
        self.take(item);
        self.queue.push_back((item.to_owned(), what));
        (self.queue.len() > self.limit)
            .then(|| self.queue.pop_front())?
            .map(|(_, what)| what)
    }
}

/// Joins masks `M` and pictures `P` by item.
#[derive(Debug)]
pub struct Join<M, P> {
    masks: Waiting<M>,
    pictures: Waiting<P>,
}

/// What the arrival of a mask or picture makes complete.
pub type Joined<M, P> = Option<(M, Option<P>)>;

impl<M, P> Join<M, P> {
    /// `limit`: how many of each may wait.
    pub fn new(limit: usize) -> Self {
        let limit = limit.max(1);
        Self {
            masks: Waiting {
                limit,
                queue: VecDeque::new(),
            },
            pictures: Waiting {
                limit,
                queue: VecDeque::new(),
            },
        }
    }

    /// A mask came: it is joined with its picture, or waits. When too many wait, the oldest goes without a picture.
    pub fn mask(&mut self, item: &str, mask: M) -> Joined<M, P> {
        match self.pictures.take(item) {
            Some(picture) => {
                self.masks.take(item);
                Some((mask, Some(picture)))
            }
            None => self.masks.put(item, mask).map(|oldest| (oldest, None)),
        }
    }

    /// A picture came: it is joined with its mask, or waits. When too many wait, the oldest is dropped.
    pub fn picture(&mut self, item: &str, picture: P) -> Joined<M, P> {
        match self.masks.take(item) {
            Some(mask) => Some((mask, Some(picture))),
            None => {
                self.pictures.put(item, picture);
                None
            }
        }
    }

    /// Forgets whatever waits of an item.
    pub fn forget(&mut self, item: &str) {
        self.masks.take(item);
        self.pictures.take(item);
    }

    /// The oldest mask that still waits, without its picture.
    pub fn pop(&mut self) -> Joined<M, P> {
        self.masks.queue.pop_front().map(|(_, mask)| (mask, None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn join(limit: usize) -> Join<u8, char> {
        Join::new(limit)
    }

    #[test]
    fn a_mask_and_its_picture_are_joined_in_either_order() {
        let mut join = join(4);
        assert_eq!(join.mask("a", 1), None);
        assert_eq!(join.picture("b", 'b'), None);
        assert_eq!(join.picture("a", 'a'), Some((1, Some('a'))));
        assert_eq!(join.mask("b", 2), Some((2, Some('b'))));
        assert_eq!(join.pop(), None);
    }

    #[test]
    fn a_resent_message_replaces_the_first() {
        let mut join = join(4);
        assert_eq!(join.mask("a", 1), None);
        assert_eq!(join.mask("a", 2), None);
        assert_eq!(join.picture("a", 'a'), Some((2, Some('a'))));
        assert_eq!(join.picture("a", 'a'), None);
        assert_eq!(join.pop(), None);
    }

    #[test]
    fn when_too_many_wait_the_oldest_mask_goes_without_picture_and_the_oldest_picture_goes() {
        let mut join = join(2);
        assert_eq!((join.mask("a", 1), join.mask("b", 2)), (None, None));
        assert_eq!(join.mask("c", 3), Some((1, None)));
        for item in ["x", "y", "z"] {
            assert_eq!(join.picture(item, 'p'), None);
        }
        assert_eq!(join.mask("x", 4), Some((2, None)));
        assert_eq!(join.mask("y", 5), Some((5, Some('p'))));
    }

    #[test]
    fn masks_without_a_picture_are_left_over_in_order() {
        let mut join = join(4);
        for (item, mask) in [("a", 1), ("b", 2), ("c", 3)] {
            join.mask(item, mask);
        }
        join.forget("b");
        assert_eq!(
            [join.pop(), join.pop(), join.pop()],
            [Some((1, None)), Some((3, None)), None]
        );
    }
}
