//! Calls the library as firmware would, so that its generic code is compiled to the target's
//! instructions and not merely type-checked.

#![no_std]

use core::alloc::Layout;
use good_memory_allocator::{Allocator, TinyAllocator};

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}

/// Allocates, grows and frees in a heap; whether all was served. The heap is initialised.
macro_rules! churn {
    ($heap:expr) => {{
        let layout = Layout::new::<[u64; 3]>();
        let block = $heap.alloc(layout);
        let grown = if block.is_null() {
            block
        } else {
            $heap.realloc(block, layout, 100)
        };
        if !grown.is_null() {
            let layout = Layout::from_size_align_unchecked(100, layout.align());
            $heap.dealloc(grown, layout);
        } else if !block.is_null() {
            $heap.dealloc(block, layout);
        }
        !grown.is_null()
    }};
}

/// Allocates, grows and frees in a heap of `length` bytes at `start`; whether all were served.
///
/// # Safety
/// The memory is the caller's to give and stays unused by anyone else.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unlocked(start: usize, length: usize) -> bool {
    let mut default: Allocator = Allocator::empty();
    // SAFETY: the caller gives the memory; blocks are freed once, with the layout they then have.
    let default_served = unsafe {
        default.init(start, length / 2);
        churn!(default)
    };
    let mut smallest = Allocator::<0, 2>::empty();
    // SAFETY: as above, with the other half of the memory.
    let smallest_served = unsafe {
        smallest.init(start + length / 2, length / 2);
        churn!(smallest)
    };
    default_served && smallest_served
}

/// The same in a tiny heap.
///
/// # Safety
/// As for `unlocked`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tiny(start: usize, length: usize) -> bool {
    let mut heap = TinyAllocator::empty();
    // SAFETY: the caller gives the memory; blocks are freed once, with the layout they then have.
    unsafe {
        heap.init(start, length);
        churn!(heap)
    }
}

#[cfg(any(feature = "spin", feature = "critical-section"))]
mod global {
    extern crate alloc;

    use alloc::{boxed::Box, vec::Vec};
    #[cfg(not(feature = "spin"))]
    use good_memory_allocator::CriticalSectionAllocator as Heap;
    #[cfg(feature = "spin")]
    use good_memory_allocator::SpinLockedAllocator as Heap;

    #[global_allocator]
    static HEAP: Heap = Heap::empty();

    /// Fills a `Vec` from the global heap; its sum.
    ///
    /// # Safety
    /// The memory is the caller's to give, for ever.
    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn global(start: usize, length: usize) -> u32 {
        // SAFETY: the caller gives the memory.
        unsafe { HEAP.init(start, length) };
        let numbers: Vec<Box<u32>> = (0..10).map(Box::new).collect();
        numbers.iter().map(|number| **number).sum()
    }
}
