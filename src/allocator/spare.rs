//! What quick lists in front of an allocator need of it: blocks by the batch,
//! and how much it can spare.

use core::{alloc::Layout, ptr};

use super::{Allocator, Alone, Front, LIST_AT_HALF};
#[cfg(debug_assertions)]
use crate::steps::Operation;
use crate::{
    heap::{LARGE, Request},
    sync::MODEL,
    unit::{Granules, Offset, alignment_of},
};

/// A model's heap is so small and so full that nothing would be parked; its
/// CPUs may park this much all the same.
const BUDGET_OF_MODEL: Granules = Granules(8);

/// The size of a cache line. A run of blocks that fill lines begins with one,
/// so that whoever takes it shares no line with others.
pub(crate) const LINE: Granules = if MODEL { Granules(4) } else { Granules(8) };

impl<const SMALLBINS_AMOUNT: usize, const ALIGNMENT_SUB_BINS_AMOUNT: usize>
    Allocator<SMALLBINS_AMOUNT, ALIGNMENT_SUB_BINS_AMOUNT>
{
    /// What lists in front may hold in all: one in so many granules of the
    /// heap; when room is scarce a quarter of that, and when more than half of
    /// the heap is used, less in proportion.
    pub(crate) fn budget(&self, one_in: u32) -> Granules {
        if MODEL {
            return BUDGET_OF_MODEL;
        }
        let most = self.heap.capacity().0 / one_in;
        if self.is_ample() {
            return Granules(most);
        }
        let limit = u64::from(self.cache.bounds.limit().0).min(LIST_AT_HALF);
        Granules((u64::from(most / 4) * limit / LIST_AT_HALF) as u32)
    }

    /// Allocates without need: a parked block, or what the reserve can spare.
    pub(crate) fn alloc_spare(&mut self, layout: Layout) -> Option<*mut u8> {
        if let Some(block) = self.alloc_parked(layout) {
            return Some(block);
        }
        let found = self.take_spare_one(layout, Request::of(layout)?, &mut Alone);
        #[cfg(debug_assertions)]
        self.assert_bounded(Operation::Alloc);
        Some(self.give(found?, layout.size()))
    }

    /// Allocates, and where that drains lists, drains those in front first.
    pub(crate) fn alloc_behind(&mut self, front: &mut impl Front, layout: Layout) -> *mut u8 {
        if let Some(block) = self.alloc_parked(layout) {
            return block;
        }
        let taken = self.take(layout, front);
        #[cfg(debug_assertions)]
        self.assert_bounded(Operation::Alloc);
        match taken {
            Some(block) => self.give(block, layout.size()),
            None => ptr::null_mut(),
        }
    }

    /// Takes up to so many blocks for such a layout, without need: parked
    /// ones, or a run of free memory that the reserve can spare.
    pub(crate) fn take_spare(&mut self, layout: Layout, count: u32, mut keep: impl FnMut(Offset)) {
        let span = self.heap.span();
        let size = Granules::of_block(layout.size());
        let mut wanted = count;
        while wanted > 0 {
            let Some(block) = self.cache.pop(span, layout) else {
                break;
            };
            keep(block);
            wanted -= 1;
        }
        let alignment = alignment_of(layout);
        if !(self.is_ample() || MODEL) || size.0 as usize % alignment != 0 {
            return;
        }
        // Not as large as what comes from the gap's other end.
        let most = ((LARGE.0 - 1) / size.0).max(1);
        while wanted > 0 {
            let blocks = wanted.min(most);
            let run = Granules(size.0 * blocks);
            let alignment = if LINE.0 % size.0 == 0 && run.0 % LINE.0 == 0 {
                alignment.max(LINE.0 as usize)
            } else {
                alignment
            };
            let request = Request {
                size: run,
                alignment,
            };
            let run = self.take_run(request);
            #[cfg(debug_assertions)]
            self.assert_bounded(Operation::Alloc);
            let Some(first) = run else {
                wanted = blocks / 2;
                continue;
            };
            // The first is kept last, so that it is used first.
            (0..blocks)
                .rev()
                .for_each(|number| keep(first + Granules(size.0 * number)));
            wanted -= blocks;
        }
    }

    /// Takes a block from the heap, or from the gap if the reserve is left.
    fn take_run(&mut self, request: Request) -> Option<Offset> {
        let found = self.heap.take(request);
        if found.is_some() {
            return found;
        }
        let most = request.size.0 as usize + request.alignment;
        if (self.heap.room_above_reserve().0 as usize) < most {
            return None;
        }
        self.heap.take_from_gap(request)
    }

    /// Parks or frees a block of quick lists in front of this allocator.
    pub(crate) fn return_spare(&mut self, layout: Layout, block: Offset) {
        let span = self.heap.span();
        let pointer = span.pointer_to(block);
        let parked = self.cache.push(span, layout, pointer)
            || (self.cache.bounds.wake() && self.cache.push(span, layout, pointer));
        if !parked {
            self.free(block, Granules::of_block(layout.size()));
        }
    }
}
