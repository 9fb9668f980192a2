//! Blocks that cannot be misused: what most workloads hold a contender with.

use core::alloc::Layout;
use core::ptr::NonNull;

use crate::contender::Calls;
use crate::touch::touch;

/// A live block.
pub struct Block {
    start: NonNull<u8>,
    layout: Layout,
}

// SAFETY: a block is memory, and an allocator may be called from any thread.
unsafe impl Send for Block {}

impl Block {
    pub fn size(&self) -> usize {
        self.layout.size()
    }

    /// Writes to the first byte.
    #[inline(always)]
    pub fn write(&mut self) {
        // SAFETY: the block is live, and has at least a byte.
        unsafe { self.start.as_ptr().write_volatile(self.layout.size() as u8) }
    }

    pub fn address(&self) -> usize {
        self.start.addr().get()
    }
}

/// A contender's verbs over blocks, each of which is used as soon as it is there. There is one contender in a process, so
/// a block cannot come back to the wrong one.
#[derive(Clone, Copy)]
pub struct Hands(pub Calls);

impl Hands {
    /// A block of `size` bytes, more than none, or nothing.
    #[inline(always)]
    pub fn alloc(self, size: usize, align: usize) -> Option<Block> {
        let layout = Layout::from_size_align(size, align).ok()?;
        debug_assert!(size > 0);
        // SAFETY: the size is not zero.
        let start = NonNull::new(unsafe { self.0.alloc(layout) })?;
        // SAFETY: the block is ours and has that size.
        unsafe { touch(start.as_ptr(), size) };
        Some(Block { start, layout })
    }

    #[inline(always)]
    pub fn free(self, block: Block) {
        // SAFETY: a block is live until it comes here.
        unsafe { self.0.dealloc(block.start.as_ptr(), block.layout) }
    }

    /// Gives the block `size` bytes, more than none, and says whether that worked.
    #[inline(always)]
    pub fn realloc(self, block: &mut Block, size: usize) -> bool {
        let Ok(layout) = Layout::from_size_align(size, block.layout.align()) else {
            return false;
        };
        debug_assert!(size > 0);
        // SAFETY: the block is live, the size is not zero and makes a valid layout.
        let moved = unsafe { self.0.realloc(block.start.as_ptr(), block.layout, size) };
        let Some(start) = NonNull::new(moved) else {
            return false;
        };
        *block = Block { start, layout };
        // SAFETY: the block is ours and has that size.
        unsafe { touch(start.as_ptr(), size) };
        true
    }
}
