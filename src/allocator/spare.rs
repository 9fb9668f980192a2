//! What quick lists in front of an allocator need of it: blocks by the batch,
//! and how much it can spare.

use core::{alloc::Layout, ptr};

use super::{Allocator, Alone, Front, halving::Halving, reserve::LIST_AT_HALF};
#[cfg(debug_assertions)]
use crate::steps::Operation;
use crate::{
    cache::{Bounds, Cache, Class, Link},
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

    /// Whether lists in front may keep large blocks: they take much memory, and
    /// are seldom asked for again by their size.
    pub(crate) fn spares_large(&self) -> bool {
        self.is_ample() || MODEL
    }

    /// Allocates without need: a parked block, or what the reserve can spare.
    pub(crate) fn alloc_spare(&mut self, layout: Layout) -> Option<*mut u8> {
        if let Some(block) = self.alloc_parked(layout) {
            return Some(block);
        }
        let request = Request::of(layout)?;
        let found = self
            .take_kept(request, &mut Alone)
            .or_else(|| self.take_spared(layout, request, &mut Alone));
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
    /// They are put in front of a chain, which is given back.
    pub(crate) fn take_spare(&mut self, layout: Layout, count: u32, mut chain: Link) -> Link {
        let span = self.heap.span();
        let size = Granules::of_block(layout.size());
        let mut wanted = count;
        if let Some(class) =
            Cache::<SMALLBINS_AMOUNT, ALIGNMENT_SUB_BINS_AMOUNT, Halving>::class_of(layout)
        {
            let is_aligned = |block| span.pointer_to(block).addr() & (layout.align() - 1) == 0;
            let full = chain.amount() + Granules(size.0 * count);
            chain = self.cache.move_to(span, class, count, chain, is_aligned);
            wanted = (full - chain.amount()).0 / size.0;
        }
        let alignment = alignment_of(layout);
        if !(self.is_ample() || MODEL) || size.0 as usize % alignment != 0 {
            return chain;
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
            let mut block = first + Granules(size.0 * blocks);
            for _ in 0..blocks {
                block = block - size;
                chain = chain.with_first(span, block, size);
            }
            wanted -= blocks;
        }
        chain
    }

    /// Whether a list of this allocator has something.
    pub(crate) fn has_parked(&self, class: Class) -> bool {
        self.cache.held_in(class) > Granules::ZERO
    }

    /// Takes a piece of the gap to cut blocks for such a layout from, from where
    /// small ones come, if the reserve can spare it.
    pub(crate) fn take_piece(&mut self, size: Granules, layout: Layout) -> Option<Offset> {
        let alignment = if size.0 % LINE.0 == 0 {
            alignment_of(layout).max(LINE.0 as usize)
        } else {
            alignment_of(layout)
        };
        let request = Request { size, alignment };
        // Free chunks are used first: memory that was used is warm, and the gap
        // is not.
        let chunks = self.heap.free_granules() - self.heap.room();
        let is_spare = self.is_ample() && chunks <= size && self.reserve_is_left_by(request);
        if !(is_spare || MODEL) {
            return None;
        }
        let piece = self.heap.take_from_roof(request);
        #[cfg(debug_assertions)]
        self.assert_bounded(Operation::Alloc);
        piece
    }

    /// Takes a block from the heap, or from the gap if the reserve is left.
    fn take_run(&mut self, request: Request) -> Option<Offset> {
        let found = self.heap.take(request);
        if found.is_some() {
            return found;
        }
        if !self.reserve_is_left_by(request) {
            return None;
        }
        self.heap.take_from_gap(request)
    }

    /// Whether a request could be served from the gap without the reserve,
    /// however much is lost for its alignment.
    fn reserve_is_left_by(&self, request: Request) -> bool {
        let most = request.size.0 as usize + request.alignment;
        self.heap.room_above_reserve().0 as usize >= most
    }

    /// Parks or frees up to so many blocks of quick lists in front of this
    /// allocator.
    pub(crate) fn return_spare<B: Bounds>(
        &mut self,
        class: Class,
        count: u32,
        from: &mut Cache<SMALLBINS_AMOUNT, ALIGNMENT_SUB_BINS_AMOUNT, B>,
    ) {
        self.cache.bounds.wake();
        let (span, size) = (self.heap.span(), class.granules());
        let list = self.cache.chain(class);
        let room = self
            .cache
            .bounds
            .of(class)
            .0
            .saturating_sub(list.amount().0);
        let parked = count.min(room.div_ceil(size.0));
        self.cache
            .adopt(class, from.move_to(span, class, parked, list, |_| true));
        for _ in parked..count {
            let Some(block) = from.pop_of(span, class) else {
                return;
            };
            self.free(block, size);
        }
    }
}
