use core::alloc::{GlobalAlloc, Layout};
use core::cell::Cell;
use core::ptr;

use dlmalloc::Dlmalloc as Heap;

use super::{Contender, lock::Locked, stand::Stand};
use crate::machine::region::Region;

/// The "system" that dlmalloc gets its memory from: one region, once.
struct Once(Cell<Option<Region>>);

// SAFETY: the region goes with it.
unsafe impl Send for Once {}

/// Tells dlmalloc that a segment is not to be given back.
const EXTERN: u32 = 1;

// SAFETY: the region is nobody else's and is given out once.
unsafe impl dlmalloc::Allocator for Once {
    fn alloc(&self, _size: usize) -> (*mut u8, usize, u32) {
        match self.0.take() {
            Some(region) => (region.start, region.len, EXTERN),
            None => (ptr::null_mut(), 0, 0),
        }
    }

    fn remap(&self, _: *mut u8, _: usize, _: usize, _: bool) -> *mut u8 {
        ptr::null_mut()
    }

    fn free_part(&self, _: *mut u8, _: usize, _: usize) -> bool {
        false
    }

    fn free(&self, _: *mut u8, _: usize) -> bool {
        false
    }

    fn can_release_part(&self, _: u32) -> bool {
        false
    }

    fn allocates_zeros(&self) -> bool {
        false
    }

    fn page_size(&self) -> usize {
        4096
    }
}

struct Global(Locked<Heap<Once>>);
static STAND: Stand<Global> = Stand::new(Global::over(None));

impl Global {
    const fn over(region: Option<Region>) -> Self {
        Self(Locked::new(Heap::new_with_allocator(Once(Cell::new(
            region,
        )))))
    }
}

pub struct Dlmalloc;

impl Contender for Dlmalloc {
    const NAME: &'static str = "dlmalloc";
    const STATE: Option<usize> = Some(size_of::<Global>());

    fn global() -> &'static impl GlobalAlloc {
        STAND.get()
    }

    unsafe fn reset(region: Region) -> bool {
        // SAFETY: nobody else uses the contender.
        unsafe { STAND.replace(Global::over(Some(region))) };
        // It writes a header at the end of whatever it gets.
        region.len >= 1024
    }
}

// SAFETY: every call is passed on to the heap, which keeps the contract, under a lock.
unsafe impl GlobalAlloc for Global {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the contract.
        unsafe { self.0.lock().malloc(layout.size(), layout.align()) }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the contract.
        unsafe { self.0.lock().calloc(layout.size(), layout.align()) }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract.
        unsafe { self.0.lock().free(block, layout.size(), layout.align()) }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller keeps the contract.
        unsafe {
            self.0
                .lock()
                .realloc(block, layout.size(), layout.align(), new_size)
        }
    }
}
