//! Blocks that were unpacked and are soon needed again.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

/// Unpacked blocks, as many as fit into so many bytes; the one that was unused the longest goes first.
#[derive(Debug)]
pub struct Cache {
    most: u64,
    held: u64,
    clock: u64,
    /// By where the block begins in the file.
    blocks: HashMap<u64, (u64, Arc<Vec<u8>>)>,
    /// Uses, oldest first; those that are not a block's last say nothing.
    uses: VecDeque<(u64, u64)>,
}

impl Cache {
    /// Holds up to so many bytes; 0: nothing.
    #[must_use]
    pub fn new(most: u64) -> Self {
        Self {
            most,
            held: 0,
            clock: 0,
            blocks: HashMap::new(),
            uses: VecDeque::new(),
        }
    }

    pub(crate) fn get(&mut self, offset: u64) -> Option<Arc<Vec<u8>>> {
        let (used, block) = self.blocks.get_mut(&offset)?;
        self.clock += 1;
        *used = self.clock;
        self.uses.push_back((self.clock, offset));
        let block = Arc::clone(block);
        self.forget_old_uses();
        Some(block)
    }

    pub(crate) fn put(&mut self, offset: u64, block: &Arc<Vec<u8>>) {
        let size = block.len() as u64;
        if size > self.most {
            return;
        }
        self.clock += 1;
        if let Some((_, old)) = self.blocks.insert(offset, (self.clock, Arc::clone(block))) {
            self.held -= old.len() as u64;
        }
        self.uses.push_back((self.clock, offset));
        self.held += size;
        while self.held > self.most {
            let Some((at, offset)) = self.uses.pop_front() else {
                break;
            };
            if self
                .blocks
                .get(&offset)
                .is_some_and(|(used, _)| *used == at)
                && let Some((_, block)) = self.blocks.remove(&offset)
            {
                self.held -= block.len() as u64;
            }
        }
    }

    /// Keeps the list of uses in proportion to the blocks.
    fn forget_old_uses(&mut self) {
        if self.uses.len() > 64 + 8 * self.blocks.len() {
            let blocks = &self.blocks;
            self.uses
                .retain(|(at, offset)| blocks.get(offset).is_some_and(|(used, _)| used == at));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(size: usize) -> Arc<Vec<u8>> {
        Arc::new(vec![1; size])
    }

    #[test]
    fn the_block_that_was_unused_the_longest_goes_first() {
        let mut cache = Cache::new(10);
        for offset in [1, 2, 3] {
            cache.put(offset, &block(3));
        }
        assert!(cache.get(1).is_some());
        cache.put(4, &block(3));
        assert!(cache.get(2).is_none());
        assert!([1, 3, 4].iter().all(|at| cache.get(*at).is_some()));
        for _ in 0..1000 {
            cache.get(1);
        }
        assert!(cache.uses.len() < 100);
        cache.put(5, &block(10));
        assert!(cache.get(1).is_none() && cache.get(5).is_some());
        cache.put(6, &block(11));
        assert!(cache.get(6).is_none() && cache.get(5).is_some());
    }
}
