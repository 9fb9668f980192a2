//! No allocator at all: every block is the start of the region. What remains of a workload's time is its loop.

use core::alloc::{GlobalAlloc, Layout};
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

use super::Contender;
use crate::machine::region::Region;

struct Global(AtomicPtr<u8>);
static GLOBAL: Global = Global(AtomicPtr::new(ptr::null_mut()));

pub struct Noop;

impl Contender for Noop {
    const NAME: &'static str = "no-op";
    const BOUNDED: bool = false;
    const STATE: Option<usize> = None;

    fn global() -> &'static impl GlobalAlloc {
        &GLOBAL
    }

    unsafe fn reset(region: Region) -> bool {
        GLOBAL.0.store(region.start, Ordering::Relaxed);
        true
    }
}

// SAFETY: it does not keep the contract, since all blocks overlap. Workloads only write to blocks, and the checking mode
// exists to find just such an allocator.
unsafe impl GlobalAlloc for Global {
    #[inline]
    unsafe fn alloc(&self, _layout: Layout) -> *mut u8 {
        self.0.load(Ordering::Relaxed)
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, _layout: Layout) -> *mut u8 {
        self.0.load(Ordering::Relaxed)
    }

    #[inline]
    unsafe fn dealloc(&self, _block: *mut u8, _layout: Layout) {}

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, _layout: Layout, _new_size: usize) -> *mut u8 {
        block
    }
}
