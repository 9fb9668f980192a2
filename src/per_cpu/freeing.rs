//! Freeing: to the CPU's list, to its outbox, to the heap, or for later.

use core::{alloc::Layout, mem};

use lock_api::RawMutex;

use super::{
    CurrentCpu, PerCpuAllocator,
    exchange::{self, CHAIN, park},
    slot::{CpuCache, Slot},
    tally::{Step, Tally},
};
use crate::allocator::CHEAPLY_COPIED;

impl<Cpu: CurrentCpu, R: RawMutex, const CPUS: usize, const S: usize, const A: usize>
    PerCpuAllocator<Cpu, CPUS, R, S, A>
{
    /// Does what `dealloc` does.
    ///
    /// # Safety
    ///
    /// As for `GlobalAlloc::dealloc`.
    #[inline]
    pub(super) unsafe fn try_dealloc(&self, block: *mut u8, layout: Layout, tally: Tally<'_>) {
        if CpuCache::<S, A>::class_of(layout).is_none() {
            return self.dealloc_unlisted(block, layout, tally);
        }
        let slot = self.slot();
        tally.step(Step::Cache);
        let Some(mut cache) = slot.try_lock() else {
            return self.dealloc_elsewhere(block, layout, tally);
        };
        let span = self.span();
        if park(&mut cache, span, block, layout) {
            return;
        }
        mem::forget(cache);
        // SAFETY: the lock is held by the guard that was forgotten.
        unsafe { self.dealloc_overflowing(block, layout, slot, tally) }
    }

    /// What remains of `dealloc` when its CPU's list is full or asleep: lets it
    /// be longer, or puts half of it out, or gives half of it back.
    ///
    /// # Safety
    ///
    /// The slot's lock is held by a guard that was forgotten.
    #[inline(never)]
    unsafe fn dealloc_overflowing(
        &self,
        block: *mut u8,
        layout: Layout,
        slot: &Slot<S, A>,
        tally: Tally<'_>,
    ) {
        // SAFETY: the caller's promise.
        let mut cache = unsafe { slot.held() };
        let class = CpuCache::<S, A>::class_of(layout);
        let (Some(class), false) = (class, self.shared.is_reclaiming()) else {
            drop(cache);
            return self.dealloc_shared(block, layout, tally);
        };
        let (span, budget) = (self.span(), self.shared.budget());
        exchange::grow(&mut cache, class, CHAIN, budget);
        if park(&mut cache, span, block, layout) {
            return;
        }
        if exchange::put_out(&mut cache, &slot.outbox, span, class, budget, tally) {
            self.hints.set(class, self.number_of(slot));
        }
        if park(&mut cache, span, block, layout) {
            return;
        }
        let Some(mut heap) = self.shared.try_lock(tally) else {
            // With half of the list that it does not fit into any more.
            let chain = exchange::unlink_half(&mut cache, span, block, layout, class, tally);
            return self.shared.defer_chain(span, chain);
        };
        self.tell_budget(&heap);
        exchange::make_room(&mut cache, &slot.outbox, &mut heap, class, tally);
        if !park(&mut cache, span, block, layout) {
            // SAFETY: whoever called the allocator keeps its contract.
            unsafe { heap.dealloc(block, layout) };
        }
    }

    /// `dealloc` while its CPU's cache is held.
    #[cold]
    #[inline(never)]
    fn dealloc_elsewhere(&self, block: *mut u8, layout: Layout, tally: Tally<'_>) {
        let span = self.span();
        let mut caches = self.try_neighbours(tally);
        if !caches.any(|mut cache| park(&mut cache, span, block, layout)) {
            self.dealloc_shared(block, layout, tally);
        }
    }

    /// Frees a block to the heap, now or, if its lock is held, soon.
    #[inline(never)]
    pub(super) fn dealloc_shared(&self, block: *mut u8, layout: Layout, tally: Tally<'_>) {
        match self.shared.try_lock(tally) {
            // SAFETY: whoever called the allocator keeps its contract.
            Some(mut heap) => unsafe { heap.dealloc(block, layout) },
            None => self.shared.defer(self.span(), block, layout),
        }
    }

    /// Frees a block whose content moved to another one.
    pub(super) fn dealloc_moved(&self, block: *mut u8, layout: Layout, tally: Tally<'_>) {
        if layout.size() <= CHEAPLY_COPIED {
            // SAFETY: whoever called the allocator keeps its contract.
            return unsafe { self.try_dealloc(block, layout, tally) };
        }
        match self.shared.try_lock(tally) {
            Some(mut heap) => heap.dealloc_moved(block, layout),
            None => self.shared.defer(self.span(), block, layout),
        }
    }
}
