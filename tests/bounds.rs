//! Operations that go to the limits of what `docs/design.md` bounds. That they
//! keep to them the library itself asserts, in debug builds.

mod common;

use common::{Region, layout, subject::give};
use good_memory_allocator::Allocator;

/// A bounded allocator over free chunks of very many sizes, none of which
/// touch.
fn of_many_chunks(region: &Region) -> Allocator<0, 2> {
    let mut allocator = give(Allocator::bounded(), region, false);
    let between = layout(8, 8);
    // SAFETY: every block is freed once, with its layout.
    unsafe {
        let blocks: Vec<_> = (1..200)
            .map(|granules| layout(8 * granules, 8))
            .map(|layout| (allocator.alloc(layout), layout, allocator.alloc(between)))
            .collect();
        for (block, layout, between) in blocks {
            assert!(!block.is_null() && !between.is_null());
            allocator.dealloc(block, layout);
        }
    }
    allocator
}

#[test]
fn a_bounded_allocator_gives_up_among_many_chunks() {
    let region = Region::new(0, 4 << 20);
    let mut allocator = of_many_chunks(&region);
    for size in [8, 80, 800] {
        // SAFETY: an allocation needs none.
        let block = unsafe { allocator.alloc(layout(size, 1 << (usize::BITS - 2))) };
        assert!(block.is_null());
    }
    allocator.check().unwrap();
}

#[test]
fn a_request_drains_as_many_blocks_as_it_may() {
    let region = Region::new(0, 1 << 20);
    let mut allocator: Allocator<8, 2> = give(Allocator::bounded(), &region, false);
    let (small, large) = (layout(64, 8), layout(512 << 10, 8));
    // SAFETY: every block is freed once, with its layout.
    unsafe {
        let blocks: Vec<_> = (0..4000).map(|_| allocator.alloc(small)).collect();
        for block in blocks.into_iter().step_by(2) {
            allocator.dealloc(block, small);
        }
        assert_eq!(allocator.stats().parked, 2000 * 64);
        assert!(!allocator.alloc(large).is_null());
        assert_eq!(allocator.stats().parked, (2000 - 64) * 64);
        assert!(allocator.alloc(large).is_null());
        assert_eq!(allocator.stats().parked, (2000 - 64 - 128) * 64);
        while allocator.stats().parked > 0 {
            allocator.alloc(large);
        }
        assert!(allocator.alloc(large).is_null());
    }
    allocator.check().unwrap();
}

#[test]
fn a_request_passes_over_chunks_that_are_too_short() {
    let region = Region::new(0, 4 << 20);
    let mut allocator: Allocator<0, 2> = give(Allocator::empty(), &region, false);
    let (short, long, between) = (layout(8192, 8), layout(20_000, 8), layout(4096, 8));
    // SAFETY: every block is freed once, with its layout.
    unsafe {
        let blocks = [short, short, short, short, short, short, long].map(|layout| {
            let block = allocator.alloc(layout);
            allocator.alloc(between);
            (block, layout)
        });
        for (block, layout) in blocks {
            allocator.dealloc(block, layout);
        }
        let (long, _) = blocks[6];
        assert_eq!(allocator.alloc(layout(8200, 8)), long);
    }
    allocator.check().unwrap();
}
