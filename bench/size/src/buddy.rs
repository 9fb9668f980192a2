use core::alloc::Layout;
use core::ptr::{self, NonNull};

pub type Heap = buddy_system_allocator::Heap<32>;

pub const NEW: Heap = Heap::new();

pub unsafe fn init(heap: &mut Heap, start: *mut u8, len: usize) {
    // SAFETY: the caller gives memory that is its own.
    unsafe { heap.init(start.addr(), len) }
}

pub unsafe fn alloc(heap: &mut Heap, layout: Layout) -> *mut u8 {
    heap.alloc(layout).map_or(ptr::null_mut(), NonNull::as_ptr)
}

pub unsafe fn dealloc(heap: &mut Heap, block: *mut u8, layout: Layout) {
    // SAFETY: the caller's arguments keep the contract.
    unsafe { heap.dealloc(NonNull::new_unchecked(block), layout) }
}

pub(crate) use crate::move_block as realloc;
