//! What is cut from a piece, and when there is a new one.

use super::{Chosen, Granules, Layout, Sample, Tally, Vec, bytes, class};
use crate::{
    cache::Link,
    per_cpu::{
        exchange::{self, BATCH},
        piece::Piece,
        slot::CpuCache,
    },
    unit::{GRANULE, Offset},
};

/// The place of some memory that a line begins at.
fn line(sample: &Sample<Chosen>) -> Offset {
    let layout = Layout::from_size_align(512, 64).unwrap();
    let mut heap = sample.heap.shared.lock(Tally::NONE);
    // SAFETY: the size is not zero.
    let block = unsafe { heap.alloc(layout) };
    heap.span().offset_of(block)
}

/// The blocks of a chain, each of which says what is in it from there on.
fn blocks_of(sample: &Sample<Chosen>, mut chain: Link, size: Granules) -> Vec<Offset> {
    let mut blocks = Vec::new();
    while !chain.block().is_none() {
        blocks.push(chain.block());
        let behind = Link(sample.heap.span().link(chain.block()));
        assert_eq!(chain.amount(), behind.amount() + size);
        chain = behind;
    }
    blocks
}

#[test]
fn blocks_are_cut_from_a_piece_s_end_if_all_are_aligned() {
    // From where to where the piece is, all in granules, the block's size and
    // alignment, how many are wanted, and where they are.
    for (piece, size, align, count, places) in [
        (0..8, 1, 1, 3, &[5, 6, 7][..]),
        (0..8, 3, 1, 9, &[2, 5]),
        (0..8, 2, 2, 2, &[4, 6]),
        (1..8, 2, 2, 9, &[2, 4, 6]),
        (1..8, 4, 4, 9, &[4]),
        (0..7, 2, 2, 9, &[]),
        (0..8, 1, 2, 9, &[]),
        (0..7, 1, 2, 9, &[]),
        (0..8, 9, 1, 1, &[]),
        (3..3, 1, 1, 1, &[]),
    ] {
        let sample = Sample::<Chosen>::of(1 << 20);
        let first = line(&sample);
        let layout = Layout::from_size_align(size * GRANULE, align * GRANULE).unwrap();
        let class = CpuCache::<512, 2>::class_of(layout).unwrap();
        let mut cut = Piece {
            start: first + Granules(piece.start),
            size: Granules(piece.len() as u32),
        };
        let chain = cut.cut(sample.heap.span(), class, layout, count, Link::END);
        let found = blocks_of(&sample, chain, class.granules());
        // The last that was linked is the first of the chain.
        let mut expected: Vec<_> = places.iter().map(|&at| first + Granules(at)).collect();
        expected.reverse();
        assert_eq!(found, expected, "of {piece:?}");
        assert_eq!(cut.start, first + Granules(piece.start));
        assert_eq!(cut.size.0, (piece.len() - places.len() * size) as u32);
    }
}

#[test]
fn what_is_left_of_a_piece_is_parked_and_is_taken_once() {
    let mut piece = Piece {
        start: Offset(100),
        size: Granules(3),
    };
    let parked = piece.as_parked().unwrap();
    assert_eq!((parked.block, parked.size), (Offset(100), Granules(3)));
    assert_eq!(piece.take(), Some((Offset(100), Granules(3))));
    assert!(piece.as_parked().is_none());
    assert!(piece.take().is_none());
    piece.start = Offset(100);
    assert!(piece.as_parked().is_none());
    assert!(piece.take().is_none());
}

/// Fills a list of blocks of a line, the bound of which was raised or not,
/// with such a budget, while the heap has so many parked. Tells whether there
/// was a new piece, and what the list then holds.
fn refilled(budget: u32, grows: bool, parked: usize) -> (bool, u32) {
    let sample = Sample::<Chosen>::of(1 << 20);
    let slot = &sample.heap.slots[0];
    let mut cache = slot.lock();
    let mut heap = sample.heap.shared.lock(Tally::NONE);
    // SAFETY: the blocks are freed once, with their layout.
    unsafe {
        let blocks: Vec<_> = (0..parked).map(|_| heap.alloc(bytes(64))).collect();
        for block in blocks {
            heap.dealloc(block, bytes(64));
        }
    }
    cache.bounds.set_budget(Granules(budget));
    if grows {
        cache.bounds.grow(class(64), 2 * BATCH);
    }
    exchange::refill(
        &mut cache,
        &slot.outbox,
        &mut heap,
        bytes(64),
        class(64),
        Tally::NONE,
    );
    let is_new = !cache.bounds.piece.start.is_none();
    (is_new, cache.held_in(class(64)).0)
}

#[test]
fn a_piece_is_new_if_it_has_all_blocks_that_are_missing() {
    // One is missing, and a piece is an eighth of the budget.
    for (budget, is_new) in [(63, false), (64, true), (128, true)] {
        assert_eq!(refilled(budget, true, 0), (is_new, 8), "of {budget}");
    }
}

#[test]
fn there_is_no_new_piece_for_what_is_parked_or_not_missing() {
    assert_eq!(refilled(1000, true, 1), (false, 8));
    assert_eq!(refilled(1000, false, 0), (false, 0));
    assert_eq!(refilled(1000, false, 1), (false, 0));
}
