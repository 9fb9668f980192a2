//! What quick lists in front of an allocator need of it: blocks by the batch,
//! and how much it can spare.

use core::alloc::Layout;

use super::Allocator;
use crate::{
    heap::Request,
    unit::{Granules, Offset, alignment_of},
};

impl<const SMALLBINS_AMOUNT: usize, const ALIGNMENT_SUB_BINS_AMOUNT: usize>
    Allocator<SMALLBINS_AMOUNT, ALIGNMENT_SUB_BINS_AMOUNT>
{
    /// The granules that blocks can have.
    pub(crate) fn capacity(&self) -> Granules {
        self.heap.capacity()
    }

    /// The most granules in a list of the smallest blocks, as room allows.
    pub(crate) fn list_limit(&self) -> Granules {
        self.cache.limit()
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
        if size.0 as usize % alignment != 0 {
            wanted = wanted.min(1);
        }
        while wanted > 0 {
            let run = Request {
                size: Granules(size.0 * wanted),
                alignment,
            };
            if let Some(first) = self.heap.take(run) {
                (0..wanted).for_each(|number| keep(first + Granules(size.0 * number)));
                return;
            }
            wanted /= 2;
        }
    }

    /// Parks or frees a block of quick lists in front of this allocator.
    pub(crate) fn return_spare(&mut self, layout: Layout, block: Offset) {
        let parked = self.cache.push(self.heap.span(), layout, block);
        if !parked {
            self.free(block, Granules::of_block(layout.size()));
        }
    }
}
