//! How many blocks pass between a CPU's list, the heap and what is deferred.

use super::{
    Bounds, CPU, Chosen, GlobalAlloc, Granules, Handler, Layout, Sample, Tally, Vec, bytes, class,
};
use crate::per_cpu::exchange::{self, BATCH};

/// The granules of a new list's bound: two cache lines of the smallest blocks.
const LEAST: usize = 16;

/// The blocks that a CPU parks of blocks of 8 bytes, after each one is freed.
fn parked_as_blocks_come(sample: &Sample<Chosen>, blocks: &[*mut u8]) -> Vec<usize> {
    let parked = |&block: &*mut u8| {
        sample.free(block, 8);
        sample.parked_on(0) / 8
    };
    blocks.iter().map(parked).collect()
}

/// What is seen then: a list that grows to 128 blocks, and is halved when
/// it has so many; so often the block that comes then is parked.
fn up_to_128_and_half_of_it(count: usize, kept: usize) -> Vec<usize> {
    let (mut parked, mut halved) = (0, 0);
    let next = |_| {
        if parked == 128 {
            halved += 1;
            parked = 64 + usize::from(halved <= kept);
        } else {
            parked += 1;
        }
        parked
    };
    (0..count).map(next).collect()
}

/// A heap of which so many blocks of 8 bytes are live, and nothing is parked.
fn with_blocks(count: usize) -> (Sample<Chosen>, Vec<*mut u8>) {
    let sample = Sample::<Chosen>::of(1 << 20);
    let layout = bytes(8);
    let mut heap = sample.heap.shared.lock(Tally::NONE);
    // SAFETY: the size is not zero.
    let blocks = (0..count).map(|_| unsafe { heap.alloc(layout) }).collect();
    drop(heap);
    (sample, blocks)
}

#[test]
fn half_of_a_full_list_goes_to_the_heap() {
    let (sample, blocks) = with_blocks(300);
    let live = sample.heap.stats().live;
    let seen = parked_as_blocks_come(&sample, &blocks);
    assert_eq!(seen, up_to_128_and_half_of_it(300, usize::MAX));
    let stats = sample.heap.stats();
    assert_eq!(stats.live, live - 300 * 8);
    sample.heap.check().unwrap();
}

#[test]
fn half_of_a_full_list_is_deferred_while_the_heap_is_held() {
    let (sample, blocks) = with_blocks(300);
    let heap = sample.heap.shared.lock(Tally::NONE);
    let used = heap.stats().live;
    // The budget is set when the heap is at hand.
    sample
        .heap
        .shared
        .set_budget(Granules(10_000), Granules::ZERO);
    let seen = parked_as_blocks_come(&sample, &blocks);
    // Two halves are put out.
    assert_eq!(seen, up_to_128_and_half_of_it(300, 2));
    assert_eq!(sample.out_of(0), 128 * 8);
    assert_eq!(heap.stats().live, used);
    drop(heap);
    assert_eq!(sample.heap.stats().live, used - 300 * 8);
    sample.heap.check().unwrap();
}

#[test]
fn half_of_a_list_is_fetched_at_once() {
    let sample = Sample::<Chosen>::of(1 << 20);
    let mut fetched = Vec::new();
    for _ in 0..240 {
        let before = sample.parked_on(0);
        sample.alloc(8);
        if before == 0 {
            fetched.push(sample.parked_on(0) / 8 + 1);
        }
    }
    assert_eq!(fetched, [LEAST / 2, LEAST, 32, 64, 64, 64]);
    // Blocks of a line each.
    let sample = Sample::<Chosen>::of(1 << 20);
    sample.alloc(64);
    assert_eq!(sample.parked_on(0), 0);
    sample.alloc(64);
    assert_eq!(sample.parked_on(0), 64);
}

#[test]
fn lists_are_filled_from_a_piece_without_the_lock() {
    let sample = Sample::<Handler>::of(1 << 20);
    // The first request of a size gets no list.
    for _ in 0..2 {
        assert!(!sample.alloc(64).is_null());
    }
    let piece = sample.piece_of(0);
    assert!(piece > 0 && sample.heap.check().is_ok());
    let lock = sample.heap.shared.lock(Tally::NONE);
    let blocks = [(); 4].map(|()| sample.alloc(104));
    assert!(blocks.iter().all(|block| !block.is_null()));
    drop(lock);
    // One, one more, and two for a list of four.
    assert_eq!(sample.piece_of(0), piece - 4 * 104);
    sample.heap.check().unwrap();
}

#[test]
fn blocks_are_cut_from_a_piece_as_they_are_aligned() {
    let sample = Sample::<Handler>::of(1 << 20);
    sample.alloc(64);
    sample.alloc(64);
    sample.alloc(104);
    let lock = sample.heap.shared.lock(Tally::NONE);
    let aligned = Layout::from_size_align(16, 16).unwrap();
    // SAFETY: the size is not zero.
    let block = unsafe { sample.heap.alloc(aligned) };
    assert!(block.addr() % 16 == 0, "none or an aligned one");
    drop(lock);
    sample.heap.check().unwrap();
}

#[test]
fn a_piece_is_taken_back_before_a_request_fails() {
    let sample = Sample::<Chosen>::of(1 << 20);
    let mut live = 2;
    sample.alloc(64);
    sample.alloc(64);
    assert!(sample.piece_of(0) > 0);
    CPU.set(1);
    while !sample.alloc(64).is_null() {
        live += 1;
    }
    CPU.set(0);
    assert_eq!(sample.piece_of(0), 0);
    let stats = sample.heap.stats();
    assert!(stats.parked == 0 && stats.largest_free < 64, "{stats:?}");
    assert_eq!(stats.live, live * 64);
}

#[test]
fn a_list_gives_one_block_at_least() {
    let sample = Sample::<Chosen>::of(1 << 20);
    let blocks = [(); 3].map(|()| sample.alloc(4096));
    let mut cache = sample.heap.slots[0].lock();
    let mut heap = sample.heap.shared.lock(Tally::NONE);
    let (span, layout) = (heap.span(), bytes(4096));
    while cache.pop(span, layout).is_some() {}
    // No budget for more than a block.
    let budget = heap.budget(8 * 1000);
    assert!(budget.0 < 512, "{budget:?}");
    cache.bounds.sleep();
    cache.bounds.set_budget(Granules(512));
    cache.bounds.grow(class(4096), 2 * BATCH);
    assert!(cache.push(span, layout, blocks[0]));
    let outbox = &sample.heap.slots[0].outbox;
    exchange::make_room(&mut cache, outbox, &mut heap, class(4096), Tally::NONE);
    assert_eq!(cache.held_in(class(4096)), Granules::ZERO);
}

#[test]
fn a_chain_has_every_block() {
    let (sample, blocks) = with_blocks(5);
    let mut cache = sample.heap.slots[0].lock();
    let span = sample.heap.span();
    cache.bounds.set_budget(Granules(10_000));
    cache.bounds.grow(class(8), 4);
    for &block in &blocks[..4] {
        assert!(exchange::park(&mut cache, span, block, bytes(8)));
    }
    let chain = exchange::unlink_half(&mut cache, span, blocks[4], bytes(8), class(8), Tally::NONE);
    assert_eq!(cache.held_in(class(8)), Granules(2));
    let live = sample.heap.shared.lock(Tally::NONE).stats().live;
    sample.heap.shared.defer_chain(span, chain);
    assert_eq!(sample.heap.lock_settled().stats().live, live - 3 * 8);
}

#[test]
fn half_of_the_budget_may_be_out() {
    for (budget, fits) in [(127, false), (128, true)] {
        let (sample, blocks) = with_blocks(128);
        let slot = &sample.heap.slots[0];
        let mut cache = slot.lock();
        let span = sample.heap.span();
        cache.bounds.set_budget(Granules(10_000));
        while cache.bounds.of(class(8)).0 < 128 {
            cache.bounds.grow(class(8), 2 * BATCH);
        }
        for &block in &blocks {
            assert!(exchange::park(&mut cache, span, block, bytes(8)));
        }
        let budget = Granules(budget);
        let is_out = exchange::put_out(
            &mut cache,
            &slot.outbox,
            span,
            class(8),
            budget,
            Tally::NONE,
        );
        assert_eq!(is_out, fits);
        let out = if fits { 64 } else { 0 };
        assert_eq!(slot.outbox.amount(), Granules(out));
        assert_eq!(cache.held_in(class(8)), Granules(128 - out));
    }
}

#[test]
fn a_list_that_loses_room_for_128_blocks_gives_what_is_more_and_what_is_out() {
    // Its grant is the first that is looked at.
    const SIZE: usize = 16;
    let sample = Sample::<Chosen>::of(1 << 20);
    sample.free_on(0, SIZE, 1300);
    let out = sample.out_of(0);
    let left = (1024 - 128) * SIZE;
    assert!(out > 0);
    let slot = &sample.heap.slots[0];
    let mut cache = slot.lock();
    let mut heap = sample.heap.shared.lock(Tally::NONE);
    let live = heap.stats().live;
    let held = cache.held_in(class(SIZE)).bytes();
    cache.bounds.set_budget(Granules::ZERO);
    exchange::refill(
        &mut cache,
        &slot.outbox,
        &mut heap,
        bytes(400),
        class(400),
        Tally::NONE,
    );
    assert_eq!(cache.held_in(class(SIZE)).bytes(), left);
    assert_eq!(heap.stats().live, live - (held - left) - out);
    drop((cache, heap));
    assert_eq!(sample.out_of(0), 0);
    sample.heap.check().unwrap();
}
