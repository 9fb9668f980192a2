//! Taking back what all CPUs have parked, before a request fails.

use core::{alloc::Layout, ptr};

use lock_api::RawMutex;

use super::{
    CurrentCpu, PerCpuAllocator,
    deferred::Chain,
    exchange::BATCH,
    shared::Held,
    slot::{HeldCache, Slot},
    tally::{Step, Tally},
};
use crate::allocator::Front;

impl<Cpu: CurrentCpu, R: RawMutex, const CPUS: usize, const S: usize, const A: usize>
    PerCpuAllocator<Cpu, CPUS, R, S, A>
{
    /// Allocates after everything that is parked was taken back.
    #[cold]
    pub(super) fn alloc_reclaiming(&self, layout: Layout, tally: Tally<'_>) -> *mut u8 {
        // SAFETY: whoever called the allocator keeps its contract.
        self.after_reclaiming(tally, |heap| unsafe { heap.alloc(layout) })
            .unwrap_or(ptr::null_mut())
    }

    /// Takes back everything that is parked, as far as the caller may wait,
    /// and then does something with the heap.
    pub(super) fn after_reclaiming<T>(
        &self,
        tally: Tally<'_>,
        then: impl FnOnce(&mut Held<'_, R, S, A>) -> T,
    ) -> Option<T> {
        if self.bounded || !self.was_initialized() {
            return None;
        }
        tally.step(Step::Reclaim);
        let _reclaim = self.shared.reclaim();
        for slot in &self.slots {
            tally.step(Step::Cache);
            let cache = if Self::may_wait_for_caches() {
                Some(slot.lock())
            } else {
                slot.try_lock()
            };
            if let Some(cache) = cache {
                self.give_back_all(slot, cache, tally);
            }
        }
        let mut heap = self.heap(tally)?;
        self.shared.settle_all(&mut heap);
        Some(then(&mut heap))
    }

    /// Empties a cache and its outbox, and puts the cache to sleep.
    fn give_back_all(&self, slot: &Slot<S, A>, mut cache: HeldCache<'_, S, A>, tally: Tally<'_>) {
        let span = self.span();
        let mut front = slot.front(&mut cache, tally);
        while let Some((block, size)) = front.pop_any(span) {
            tally.step(Step::Returned);
            let Some(mut heap) = self.heap(tally) else {
                self.shared.defer_chain(span, Chain::of_one(block, size));
                continue;
            };
            heap.free(block, size);
            for _ in 1..BATCH {
                let Some((block, size)) = front.pop_any(span) else {
                    return;
                };
                tally.step(Step::Returned);
                heap.free(block, size);
            }
        }
    }
}
