use core::alloc::Layout;
use core::ptr::{self, NonNull};

use rlsf::Tlsf;

/// A small configuration: blocks to 128 KiB.
pub type Heap = Tlsf<'static, u16, u16, 12, 16>;

pub const NEW: Heap = Tlsf::new();

pub unsafe fn init(heap: &mut Heap, start: *mut u8, len: usize) {
    // SAFETY: the caller gives memory that is its own.
    unsafe {
        heap.insert_free_block_ptr(NonNull::new_unchecked(ptr::slice_from_raw_parts_mut(
            start, len,
        )))
    };
}

pub unsafe fn alloc(heap: &mut Heap, layout: Layout) -> *mut u8 {
    heap.allocate(layout)
        .map_or(ptr::null_mut(), NonNull::as_ptr)
}

pub unsafe fn dealloc(heap: &mut Heap, block: *mut u8, layout: Layout) {
    // SAFETY: the caller's arguments keep the contract.
    unsafe { heap.deallocate(NonNull::new_unchecked(block), layout.align()) }
}

pub unsafe fn realloc(heap: &mut Heap, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
    // SAFETY: the caller's arguments keep the contract.
    let moved = unsafe {
        let new_layout = Layout::from_size_align_unchecked(new_size, layout.align());
        heap.reallocate(NonNull::new_unchecked(block), new_layout)
    };
    moved.map_or(ptr::null_mut(), NonNull::as_ptr)
}
