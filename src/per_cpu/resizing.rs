//! Resizing: where the block is, or by moving its content.

use core::{alloc::Layout, ptr};

use lock_api::RawMutex;

use super::{
    CurrentCpu, PerCpuAllocator,
    exchange::give,
    shared::Held,
    slot::Own,
    tally::{Step, Tally},
};
use crate::{
    allocator::{Alone, CHEAPLY_COPIED, Resized},
    poison,
    unit::Granules,
};

impl<Cpu: CurrentCpu, R: RawMutex, const CPUS: usize, const S: usize, const A: usize>
    PerCpuAllocator<Cpu, CPUS, R, S, A>
{
    /// Does what `realloc` does.
    ///
    /// # Safety
    ///
    /// As for `GlobalAlloc::realloc`.
    pub(super) unsafe fn try_realloc(
        &self,
        block: *mut u8,
        layout: Layout,
        new_size: usize,
        tally: Tally<'_>,
    ) -> *mut u8 {
        let Ok(new_layout) = Layout::from_size_align(new_size, layout.align()) else {
            return ptr::null_mut();
        };
        if Granules::holding(new_size) == Some(Granules::of_block(layout.size())) {
            poison::expect_open(block, layout.size());
            poison::resize(block, layout.size(), new_size);
            return block;
        }
        let slot = self.slot();
        tally.step(Step::Cache);
        let mut cache = slot.try_lock();
        let is_cheap = new_size.max(layout.size()) <= CHEAPLY_COPIED;
        let parked = match &mut cache {
            Some(cache) if is_cheap => cache.pop(self.span(), new_layout),
            _ => None,
        };
        if let Some(parked) = parked {
            drop(cache);
            // SAFETY: the caller's promise; the parked block is another one,
            // and of the new size.
            unsafe {
                let new = give(self.span(), parked, new_layout);
                new.copy_from_nonoverlapping(block, layout.size().min(new_size));
                self.try_dealloc(block, layout, tally);
                return new;
            }
        }
        let mut heap = self.shared.try_lock(tally);
        if heap.is_none() {
            if is_cheap {
                // Cheaper than to wait, if there is another block.
                drop(cache.take());
                // SAFETY: the caller's promise; a block that gets null is as
                // it was.
                let new = unsafe { self.realloc_by_copy(block, layout, new_layout, tally) };
                if !new.is_null() {
                    return new;
                }
            }
            heap = self.heap(tally);
        }
        let Some(heap) = heap else {
            return ptr::null_mut();
        };
        // SAFETY: the caller's promise.
        let mut resized = unsafe {
            let front = cache.as_mut().map(|cache| slot.front(cache, tally));
            self.resize(heap, front, block, layout, new_size)
        };
        drop(cache);
        if matches!(resized, Resized::Failed) {
            let again = self.after_reclaiming(tally, |heap| {
                // SAFETY: the caller's promise.
                unsafe { heap.resize(block, layout, new_size, &mut Alone) }
            });
            resized = again.unwrap_or(Resized::Failed);
        }
        match resized {
            Resized::Here(block) => block,
            Resized::Failed => ptr::null_mut(),
            Resized::CopyTo(new) => {
                // SAFETY: the new block is another one; both are the caller's.
                unsafe { new.copy_from_nonoverlapping(block, layout.size().min(new_size)) };
                self.dealloc_moved(block, layout, tally);
                new
            }
        }
    }

    /// Resizes a block where it is, or finds a new one for its content.
    ///
    /// # Safety
    ///
    /// As for `GlobalAlloc::realloc`.
    unsafe fn resize(
        &self,
        mut heap: Held<'_, R, S, A>,
        front: Option<Own<'_, S, A>>,
        block: *mut u8,
        layout: Layout,
        new_size: usize,
    ) -> Resized {
        // SAFETY: the caller's promise.
        unsafe {
            match front {
                Some(mut own) => heap.resize(block, layout, new_size, &mut own),
                None => heap.resize(block, layout, new_size, &mut Alone),
            }
        }
    }

    /// Resizes a block by moving its content.
    ///
    /// # Safety
    ///
    /// As for `GlobalAlloc::realloc`.
    unsafe fn realloc_by_copy(
        &self,
        block: *mut u8,
        layout: Layout,
        new_layout: Layout,
        tally: Tally<'_>,
    ) -> *mut u8 {
        // SAFETY: the caller's promise; the blocks are two, each at least as
        // large as what is copied.
        unsafe {
            let new = self.try_alloc(new_layout, tally);
            if !new.is_null() {
                new.copy_from_nonoverlapping(block, layout.size().min(new_layout.size()));
                self.try_dealloc(block, layout, tally);
            }
            new
        }
    }
}
