//! Allocating: from the CPU's list, from what others have put out, or behind the
//! cache from the heap.

use core::{alloc::Layout, mem, ptr};

use lock_api::RawMutex;

use super::{
    CurrentCpu, LOOKED_INTO, PerCpuAllocator,
    exchange::{self, LONGEST, give},
    slot::{CpuCache, HeldCache, Slot},
    tally::{Step, Tally},
};
use crate::{
    allocator::NewBlock,
    cache::{Class, Link},
    unit::Granules,
};

impl<Cpu: CurrentCpu, R: RawMutex, const CPUS: usize, const S: usize, const A: usize>
    PerCpuAllocator<Cpu, CPUS, R, S, A>
{
    /// Does what `alloc` does.
    ///
    /// # Safety
    ///
    /// As for `GlobalAlloc::alloc`.
    #[inline]
    pub(super) unsafe fn try_alloc(&self, layout: Layout, tally: Tally<'_>) -> *mut u8 {
        if CpuCache::<S, A>::class_of(layout).is_none() {
            return self.alloc_unlisted(layout, tally);
        }
        let slot = self.slot();
        tally.step(Step::Cache);
        let Some(mut cache) = slot.try_lock() else {
            return self.alloc_elsewhere(layout, tally);
        };
        let span = self.span();
        if let Some(block) = cache.pop(span, layout) {
            return give(span, block, layout);
        }
        mem::forget(cache);
        // SAFETY: the lock is held by the guard that was forgotten.
        unsafe { self.alloc_missed(layout, slot, tally) }
    }

    /// Does what `alloc_zeroed` does.
    ///
    /// # Safety
    ///
    /// As for `GlobalAlloc::alloc_zeroed`.
    pub(super) unsafe fn try_alloc_zeroed(&self, layout: Layout, tally: Tally<'_>) -> *mut u8 {
        if CpuCache::<S, A>::class_of(layout).is_none() {
            return self.alloc_unlisted_zeroed(layout, tally);
        }
        // SAFETY: the caller's promise; the block is new.
        unsafe {
            let new = NewBlock::dirty(self.try_alloc(layout, tally), layout.size());
            new.clear();
            new.block
        }
    }

    /// What remains of `alloc` when its CPU's list is empty: fills it, with what
    /// a CPU has put out or from the heap.
    ///
    /// # Safety
    ///
    /// The slot's lock is held by a guard that was forgotten.
    #[inline(never)]
    unsafe fn alloc_missed(&self, layout: Layout, slot: &Slot<S, A>, tally: Tally<'_>) -> *mut u8 {
        // SAFETY: the caller's promise.
        let mut cache = unsafe { slot.held() };
        let class = CpuCache::<S, A>::class_of(layout);
        let own = class.and_then(|class| {
            self.alloc_chained(slot, &mut cache, layout, class, tally)
                .or_else(|| exchange::alloc_cut(&mut cache, self.span(), layout, class, tally))
        });
        match own {
            Some(block) => block,
            None => self.alloc_behind(slot, cache, layout, class, tally),
        }
    }

    /// Fills a list that is empty with a chain that a CPU has put out, its own
    /// or another.
    fn alloc_chained(
        &self,
        slot: &Slot<S, A>,
        cache: &mut CpuCache<S, A>,
        layout: Layout,
        class: Class,
        tally: Tally<'_>,
    ) -> Option<*mut u8> {
        if self.shared.is_reclaiming() {
            return None;
        }
        exchange::grow(cache, class, LONGEST, self.shared.budget());
        // A list that is not empty may still have no block of the alignment.
        if !cache.bounds.may_adopt() || cache.held_in(class) > Granules::ZERO {
            return None;
        }
        let own = slot.outbox.take(|| self.span(), class, tally);
        let chain = own.or_else(|| self.chain_of_others(slot, class, tally))?;
        exchange::adopt(cache, self.span(), layout, class, chain)
    }

    /// Takes a chain that another CPU has put out.
    fn chain_of_others(&self, slot: &Slot<S, A>, class: Class, tally: Tally<'_>) -> Option<Link> {
        let number = self.number_of(slot);
        let look = |other: usize| {
            let outbox = &self.slots[other].outbox;
            outbox.take(|| self.span(), class, tally)
        };
        self.hints
            .find(class, number, CPUS, LOOKED_INTO, tally, look)
    }

    /// Allocates from the heap, behind a cache, and fills the layout's list, but
    /// not one that was granted nothing, as in a cache that was taken back.
    pub(super) fn alloc_behind(
        &self,
        slot: &Slot<S, A>,
        mut cache: HeldCache<'_, S, A>,
        layout: Layout,
        class: Option<Class>,
        tally: Tally<'_>,
    ) -> *mut u8 {
        let Some(mut heap) = self.heap(tally) else {
            drop(cache);
            let listed = class.and_then(|_| self.alloc_from_neighbours(layout, tally));
            return listed.unwrap_or(ptr::null_mut());
        };
        self.tell_budget(&heap);
        if let Some(class) = class {
            exchange::refill(&mut cache, &slot.outbox, &mut heap, layout, class, tally);
        }
        if let Some(block) = cache.pop(heap.span(), layout) {
            return give(heap.span(), block, layout);
        }
        let block = heap.alloc_behind(&mut slot.front(&mut cache, tally), layout);
        if block.is_null() {
            drop(heap);
            drop(cache);
            return self.alloc_reclaiming(layout, tally);
        }
        // Room may be scarce now.
        self.tell_budget(&heap);
        block
    }

    /// `alloc` while its CPU's cache is held.
    #[cold]
    #[inline(never)]
    fn alloc_elsewhere(&self, layout: Layout, tally: Tally<'_>) -> *mut u8 {
        match self.alloc_from_neighbours(layout, tally) {
            Some(block) => block,
            None => self.alloc_shared(layout, tally),
        }
    }

    fn alloc_from_neighbours(&self, layout: Layout, tally: Tally<'_>) -> Option<*mut u8> {
        let mut caches = self.try_neighbours(tally);
        // The base is looked at with the lock held: what is in the cache came
        // after it.
        let block = caches.find_map(|mut cache| cache.pop(self.span(), layout))?;
        Some(give(self.span(), block, layout))
    }

    /// Allocates from the heap.
    pub(super) fn alloc_shared(&self, layout: Layout, tally: Tally<'_>) -> *mut u8 {
        let Some(mut heap) = self.heap(tally) else {
            return ptr::null_mut();
        };
        // SAFETY: whoever called the allocator keeps its contract.
        let block = unsafe { heap.alloc(layout) };
        if block.is_null() {
            drop(heap);
            return self.alloc_reclaiming(layout, tally);
        }
        block
    }
}
