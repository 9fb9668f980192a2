//! The operations, each of which asserts at its end that it kept within its
//! bounds.

use core::alloc::{GlobalAlloc, Layout};

use lock_api::RawMutex;

#[cfg(debug_assertions)]
use super::tally::Limits;
use super::{
    CurrentCpu, PerCpuAllocator,
    tally::{Operation, Tally, Work},
};

impl<Cpu: CurrentCpu, R: RawMutex, const CPUS: usize, const S: usize, const A: usize>
    PerCpuAllocator<Cpu, CPUS, R, S, A>
{
    #[inline(always)]
    fn within_bounds<T>(&self, operation: Operation, run: impl FnOnce(Tally<'_>) -> T) -> T {
        let work = Work::new();
        let done = run(work.tally());
        #[cfg(debug_assertions)]
        {
            let limits = Limits {
                cpus: CPUS,
                lists: S * A,
                bounded: self.bounded,
            };
            work.taken().assert_bounded(operation, &limits);
        }
        let _ = operation;
        done
    }
}

// SAFETY: a block is in one list only, that of a cache or the heap, each
// behind its lock, or in the deferred list, or the caller's.
unsafe impl<Cpu: CurrentCpu, R: RawMutex, const CPUS: usize, const S: usize, const A: usize>
    GlobalAlloc for PerCpuAllocator<Cpu, CPUS, R, S, A>
{
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        self.within_bounds(Operation::Alloc, |tally| unsafe {
            self.try_alloc(layout, tally)
        })
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        self.within_bounds(Operation::Dealloc, |tally| unsafe {
            self.try_dealloc(block, layout, tally)
        })
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        self.within_bounds(Operation::AllocZeroed, |tally| unsafe {
            self.try_alloc_zeroed(layout, tally)
        })
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller's promise.
        self.within_bounds(Operation::Realloc, |tally| unsafe {
            self.try_realloc(block, layout, new_size, tally)
        })
    }
}
