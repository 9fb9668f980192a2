//! Memory to make a heap of, at an address chosen by the test, between two
//! margins that nobody may write to.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};

/// Every region lies this much, and its skew, above a multiple of this.
pub const ALIGNMENT: usize = 1 << 17;

const MARGIN: usize = 64;
const UNTOUCHED: u8 = 0xC3;
const GARBAGE: u8 = 0xA5;

/// A region of memory.
pub struct Region {
    memory: *mut u8,
    layout: Layout,
    skew: usize,
    length: usize,
}

impl Region {
    /// A region of `length` bytes of garbage, `skew` bytes above an address
    /// that is aligned to [`ALIGNMENT`].
    pub fn new(skew: usize, length: usize) -> Self {
        let size = ALIGNMENT + skew + length + MARGIN;
        let layout = super::layout(size, ALIGNMENT);
        // SAFETY: the size is not zero.
        let memory = unsafe { alloc(layout) };
        if memory.is_null() {
            handle_alloc_error(layout);
        }
        let region = Self {
            memory,
            layout,
            skew,
            length,
        };
        region.soil();
        region
    }

    /// Makes of the same memory a region at another place, of garbage.
    pub fn reshape(&mut self, skew: usize, length: usize) {
        assert!(ALIGNMENT + skew + length + MARGIN <= self.layout.size());
        self.skew = skew;
        self.length = length;
        self.soil();
    }

    /// The region's first byte.
    pub fn start(&self) -> *mut u8 {
        self.memory.wrapping_add(ALIGNMENT + self.skew)
    }

    /// The region's length in bytes.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Fills the region with garbage.
    pub fn soil(&self) {
        self.write(GARBAGE);
    }

    /// Fills the region with zeros.
    pub fn clear(&self) {
        self.write(0);
    }

    /// Whether nothing was written just before or after the region.
    pub fn kept_within(&self) -> bool {
        self.margins().iter().all(|&margin| {
            // SAFETY: margins are this region's own, and written by `write`.
            let bytes = unsafe { std::slice::from_raw_parts(margin, MARGIN) };
            bytes == [UNTOUCHED; MARGIN]
        })
    }

    fn write(&self, byte: u8) {
        for margin in self.margins() {
            // SAFETY: margins lie in the memory, which is this region's own.
            unsafe { margin.write_bytes(UNTOUCHED, MARGIN) };
        }
        // SAFETY: the memory is the region's own, and so long.
        unsafe { self.start().write_bytes(byte, self.length) };
    }

    fn margins(&self) -> [*mut u8; 2] {
        let start = self.start();
        [start.wrapping_sub(MARGIN), start.wrapping_add(self.length)]
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        // SAFETY: this is what `new` got.
        unsafe { dealloc(self.memory, self.layout) };
    }
}
