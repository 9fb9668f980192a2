//! The memory that was never used, and the words of the bitmap that are
//! cleared as it shrinks.

mod common;

use common::{Region, layout, subject::allocator_over};
use good_memory_allocator::Allocator;

/// Takes all memory granule by granule, and gives every granule back once
/// when it is the last one that was taken.
fn creep(region: &Region, size: usize) {
    let mut allocator: Allocator<0, 2> = allocator_over(region, false);
    let layout = layout(size, 8);
    // SAFETY: every block is freed with its layout while it lives.
    unsafe {
        loop {
            let block = allocator.alloc(layout);
            if block.is_null() {
                break;
            }
            allocator.dealloc(block, layout);
            assert_eq!(allocator.alloc(layout), block);
        }
    }
    allocator.check().unwrap();
}

#[test]
fn a_block_beside_the_gap_can_be_freed_wherever_it_is() {
    for length in (20_000..20_600).step_by(8) {
        creep(&Region::new(0, length), 8);
        creep(&Region::new(0, length), 2048);
    }
}
