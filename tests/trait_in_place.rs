//! What the `Allocator` trait moves, and what it does not.
#![cfg(all(feature = "spin", feature = "allocator-api2"))]

mod common;

use allocator_api2::alloc::Allocator;
use common::{Region, layout};
use good_memory_allocator::SpinLockedAllocator;

#[test]
fn a_block_stays_where_it_is_aligned_as_it_is_to_be() {
    let region = Region::new(0, 1 << 20);
    let heap = &SpinLockedAllocator::<8, 2>::empty();
    // SAFETY: the region is valid, and this allocator's alone; the block is
    // live, with the layout that it has then.
    unsafe {
        heap.try_init(region.start(), region.len()).unwrap();
        let first = layout(5000, 64);
        let block = heap.allocate(first).unwrap().cast::<u8>();
        // Nothing is behind it yet.
        let (larger, smaller) = (layout(6000, 8), layout(3000, 64));
        assert_eq!(heap.grow(block, first, larger).unwrap().cast(), block);
        assert_eq!(heap.shrink(block, larger, smaller).unwrap().cast(), block);
        let align = 2 << block.addr().trailing_zeros();
        let aligned = layout(3000, align);
        let moved = heap.grow(block, smaller, aligned).unwrap().cast::<u8>();
        assert_eq!(moved.addr().get() % align, 0);
        heap.deallocate(moved, aligned);
    }
    assert_eq!(heap.stats().live, 0);
}
