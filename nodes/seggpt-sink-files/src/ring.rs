//! Of an endless run, the last items stay.

use std::collections::VecDeque;

/// The items that are kept, oldest first.
#[derive(Debug)]
pub struct Ring {
    keep: usize,
    order: VecDeque<String>,
}

impl Ring {
    /// `keep`: how many stay; `earlier`: those that are there, oldest first.
    pub fn new(keep: usize, earlier: impl IntoIterator<Item = String>) -> Self {
        let order = earlier.into_iter().collect();
        Self { keep, order }
    }

    /// Another item is there. Returns those that have to go.
    pub fn add(&mut self, item: &str) -> Vec<String> {
        self.order.retain(|known| known != item);
        self.order.push_back(item.to_owned());
        let surplus = self.order.len().saturating_sub(self.keep);
        self.order.drain(..surplus).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_goes_when_another_comes_and_one_that_comes_again_is_the_last() {
        let mut ring = Ring::new(2, ["a".to_owned(), "b".to_owned()]);
        assert!(ring.add("a").is_empty());
        assert_eq!(ring.add("c"), ["b"]);
        assert_eq!(ring.add("d"), ["a"]);
        let mut smaller = Ring::new(1, ["a".to_owned(), "b".to_owned()]);
        assert_eq!(smaller.add("c"), ["a", "b"]);
    }
}
