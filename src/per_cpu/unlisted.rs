//! Blocks that have no list: large ones that the CPU keeps, and what the heap
//! alone has.

use core::{alloc::Layout, iter, mem};

use lock_api::RawMutex;

use super::{
    CurrentCpu, PerCpuAllocator,
    deferred::Chain,
    exchange::give,
    large,
    slot::Slot,
    tally::{Step, Tally},
};
use crate::{
    allocator::NewBlock,
    poison,
    unit::{Granules, Offset},
};

impl<Cpu: CurrentCpu, R: RawMutex, const CPUS: usize, const S: usize, const A: usize>
    PerCpuAllocator<Cpu, CPUS, R, S, A>
{
    /// Allocates a block that has no list.
    #[inline(never)]
    pub(super) fn alloc_unlisted(&self, layout: Layout, tally: Tally<'_>) -> *mut u8 {
        match self.alloc_kept(layout, tally) {
            Some(block) => block,
            None => self.alloc_unkept(layout, tally),
        }
    }

    /// Allocates a block that has no list and is to be zero.
    pub(super) fn alloc_unlisted_zeroed(&self, layout: Layout, tally: Tally<'_>) -> *mut u8 {
        let dirty = |block| NewBlock::dirty(block, layout.size());
        let mut new = self.alloc_kept(layout, tally).map(dirty);
        if new.is_none() {
            // The heap knows what is zero already.
            let heap = self.heap(tally);
            new = heap.map(|mut heap| heap.alloc_reporting(layout));
        }
        let new = new
            .filter(|new| !new.block.is_null())
            .unwrap_or_else(|| dirty(self.alloc_unkept(layout, tally)));
        // SAFETY: the block is new, and nobody else knows of it.
        unsafe { new.clear() };
        new.block
    }

    /// Allocates a block that this CPU has not kept.
    fn alloc_unkept(&self, layout: Layout, tally: Tally<'_>) -> *mut u8 {
        let spare = self
            .heap(tally)
            .and_then(|mut heap| heap.alloc_spare(layout));
        if let Some(block) = spare {
            return block;
        }
        let slot = self.slot();
        tally.step(Step::Cache);
        match slot.try_lock() {
            Some(cache) => self.alloc_behind(slot, cache, layout, None, tally),
            None => self.alloc_shared(layout, tally),
        }
    }

    /// Allocates a large block that this CPU has kept.
    fn alloc_kept(&self, layout: Layout, tally: Tally<'_>) -> Option<*mut u8> {
        if !large::may_be_kept(layout) {
            return None;
        }
        tally.step(Step::Cache);
        let mut cache = self.slot().try_lock()?;
        let (span, size) = (self.span(), Granules::of_block(layout.size()));
        let block = cache.bounds.large.take(span, size)?;
        Some(give(span, block, layout))
    }

    /// Frees a block that has no list.
    #[inline(never)]
    pub(super) fn dealloc_unlisted(&self, block: *mut u8, layout: Layout, tally: Tally<'_>) {
        let most = self.shared.most_large();
        if large::is_kept(layout, most) {
            let slot = self.slot();
            tally.step(Step::Cache);
            if let Some(mut cache) = slot.try_lock() {
                // Not into a cache that was taken back.
                if !self.shared.is_reclaiming() {
                    let (span, size) = (self.span(), Granules::of_block(layout.size()));
                    poison::expect_open(block, layout.size());
                    poison::take_back(block, layout.size());
                    let at = span.offset_of(block);
                    if cache.bounds.large.put(span, at, size, most) {
                        return;
                    }
                    mem::forget(cache);
                    // SAFETY: the lock is held by the guard that was forgotten.
                    return unsafe { self.keep_instead(slot, at, size, most, tally) };
                }
            }
        }
        self.dealloc_shared(block, layout, tally);
    }

    /// Keeps a large block instead of what has to go for it.
    ///
    /// # Safety
    ///
    /// The slot's lock is held by a guard that was forgotten.
    #[inline(never)]
    unsafe fn keep_instead(
        &self,
        slot: &Slot<S, A>,
        block: Offset,
        size: Granules,
        most: Granules,
        tally: Tally<'_>,
    ) {
        // SAFETY: the caller's promise.
        let mut cache = unsafe { slot.held() };
        let (span, large) = (self.span(), &mut cache.bounds.large);
        let room = large.room(span, size, most);
        if let Some(first) = large.take_excess(span, &room) {
            let others = iter::from_fn(|| large.take_excess(span, &room));
            self.give_back(first, others, tally);
        }
        let kept = large.put(span, block, size, most);
        debug_assert!(kept, "a large block was lost");
    }

    /// Frees parked blocks to the heap, now or, if its lock is held, soon.
    fn give_back(
        &self,
        (block, size): (Offset, Granules),
        others: impl Iterator<Item = (Offset, Granules)>,
        tally: Tally<'_>,
    ) {
        let Some(mut heap) = self.shared.try_lock(tally) else {
            let span = self.span();
            let chain = others.fold(Chain::of_one(block, size), |chain, (block, size)| {
                tally.step(Step::Moved);
                chain.and(span, block, size)
            });
            return self.shared.defer_chain(span, chain);
        };
        self.tell_budget(&heap);
        for (block, size) in iter::once((block, size)).chain(others) {
            tally.step(Step::Returned);
            heap.free(block, size);
        }
    }
}
