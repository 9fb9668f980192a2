//! When parked blocks are given back, and how many.

mod common;

use core::alloc::Layout;

use common::{Region, layout, subject::give};
use good_memory_allocator::Allocator;

const SIZE: usize = 64;

/// An allocator in which some blocks of [`SIZE`] are parked.
struct Sample {
    allocator: Allocator,
    region: Region,
}

impl Sample {
    /// With so many parked blocks, each with a live one beside it or none.
    fn new(allocator: Allocator, parked: usize, apart: bool) -> Self {
        let region = Region::new(0, 1 << 20);
        let mut sample = Self {
            allocator: give(allocator, &region, false),
            region,
        };
        let blocks: Vec<_> = (0..parked)
            .map(|_| {
                let block = sample.alloc(SIZE);
                if apart {
                    sample.alloc(8);
                }
                block
            })
            .collect();
        for block in blocks {
            // SAFETY: the block is live, and of this layout.
            unsafe { sample.allocator.dealloc(block, layout(SIZE, 8)) };
        }
        assert_eq!(sample.parked(), parked);
        sample
    }

    fn alloc(&mut self, size: usize) -> *mut u8 {
        let block = self.try_alloc(layout(size, 8));
        assert!(!block.is_null(), "no {size} bytes");
        block
    }

    fn try_alloc(&mut self, layout: Layout) -> *mut u8 {
        // SAFETY: the region outlives what is allocated here.
        unsafe { self.allocator.alloc(layout) }
    }

    /// How many parked blocks an allocation gives back.
    fn given_back_for(&mut self, size: usize) -> usize {
        let before = self.parked();
        self.alloc(size);
        self.allocator.check().unwrap();
        assert!(self.region.kept_within());
        before - self.parked()
    }

    fn parked(&self) -> usize {
        self.allocator.stats().parked / SIZE
    }

    /// Takes what is free but for half of the heap and so much more.
    fn use_half_but(&mut self, more: usize) {
        let stats = self.allocator.stats();
        self.alloc(stats.free - stats.capacity / 16 * 8 - more);
    }
}

#[test]
fn nothing_is_given_back_while_half_is_unused() {
    let mut sample = Sample::new(Allocator::empty(), 1000, true);
    sample.use_half_but(200);
    assert_eq!(sample.given_back_for(200), 0);
    assert_eq!(sample.given_back_for(200), 16);

    // An aligned block, too, may have the last that is above the reserve.
    let mut sample = Sample::new(Allocator::empty(), 1000, true);
    sample.use_half_but(200);
    assert!(!sample.try_alloc(layout(200, 16)).is_null());
    assert_eq!(sample.parked(), 1000);
    assert!(!sample.try_alloc(layout(200, 16)).is_null());
    assert_eq!(sample.parked(), 1000 - 16);
}

#[test]
fn a_larger_request_gives_back_more() {
    let mut sample = Sample::new(Allocator::empty(), 1000, true);
    sample.use_half_but(0);
    for (size, blocks) in [(200, 16), (248, 16), (256, 17), (2048, 24), (12_288, 64)] {
        assert_eq!(sample.given_back_for(size), blocks, "for {size} bytes");
    }
    assert_eq!(sample.given_back_for(100_000), 64);
}

#[test]
fn a_request_that_was_served_gives_back_no_more() {
    let mut sample = Sample::new(Allocator::empty(), 100, false);
    sample.use_half_but(0);
    assert_eq!(sample.given_back_for(2 * SIZE), 2);
    assert_eq!(sample.given_back_for(3 * SIZE + 8), 4);
    assert_eq!(sample.given_back_for(SIZE - 8), 0);
    assert_eq!(sample.given_back_for(SIZE / 2), 1);
}

#[test]
fn the_last_request_gives_back_as_much_as_it_needs() {
    for blocks in [64, 65, 100, 399] {
        let mut sample = Sample::new(Allocator::empty(), 400, false);
        let free = sample.allocator.stats().free;
        assert_eq!(sample.given_back_for(free + blocks * SIZE), blocks);
    }
}

#[test]
fn a_bounded_allocator_gives_back_128_blocks_and_fails() {
    let mut sample = Sample::new(Allocator::bounded(), 400, false);
    let free = sample.allocator.stats().free;
    let most = layout(free + 300 * SIZE, 8);
    for left in [272, 144] {
        assert!(sample.try_alloc(most).is_null());
        assert_eq!(sample.parked(), left);
    }
    assert_eq!(sample.given_back_for(most.size()), 64);
}

/// Where a block of `size` bytes is when it gets `new_size`, while one of just
/// that size is parked: whether there, and what is parked then.
fn resized(size: usize, new_size: usize) -> (bool, usize) {
    resized_beside(0, size, new_size)
}

/// The same, in a heap of a megabyte in which `used` bytes are live, too.
fn resized_beside(used: usize, size: usize, new_size: usize) -> (bool, usize) {
    let region = Region::new(0, 1 << 20);
    let mut allocator: Allocator = give(Allocator::empty(), &region, false);
    // SAFETY: the region outlives what is allocated here; each block is live,
    // of its layout, and as long as what is written and read.
    let took_parked = unsafe {
        assert!(!allocator.alloc(layout(used, 8)).is_null());
        let block = allocator.alloc(layout(size, 8));
        let parked = allocator.alloc(layout(new_size, 8));
        allocator.dealloc(parked, layout(new_size, 8));
        let kept = size.min(new_size);
        block.write_bytes(0xA5, kept);
        let moved = allocator.realloc(block, layout(size, 8), new_size);
        let content = std::slice::from_raw_parts(moved, kept);
        assert!(content.iter().all(|&byte| byte == 0xA5));
        moved == parked
    };
    allocator.check().unwrap();
    (took_parked, allocator.stats().parked)
}

#[test]
fn small_blocks_change_places_with_parked_ones_of_the_new_size() {
    assert_eq!(resized(64, 640), (true, 64));
    assert_eq!(resized(640, 64), (true, 640));
    assert_eq!(resized(1024, 8), (true, 1024));
    assert_eq!(resized(61, 64), (false, 64));
}

#[test]
fn blocks_stay_where_they_are_if_room_is_scarce() {
    assert_eq!(resized_beside(3 << 18, 640, 64), (false, 0));
}

#[test]
fn a_large_block_shrinks_where_it_is_and_a_parked_one_of_its_new_size_is_freed() {
    assert_eq!(resized(1025, 64), (false, 0));
}

/// Whether a block that grows to 8000 bytes takes a chunk of twice as many,
/// though there is one of just its size. Where nothing is parked: it would be
/// taken first.
fn grows_where_it_can_double(size: usize) -> bool {
    let region = Region::new(0, 1 << 20);
    let mut allocator: Allocator<0> = give(Allocator::empty(), &region, false);
    // SAFETY: the region outlives what is allocated here; each block is live,
    // and of its layout.
    unsafe {
        let sizes = [16_000, 5000, 8000, 5000, size, 5000];
        let blocks = sizes.map(|size| allocator.alloc(layout(size, 8)));
        allocator.dealloc(blocks[0], layout(16_000, 8));
        allocator.dealloc(blocks[2], layout(8000, 8));
        let grown = allocator.realloc(blocks[4], layout(size, 8), 8000);
        assert!(grown == blocks[0] || grown == blocks[2]);
        grown == blocks[0]
    }
}

#[test]
fn what_at_most_doubles_gets_room_to_double_again() {
    assert!(grows_where_it_can_double(4000));
    assert!(!grows_where_it_can_double(3992));
}

#[test]
fn a_block_that_grows_where_it_is_frees_a_parked_one_of_its_new_size() {
    let region = Region::new(0, 1 << 20);
    let mut allocator: Allocator = give(Allocator::empty(), &region, false);
    // SAFETY: the region outlives what is allocated here; each block is live,
    // and of its layout.
    unsafe {
        let [_, parked, block] = [(); 3].map(|()| allocator.alloc(layout(3000, 8)));
        allocator.dealloc(parked, layout(3000, 8));
        assert_eq!(allocator.stats().parked, 3000);
        let block = allocator.realloc(block, layout(3000, 8), 2000);
        assert_eq!(allocator.stats().parked, 3000);
        let grown = allocator.realloc(block, layout(2000, 8), 3000);
        assert_eq!(grown, block);
    }
    assert_eq!(allocator.stats().parked, 0);
    allocator.check().unwrap();
}

#[test]
fn a_parked_block_that_is_not_aligned_well_enough_is_freed() {
    let region = Region::new(0, 1 << 20);
    let mut allocator: Allocator = give(Allocator::empty(), &region, false);
    // SAFETY: the region outlives what is allocated here; each block is live,
    // and of its layout.
    unsafe {
        let blocks = [(); 2].map(|()| allocator.alloc(layout(64, 16)));
        let misaligned = blocks.iter().find(|block| block.addr() % 1024 != 0);
        allocator.dealloc(*misaligned.unwrap(), layout(64, 16));
        assert_eq!(allocator.stats().parked, 64);
        assert!(!allocator.alloc(layout(64, 1024)).is_null());
    }
    assert_eq!(allocator.stats().parked, 0);
    allocator.check().unwrap();
}

#[test]
fn what_was_outgrown_is_parked_if_it_is_small() {
    for (size, parked) in [(64, 64), (504, 504), (1023, 1024), (1025, 0), (2000, 0)] {
        let region = Region::new(0, 1 << 20);
        let mut allocator: Allocator = give(Allocator::empty(), &region, false);
        // SAFETY: the region outlives what is allocated here; the block is
        // live, and of this layout.
        unsafe {
            let blocks = [(); 3].map(|()| allocator.alloc(layout(size, 8)));
            let moved = allocator.realloc(blocks[1], layout(size, 8), 4096);
            assert_ne!(moved, blocks[1]);
        }
        assert_eq!(allocator.stats().parked, parked, "of {size} bytes");
        allocator.check().unwrap();
    }
}
