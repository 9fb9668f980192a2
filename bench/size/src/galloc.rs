use core::alloc::Layout;

#[cfg(feature = "galloc")]
pub type Heap = good_memory_allocator::Allocator;
#[cfg(feature = "galloc-0x2")]
pub type Heap = good_memory_allocator::Allocator<0, 2>;
#[cfg(feature = "galloc-tiny")]
pub type Heap = good_memory_allocator::TinyAllocator;

pub const NEW: Heap = Heap::empty();

pub unsafe fn init(heap: &mut Heap, start: *mut u8, len: usize) {
    // SAFETY: the caller gives memory that is its own.
    unsafe { heap.init(start.addr(), len) }
}

pub unsafe fn alloc(heap: &mut Heap, layout: Layout) -> *mut u8 {
    // SAFETY: the caller's arguments keep the contract.
    unsafe { heap.alloc(layout) }
}

pub unsafe fn dealloc(heap: &mut Heap, block: *mut u8, layout: Layout) {
    // SAFETY: the caller's arguments keep the contract.
    unsafe { heap.dealloc(block, layout) }
}

pub unsafe fn realloc(heap: &mut Heap, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
    // SAFETY: the caller's arguments keep the contract.
    unsafe { heap.realloc(block, layout, new_size) }
}
