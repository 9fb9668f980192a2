//! What is parked, and how much of it.

mod common;

use core::alloc::Layout;

use common::{Region, layout, subject::allocator_over};
use good_memory_allocator::{
    Allocator, DEFAULT_ALIGNMENT_SUB_BINS_AMOUNT, DEFAULT_SMALLBINS_AMOUNT,
};

type Default = Allocator<DEFAULT_SMALLBINS_AMOUNT, DEFAULT_ALIGNMENT_SUB_BINS_AMOUNT>;

fn fresh(region: &Region) -> Default {
    allocator_over(region, false)
}

/// Allocates so many blocks, frees them all, and tells how many bytes of them
/// are parked then.
fn parked_of(count: usize, layout: Layout) -> usize {
    let region = Region::new(0, 16 << 20);
    let mut allocator = fresh(&region);
    // SAFETY: every block is freed once, with its layout.
    let blocks: Vec<_> = (0..count)
        .map(|_| unsafe { allocator.alloc(layout) })
        .collect();
    for block in blocks {
        assert!(!block.is_null());
        // SAFETY: as above.
        unsafe { allocator.dealloc(block, layout) };
    }
    allocator.check().unwrap();
    allocator.stats().parked
}

#[test]
fn small_blocks_are_parked_by_the_thousand() {
    assert_eq!(parked_of(10_000, layout(64, 8)), 640_000);
    assert_eq!(parked_of(2_000, layout(240, 64)), 480_000);
}

#[test]
fn of_larger_blocks_the_fewer_are_parked_the_larger_they_are() {
    assert_eq!(parked_of(2_000, layout(1024, 8)), 1 << 20);
    assert_eq!(parked_of(2_000, layout(2040, 8)), 33 * 2040);
    // From here on, one more in a slot.
    assert_eq!(parked_of(2_000, layout(2048, 8)), 33 * 2048);
    assert_eq!(parked_of(1_000, layout(4096, 8)), 2 * 4096);
    assert_eq!(parked_of(1_000, layout(4104, 8)), 4104);
    assert_eq!(parked_of(100, layout(64 << 10, 8)), 64 << 10);
    assert_eq!(parked_of(100, layout((64 << 10) + 1, 8)), 0);
    assert_eq!(parked_of(100, layout(64 << 10, 16)), 0);
}

/// What is parked of a large block that is freed in a region of so many bytes,
/// of which so many are used.
fn kept<const S: usize>(region: usize, used: usize) -> usize {
    let large = layout(5000, 8);
    let region = Region::new(0, region);
    let mut allocator: Allocator<S, 2> = allocator_over(&region, false);
    // SAFETY: the region outlives what is allocated here.
    unsafe {
        assert!(!allocator.alloc(layout(used, 8)).is_null());
        let block = allocator.alloc(large);
        assert!(!allocator.alloc(layout(8, 8)).is_null());
        allocator.dealloc(block, large);
        let parked = allocator.stats().parked;
        let next = allocator.alloc(large);
        assert_eq!(next, block, "it fits best even if it is not kept");
        parked
    }
}

#[test]
fn a_large_block_is_kept_where_there_are_lists_and_room_for_slots_is_ample() {
    assert_eq!(kept::<8>(64 << 10, 8), 5000);
    assert_eq!(kept::<512>(64 << 10, 8), 5000);
    assert_eq!(kept::<0>(64 << 10, 8), 0);
    assert_eq!(kept::<8>((64 << 10) - 8, 8), 0);
    assert_eq!(kept::<8>(1 << 20, 900_000), 0);
}

/// Frees a large block of each size, one after the other, and tells what is
/// parked then.
fn kept_of(sizes: &[usize]) -> usize {
    let region = Region::new(0, 16 << 20);
    let mut allocator = fresh(&region);
    // SAFETY: the region outlives what is allocated here, and each block is
    // freed once, with its layout.
    unsafe {
        let blocks: Vec<_> = sizes
            .iter()
            .map(|&size| (allocator.alloc(layout(size, 8)), layout(size, 8)))
            .collect();
        for &(block, layout) in &blocks {
            allocator.dealloc(block, layout);
            allocator.check().unwrap();
        }
        let parked = allocator.stats().parked;
        let (last, layout) = blocks[blocks.len() - 1];
        assert_eq!(allocator.alloc(layout), last, "what was freed last");
        assert_eq!(allocator.stats().parked, parked - layout.size());
        parked
    }
}

#[test]
fn a_large_block_drives_out_another_in_its_slot_and_no_other() {
    let mut alone = 0;
    for size in (5008..=6000).step_by(8) {
        let parked = kept_of(&[5000, size]);
        assert!(parked == size || parked == 5000 + size);
        alone += usize::from(parked == size);
    }
    assert!((1..40).contains(&alone), "{alone} of 125 in the same slot");
    let sizes: Vec<_> = (5000..6000).step_by(8).collect();
    let parked = kept_of(&sizes);
    assert!((10 * 5000..=16 * 6000).contains(&parked), "{parked}");
}

#[test]
fn a_large_block_that_is_kept_serves_alloc_zeroed_and_what_moves() {
    let region = Region::new(0, 1 << 20);
    let mut allocator = fresh(&region);
    let (small, large) = (layout(2000, 8), layout(5000, 8));
    // SAFETY: the region outlives what is allocated here, and each block is
    // freed once, with its layout.
    unsafe {
        // At the region's end, where nothing can grow.
        let moves = allocator.alloc(small);
        let block = allocator.alloc(large);
        // Else it would be the best fit even if it were not kept.
        allocator.alloc(large);
        block.write_bytes(0xAB, large.size());
        allocator.dealloc(block, large);
        let free = allocator.stats().free;

        let zeroed = allocator.alloc_zeroed(large);
        assert_eq!((zeroed, allocator.stats().free), (block, free));
        assert!((0..large.size()).all(|at| zeroed.add(at).read() == 0));

        allocator.dealloc(zeroed, large);
        assert_eq!(allocator.realloc(moves, small, large.size()), block);
    }
}

#[test]
fn a_large_block_that_is_kept_is_given_back_to_who_needs_it() {
    let region = Region::new(0, 1 << 20);
    let mut allocator = fresh(&region);
    let (large, larger) = (layout(60_000, 8), layout(60_008, 8));
    // SAFETY: the region outlives what is allocated here, and the block is
    // freed once, with its layout.
    unsafe {
        let block = allocator.alloc(large);
        allocator.dealloc(block, large);
        assert_eq!(allocator.stats().parked, 60_000);
        while !allocator.alloc(larger).is_null() {}
        assert_eq!(allocator.stats().parked, 0);
        let free = allocator.stats().largest_free;
        assert!(free < 60_008, "{free} are left");
    }
    allocator.check().unwrap();
}

#[test]
fn what_realloc_cuts_off_is_free_at_once() {
    let region = Region::new(0, 1 << 20);
    let mut allocator = fresh(&region);
    let (long, short) = (layout(400, 8), layout(160, 8));
    // SAFETY: the block is used with the layouts that it has.
    unsafe {
        let block = allocator.alloc(long);
        let before = allocator.stats();
        assert_eq!(allocator.realloc(block, long, 160), block);
        let after = allocator.stats();
        assert_eq!((after.parked, after.free), (0, before.free + 240));
        allocator.dealloc(block, short);
    }
    allocator.check().unwrap();
}

/// The last list of a size has blocks of several alignments.
#[test]
fn a_parked_block_serves_the_alignments_that_it_has() {
    let region = Region::new(0, 1 << 20);
    let mut allocator = fresh(&region);
    let (page, line) = (layout(64, 4096), layout(64, 64));
    // SAFETY: the blocks are used with the layouts that they have.
    unsafe {
        let block = allocator.alloc(page);
        allocator.dealloc(block, page);
        assert_eq!(allocator.alloc(line), block);
        let other = allocator.alloc(line);
        assert_ne!(other.addr() % 4096, 0);
        allocator.dealloc(other, line);
        let second_page = allocator.alloc(page);
        assert_eq!(second_page.addr() % 4096, 0);
        assert_ne!(second_page, block);
    }
    allocator.check().unwrap();
}

/// There is a list for each of the smallest alignments, the last of which has
/// all larger ones too.
#[test]
fn lists_are_told_apart_by_alignment() {
    fn holds<const A: usize>() {
        const ALIGNMENTS: [usize; 9] = [1, 2, 4, 8, 16, 32, 64, 128, 4096];
        let list_of = |align: usize| (align.max(8) / 8).ilog2().min(A as u32 - 1);
        let pairs = ALIGNMENTS.map(|one| ALIGNMENTS.map(|other| (one, other)));
        for (one, other) in pairs.into_iter().flatten() {
            let region = Region::new(0, 1 << 16);
            let mut allocator: Allocator<8, A> = allocator_over(&region, false);
            // SAFETY: the region outlives what is allocated here, and a block
            // that is aligned to 4096 could have been had for less.
            let (block, next) = unsafe {
                let block = allocator.alloc(layout(64, 4096));
                allocator.dealloc(block, layout(64, one));
                (block, allocator.alloc(layout(64, other)))
            };
            assert!(!next.is_null());
            assert_eq!(
                block == next,
                list_of(one) == list_of(other),
                "of {A} lists, aligned to {one} and {other}"
            );
        }
    }
    holds::<2>();
    holds::<3>();
    holds::<4>();
    holds::<5>();
    holds::<64>();
}

/// Parks so many blocks and asks for nearly all memory, again and again until
/// it is there. Tells how many blocks each request gave back.
fn given_back(mut allocator: Default, count: usize) -> Vec<usize> {
    const SIZE: usize = 64;
    let region = Region::new(0, 64 << 10);
    let (small, most) = (layout(SIZE, 8), layout(60 << 10, 8));
    let mut given_back = Vec::new();
    // SAFETY: the region outlives the allocator's use, and every block is
    // freed once, with its layout.
    unsafe {
        allocator.try_init(region.start(), region.len()).unwrap();
        let blocks: Vec<_> = (0..count).map(|_| allocator.alloc(small)).collect();
        for block in blocks {
            allocator.dealloc(block, small);
        }
        let mut parked = allocator.stats().parked;
        assert_eq!(parked, count * SIZE);
        loop {
            let block = allocator.alloc(most);
            allocator.check().unwrap();
            let left = allocator.stats().parked;
            given_back.push((parked - left) / SIZE);
            parked = left;
            if !block.is_null() {
                return given_back;
            }
        }
    }
}

#[test]
fn a_request_gives_back_what_it_needs_and_of_a_bounded_allocator_a_part() {
    let whole = given_back(Allocator::empty(), 400);
    assert_eq!(whole.len(), 1);
    assert!(whole[0] > 300);
    let parts = given_back(Allocator::bounded(), 400);
    assert!(parts.len() > 1, "{parts:?}");
    assert!(parts.iter().all(|&part| part <= 128), "{parts:?}");
}
