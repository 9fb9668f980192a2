//! Zeroed blocks: what of a new one is zero already.

use core::{alloc::Layout, ptr};

use super::{Allocator, Alone};
#[cfg(debug_assertions)]
use crate::steps::Operation;
use crate::{poison, unit::Offset};

/// A block that is to be zero.
pub(crate) struct NewBlock {
    pub block: *mut u8,
    size: usize,
    /// From where to where it is zero already.
    zero: (usize, usize),
}

impl NewBlock {
    pub fn dirty(block: *mut u8, size: usize) -> Self {
        Self {
            block,
            size,
            zero: (size, size),
        }
    }

    /// Clears what may not be zero, unless the block is null.
    ///
    /// # Safety
    ///
    /// The block is one that was just allocated, or null.
    pub unsafe fn clear(&self) {
        if self.block.is_null() {
            return;
        }
        let (start, end) = self.zero;
        // SAFETY: both runs lie in the block, which is the caller's.
        unsafe {
            self.block.write_bytes(0, start);
            if end < self.size {
                self.block.add(end).write_bytes(0, self.size - end);
            }
        }
    }
}

impl<const SMALLBINS_AMOUNT: usize, const ALIGNMENT_SUB_BINS_AMOUNT: usize>
    Allocator<SMALLBINS_AMOUNT, ALIGNMENT_SUB_BINS_AMOUNT>
{
    /// A block from the heap, and what of it may not be zero.
    pub(crate) fn alloc_reporting(&mut self, layout: Layout) -> NewBlock {
        let size = layout.size();
        let zero_run = self.heap.zero_run();
        let taken = self.take(layout, &mut Alone);
        #[cfg(debug_assertions)]
        self.assert_bounded(Operation::Alloc);
        let Some(at) = taken else {
            return NewBlock::dirty(ptr::null_mut(), 0);
        };
        let block = self.give(at, size);
        // Where the run and the block do not meet, no byte is in both.
        let (start, end) = zero_run.unwrap_or((Offset::NONE, Offset::NONE));
        let bytes_to = |to: Offset| to.bytes().saturating_sub(at.bytes()).min(size);
        let zero = (bytes_to(start), bytes_to(end));
        poison::open(block.wrapping_add(zero.0), zero.1.saturating_sub(zero.0));
        NewBlock { block, size, zero }
    }
}
