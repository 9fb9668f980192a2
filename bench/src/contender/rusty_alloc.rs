use core::alloc::{GlobalAlloc, Layout};

use rusty_alloc::alloc;

use super::Contender;
use crate::machine::region::Region;

struct Global;
static GLOBAL: Global = Global;

pub struct RustyAlloc;

impl Contender for RustyAlloc {
    const NAME: &'static str = "rusty_alloc";
    const BOUNDED: bool = false;
    const STATE: Option<usize> = None;

    fn global() -> &'static impl GlobalAlloc {
        &GLOBAL
    }

    unsafe fn reset(_region: Region) -> bool {
        true
    }
}

/// Whether every block of this size is aligned well enough as it is: to 16, or to its own size if that is less.
#[inline]
fn is_naturally_aligned(size: usize, align: usize) -> bool {
    align <= 16 && align <= size
}

// SAFETY: every call is passed on to the allocator, which keeps the contract.
unsafe impl GlobalAlloc for Global {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if is_naturally_aligned(layout.size(), layout.align()) {
            return alloc::malloc(layout.size());
        }
        // SAFETY: the alignment of a layout is a power of two.
        unsafe { alloc::malloc_aligned_pow2(layout.size(), layout.align()) }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if is_naturally_aligned(layout.size(), layout.align()) {
            return alloc::zalloc(layout.size());
        }
        alloc::zalloc_aligned(layout.size(), layout.align())
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, _layout: Layout) {
        // SAFETY: the caller passes a block of this allocator.
        unsafe { alloc::free_inline_flags_first(block) }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller passes a block of this allocator.
        unsafe {
            if is_naturally_aligned(new_size, layout.align()) {
                return alloc::realloc(block, new_size);
            }
            alloc::realloc_aligned(block, new_size, layout.align())
        }
    }
}
