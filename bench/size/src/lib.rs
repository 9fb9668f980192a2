//! A program that is nothing but an allocator: four functions for its host, over one static heap without a lock.

#![no_std]

#[cfg_attr(
    any(feature = "galloc", feature = "galloc-0x2", feature = "galloc-tiny"),
    path = "galloc.rs"
)]
#[cfg_attr(feature = "talc", path = "talc.rs")]
#[cfg_attr(feature = "rlsf", path = "rlsf.rs")]
#[cfg_attr(feature = "linked-list", path = "linked_list.rs")]
#[cfg_attr(feature = "buddy", path = "buddy.rs")]
mod chosen;

use core::alloc::Layout;
use core::cell::UnsafeCell;
use core::panic::PanicInfo;

use chosen::Heap;

struct Single(UnsafeCell<Heap>);

// SAFETY: the host has one thread.
unsafe impl Sync for Single {}

static HEAP: Single = Single(UnsafeCell::new(chosen::NEW));

/// # Safety
/// Never called while a reference from it is in use.
unsafe fn heap() -> &'static mut Heap {
    // SAFETY: one thread, one call at a time.
    unsafe { &mut *HEAP.0.get() }
}

/// # Safety
/// The host gives memory that is its own.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bench_init(start: *mut u8, len: usize) {
    // SAFETY: the caller says so.
    unsafe { chosen::init(heap(), start, len) }
}

/// # Safety
/// The size is not zero, and it makes a layout with the alignment.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bench_alloc(size: usize, align: usize) -> *mut u8 {
    // SAFETY: the caller says so.
    unsafe { chosen::alloc(heap(), Layout::from_size_align_unchecked(size, align)) }
}

/// # Safety
/// The block lives, and this is its layout.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bench_dealloc(block: *mut u8, size: usize, align: usize) {
    // SAFETY: the caller says so.
    unsafe {
        chosen::dealloc(
            heap(),
            block,
            Layout::from_size_align_unchecked(size, align),
        )
    }
}

/// # Safety
/// The block lives, this is its layout, and the new size is not zero.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bench_realloc(
    block: *mut u8,
    size: usize,
    align: usize,
    new_size: usize,
) -> *mut u8 {
    // SAFETY: the caller says so.
    unsafe {
        chosen::realloc(
            heap(),
            block,
            Layout::from_size_align_unchecked(size, align),
            new_size,
        )
    }
}

/// For those that have no realloc: another block, and a copy.
///
/// # Safety
/// As `bench_realloc`.
#[cfg(any(feature = "linked-list", feature = "buddy", feature = "talc"))]
unsafe fn move_block(heap: &mut Heap, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
    // SAFETY: the caller says so; the blocks are two, and each as large as what is copied.
    unsafe {
        let moved = chosen::alloc(
            heap,
            Layout::from_size_align_unchecked(new_size, layout.align()),
        );
        if !moved.is_null() {
            moved.copy_from_nonoverlapping(block, layout.size().min(new_size));
            chosen::dealloc(heap, block, layout);
        }
        moved
    }
}

#[panic_handler]
fn panic(_: &PanicInfo) -> ! {
    loop {}
}
