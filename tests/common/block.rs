//! A live block, and what it holds.

use std::{alloc::Layout, ops::Range};

use super::{footprint, pattern};

/// A block that an allocator gave out, full of noise.
#[derive(Clone, Copy, Debug)]
pub struct Block {
    pub at: *mut u8,
    pub layout: Layout,
    tag: u32,
}

// SAFETY: whoever has a block is the only one to use it.
unsafe impl Send for Block {}

impl Block {
    /// A new block, filled with the noise of this tag.
    ///
    /// # Safety
    ///
    /// The block is live, of this layout, and used through this alone.
    pub unsafe fn fill(at: *mut u8, layout: Layout, tag: u32) -> Self {
        // SAFETY: the caller's promise.
        unsafe { pattern::fill(at, layout.size(), tag) };
        Self { at, layout, tag }
    }

    /// The addresses that the block takes up.
    pub fn footprint(&self) -> Range<usize> {
        let start = self.at.addr();
        start..start + footprint(self.layout.size())
    }

    /// Whether the block is what it was filled with.
    pub fn is_intact(&self) -> bool {
        self.begins_intact(self.layout.size())
    }

    /// Whether the first `size` bytes of the block are what it was filled
    /// with.
    pub fn begins_intact(&self, size: usize) -> bool {
        // SAFETY: the block is live, this long, and was filled.
        unsafe { pattern::holds(self.at, size, self.tag) }
    }

    /// The block as it is after a realloc, before it is filled again.
    pub fn moved(self, at: *mut u8, size: usize) -> Self {
        let layout = super::layout(size, self.layout.align());
        Self { at, layout, ..self }
    }
}
