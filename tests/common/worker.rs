//! A thread that works with an allocator.

use std::alloc::{GlobalAlloc, Layout};

use super::{Block, Random, layout};

/// What a thread does with a locked allocator, and the blocks that it has.
pub struct Worker<'a, G> {
    heap: &'a G,
    pub random: Random,
    pub blocks: Vec<Block>,
    tags: u32,
}

impl<'a, G: GlobalAlloc> Worker<'a, G> {
    pub fn new(heap: &'a G, number: usize) -> Self {
        Self {
            heap,
            random: Random::new(number as u64),
            blocks: Vec::new(),
            tags: number as u32 * 37,
        }
    }

    /// One random operation.
    pub fn act(&mut self) {
        match self.random.below(8) {
            0..3 => {
                let layout = layout(self.random.size(4096), 1 << self.random.below(8));
                self.alloc(layout);
            }
            3..5 if !self.blocks.is_empty() => {
                let index = self.random.below(self.blocks.len());
                let size = self.random.size(8192);
                self.realloc(index, size);
            }
            _ if !self.blocks.is_empty() => {
                let index = self.random.below(self.blocks.len());
                self.dealloc(index);
            }
            _ => {}
        }
    }

    /// Allocates, and gives whether there was memory.
    pub fn alloc(&mut self, layout: Layout) -> bool {
        // SAFETY: no layout here has a size of zero.
        let at = unsafe { self.heap.alloc(layout) };
        if at.is_null() {
            return false;
        }
        assert_eq!(at.addr() % layout.align(), 0, "{layout:?} at {at:p}");
        self.keep(at, layout);
        true
    }

    fn realloc(&mut self, index: usize, size: usize) {
        let old = self.blocks[index];
        assert!(old.is_intact(), "{old:?}");
        // SAFETY: the block is live, and replaced by what comes of it.
        let at = unsafe { self.heap.realloc(old.at, old.layout, size) };
        if at.is_null() {
            assert!(old.is_intact(), "{old:?}");
            return;
        }
        let moved = old.moved(at, size);
        assert!(
            moved.begins_intact(size.min(old.layout.size())),
            "{old:?} to {moved:?}"
        );
        self.blocks.swap_remove(index);
        self.keep(at, moved.layout);
    }

    fn dealloc(&mut self, index: usize) {
        let block = self.blocks.swap_remove(index);
        assert!(block.is_intact(), "{block:?}");
        // SAFETY: the block is live, and forgotten from now on.
        unsafe { self.heap.dealloc(block.at, block.layout) };
    }

    pub fn dealloc_all(&mut self) {
        while let Some(last) = self.blocks.len().checked_sub(1) {
            self.dealloc(last);
        }
    }

    fn keep(&mut self, at: *mut u8, layout: Layout) {
        self.tags += 1;
        // SAFETY: the allocator has just given out the block.
        self.blocks
            .push(unsafe { Block::fill(at, layout, self.tags) });
    }
}
