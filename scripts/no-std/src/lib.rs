//! Calls the library as firmware would, so that its generic code is compiled to the target's
//! instructions and not merely type-checked.

#![no_std]

use core::alloc::Layout;
use good_memory_allocator::Allocator;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}

/// Allocates, grows and frees in a heap of `length` bytes at `start`; whether all were served.
///
/// # Safety
/// The memory is the caller's to give and stays unused by anyone else.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unlocked(start: usize, length: usize) -> bool {
    let mut default: Allocator = Allocator::empty();
    // SAFETY: the caller gives the memory.
    let default_served = unsafe {
        default.init(start, length / 2);
        churn(&mut default)
    };
    let mut smallest = Allocator::<0, 2>::empty();
    // SAFETY: the caller gives the memory, and this is the other half of it.
    let smallest_served = unsafe {
        smallest.init(start + length / 2, length / 2);
        churn(&mut smallest)
    };
    default_served && smallest_served
}

/// # Safety
/// The heap is initialised.
unsafe fn churn<const SMALLBINS: usize, const SUB_BINS: usize>(
    heap: &mut Allocator<SMALLBINS, SUB_BINS>,
) -> bool {
    let layout = Layout::new::<[u64; 3]>();
    // SAFETY: the heap is initialised; the block is freed once, with the layout it then has.
    unsafe {
        let block = heap.alloc(layout);
        if block.is_null() {
            return false;
        }
        let grown = heap.realloc(block, layout, 100);
        if grown.is_null() {
            heap.dealloc(block, layout);
            return false;
        }
        heap.dealloc(
            grown,
            Layout::from_size_align_unchecked(100, layout.align()),
        );
    }
    true
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
