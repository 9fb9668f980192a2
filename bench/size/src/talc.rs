use core::alloc::Layout;
use core::ptr::{self, NonNull};

use talc::{DefaultBinning, base::Talc, source::Manual};

pub type Heap = Talc<Manual, DefaultBinning>;

pub const NEW: Heap = Talc::new(Manual);

pub unsafe fn init(heap: &mut Heap, start: *mut u8, len: usize) {
    // SAFETY: the caller gives memory that is its own.
    unsafe { heap.claim(start, len) };
}

pub unsafe fn alloc(heap: &mut Heap, layout: Layout) -> *mut u8 {
    // SAFETY: the caller's arguments keep the contract.
    unsafe { heap.allocate(layout) }.map_or(ptr::null_mut(), NonNull::as_ptr)
}

pub unsafe fn dealloc(heap: &mut Heap, block: *mut u8, layout: Layout) {
    // SAFETY: the caller's arguments keep the contract.
    unsafe { heap.deallocate(block, layout) }
}

pub unsafe fn realloc(heap: &mut Heap, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
    // SAFETY: the caller's arguments keep the contract.
    unsafe {
        if heap.try_realloc_in_place(block, layout, new_size) {
            return block;
        }
        crate::move_block(heap, block, layout, new_size)
    }
}

/// talc names the `alloc` crate, which wants somebody to ask.
struct Nobody;

// SAFETY: it allocates nothing.
unsafe impl core::alloc::GlobalAlloc for Nobody {
    unsafe fn alloc(&self, _: Layout) -> *mut u8 {
        ptr::null_mut()
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static NOBODY: Nobody = Nobody;
