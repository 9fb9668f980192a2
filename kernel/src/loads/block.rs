//! Blocks that know what is in them.

use core::{
    alloc::{GlobalAlloc, Layout},
    ptr::NonNull,
    slice,
};

/// How much of a block is written, and checked later.
#[derive(Clone, Copy)]
pub enum Filled {
    /// All of it, to find out what the heap does to it.
    Whole,
    /// As much as a program would at least, to find out how fast the heap is.
    Start,
}

/// An allocated block.
pub struct Block {
    at: NonNull<u8>,
    layout: Layout,
    /// What tells its content from that of others.
    tag: u8,
    filled: Filled,
}

// SAFETY: the block is owned, and has no thread of its own.
unsafe impl Send for Block {}

impl Block {
    pub fn new(heap: &dyn GlobalAlloc, layout: Layout, tag: u8, filled: Filled) -> Option<Self> {
        // SAFETY: no load asks for size zero.
        Self::at(unsafe { heap.alloc(layout) }, layout, tag, filled)
    }

    /// As `new`, of memory that is zero.
    pub fn zeroed(heap: &dyn GlobalAlloc, layout: Layout, filled: Filled) -> Option<Self> {
        // SAFETY: as above; the bytes are there, and written.
        unsafe {
            let at = heap.alloc_zeroed(layout);
            let zero = at.is_null()
                || slice::from_raw_parts(at, layout.size())
                    .iter()
                    .all(|&byte| byte == 0);
            assert!(zero, "{layout:?} at {at:p} is not zeroed");
            Self::at(at, layout, 0, filled)
        }
    }

    fn at(at: *mut u8, layout: Layout, tag: u8, filled: Filled) -> Option<Self> {
        let at = NonNull::new(at)?;
        assert!(
            at.addr().get() % layout.align() == 0,
            "{layout:?} at {at:p} is not aligned"
        );
        let mut block = Self {
            at,
            layout,
            tag,
            filled,
        };
        block.fill(0);
        Some(block)
    }

    /// Makes the block shorter or longer. Whether it could be.
    pub fn resize(&mut self, heap: &dyn GlobalAlloc, size: usize) -> bool {
        // SAFETY: the block is the heap's, and the size neither zero nor large.
        let at = unsafe { heap.realloc(self.at.as_ptr(), self.layout, size) };
        let Some(at) = NonNull::new(at) else {
            return false;
        };
        let kept = self.layout.size().min(size);
        let layout = Layout::from_size_align(size, self.layout.align());
        self.at = at;
        self.layout = layout.expect("the size is not large");
        self.check(kept);
        self.fill(kept);
        true
    }

    pub fn free(self, heap: &dyn GlobalAlloc) {
        self.check(self.layout.size());
        // SAFETY: the block is the heap's, and gone from now on.
        unsafe { heap.dealloc(self.at.as_ptr(), self.layout) };
    }

    pub fn size(&self) -> usize {
        self.layout.size()
    }

    /// Writes what is to be in the block from `start` on.
    fn fill(&mut self, start: usize) {
        let end = self.filled_until(self.layout.size());
        let tag = self.tag;
        for i in start..end {
            // SAFETY: it is in the block.
            unsafe { self.at.add(i).write(content(tag, i)) };
        }
    }

    /// Sees that the first `size` bytes are as they were written.
    fn check(&self, size: usize) {
        let end = self.filled_until(size);
        // SAFETY: they are in the block, and were written.
        let bytes = unsafe { slice::from_raw_parts(self.at.as_ptr(), end) };
        let first_wrong = (0..end).find(|&i| bytes[i] != content(self.tag, i));
        if let Some(i) = first_wrong {
            panic!(
                "byte {i} of {:?} at {:p} is {:#x}, and was {:#x}",
                self.layout,
                self.at,
                bytes[i],
                content(self.tag, i)
            );
        }
    }

    fn filled_until(&self, size: usize) -> usize {
        match self.filled {
            Filled::Whole => size,
            Filled::Start => size.min(16),
        }
    }
}

/// The byte number `i` of a block.
fn content(tag: u8, i: usize) -> u8 {
    (i as u8).wrapping_mul(31).wrapping_add((i >> 8) as u8) ^ tag
}
