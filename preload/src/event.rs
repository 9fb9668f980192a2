//! What is recorded of a call: three little-endian `u64`.
//!
//! The first has, from the lowest bit, the kind in 2 bits (0 alloc, 1 free, 2 realloc, 3 zeroed alloc), log2 of the
//! alignment in 5 and the size above; the second is the address of the block, the third where it was before a realloc.

use core::ffi::c_void;

#[derive(Clone, Copy)]
#[repr(C)]
pub struct Event {
    what: u64,
    block: u64,
    before: u64,
}

impl Event {
    /// Nothing that is worth recording: a call that failed, or the free of no block.
    pub const NONE: Self = Self {
        what: 0,
        block: 0,
        before: 0,
    };

    pub fn alloc(block: *mut c_void, size: usize, align: usize) -> Self {
        Self::new(0, block, size, align)
    }

    pub fn free(block: *mut c_void) -> Self {
        Self::new(1, block, 0, 1)
    }

    pub fn realloc(before: *mut c_void, block: *mut c_void, size: usize) -> Self {
        Self {
            before: before.addr() as u64,
            ..Self::new(2, block, size, 1)
        }
    }

    pub fn alloc_zeroed(block: *mut c_void, size: usize, align: usize) -> Self {
        Self::new(3, block, size, align)
    }

    pub fn is_none(self) -> bool {
        self.block == 0
    }

    fn new(kind: u64, block: *mut c_void, size: usize, align: usize) -> Self {
        let align = u64::from(align.max(1).ilog2());
        Self {
            what: kind | align << 2 | (size as u64) << 7,
            block: block.addr() as u64,
            before: 0,
        }
    }
}
