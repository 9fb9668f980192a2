//! What an allocator gives to quick lists in front of it, and takes from them.

use super::{Granules, LIST_AT_HALF, Layout, Offset, Sample, Vec};
use crate::{
    allocator::{Front, LINE, halving::Halving},
    cache::{Cache, Link},
    heap::{LARGE, chunk::Span},
};

/// One in so many granules is the lists' budget here.
const ONE_IN: u32 = 16;

fn layout(granules: u32, alignment: u32) -> Layout {
    Layout::from_size_align(granules as usize * 8, alignment as usize * 8).unwrap()
}

impl Sample {
    /// Parks blocks in the allocator's own lists; gives them sorted by place.
    fn park(&mut self, size: u32, count: usize) -> Vec<Offset> {
        let mut blocks: Vec<_> = (0..count).map(|_| self.take(size)).collect();
        for &block in &blocks {
            self.return_spare(size, block);
        }
        blocks.sort();
        blocks
    }

    /// Gives a block back that is alone in its list in front.
    fn return_spare(&mut self, size: u32, block: Offset) {
        let mut front = Cache::<8, 2, Halving>::empty();
        let class = Cache::<8, 2, Halving>::class_of(layout(size, 1)).unwrap();
        self.allocator.heap.span().set_link(block, Link::END.0);
        front.adopt(class, Link::new(block, Granules(size)));
        self.allocator.return_spare(class, 2, &mut front);
        assert!(front.chain(class).block().is_none());
    }

    /// Blocks that can be spared, sorted by place.
    fn take_spare(&mut self, layout: Layout, count: u32) -> Vec<Offset> {
        let mut chain = self.allocator.take_spare(layout, count, Link::END);
        let size = Granules::of_block(layout.size());
        let mut blocks = Vec::new();
        while !chain.block().is_none() {
            blocks.push(chain.block());
            assert_eq!(chain.amount().0 % size.0, 0);
            let behind = Link(self.allocator.heap.span().link(chain.block()));
            assert_eq!(chain.amount(), behind.amount() + size);
            chain = behind;
        }
        blocks.sort();
        blocks
    }

    /// Makes room scarce, with so many granules of the gap beyond the reserve.
    fn make_scarce(&mut self, above_reserve: u32) {
        let cache = &mut self.allocator.cache;
        cache.bounds.set_limit(Granules(LIST_AT_HALF as u32));
        self.leave_above_reserve(above_reserve);
    }

    fn leave_above_reserve(&mut self, granules: u32) {
        let reserve = Granules(self.room() - granules);
        self.allocator.heap.set_reserve(reserve);
    }

    fn parked(&self) -> u32 {
        self.allocator.cache.parked(self.allocator.heap.span()).0
    }

    /// Where the gap ends: a block that is small is taken there.
    fn end_of_gap(&mut self) -> Offset {
        self.take(1)
    }
}

#[test]
fn the_budget_shrinks_with_the_room() {
    let mut sample = Sample::new();
    let most = sample.capacity / ONE_IN;
    assert_eq!(sample.allocator.budget(ONE_IN).0, most);
    let half = LIST_AT_HALF as u32;
    for (limit, budget) in [
        (2 * half, most / 4),
        (half, most / 4),
        (half / 2, most / 8),
        (1, most / 4 / half),
        (0, 0),
    ] {
        sample.allocator.cache.bounds.set_limit(Granules(limit));
        assert_eq!(sample.allocator.budget(ONE_IN).0, budget, "{limit}");
    }
}

#[test]
fn a_block_can_be_spared_that_is_parked_or_above_the_reserve() {
    let mut sample = Sample::new();
    sample.park(8, 1);
    sample.make_scarce(8);
    let free = sample.allocator.heap.free_granules();
    for parked in [0, 0] {
        assert!(sample.allocator.alloc_spare(layout(8, 1)).is_some());
        assert_eq!(sample.parked(), parked);
    }
    assert_eq!(sample.allocator.heap.free_granules().0, free.0 - 8);
    assert!(sample.allocator.alloc_spare(layout(8, 1)).is_none());
}

#[test]
fn parked_blocks_are_spared_first_and_no_more_than_asked_for() {
    let mut sample = Sample::new();
    let parked = sample.park(4, 3);
    let room = sample.room();
    assert_eq!(sample.take_spare(layout(4, 1), 2), parked[..2]);
    assert_eq!(sample.room(), room);
    let spared = sample.take_spare(layout(4, 1), 3);
    assert!(spared.len() == 3 && spared.contains(&parked[2]));
    assert_eq!(sample.parked(), 0);
}

#[test]
fn parked_blocks_are_spared_up_to_the_first_that_is_too_little_aligned() {
    let mut sample = Sample::new();
    let span = sample.allocator.heap.span();
    // SAFETY: an allocation needs none.
    let line = unsafe { sample.allocator.alloc(layout(LINE.0, LINE.0)) };
    let first = span.offset_of(line);
    // The last is the first to be spared.
    let parked = [2, 0, 4].map(|granules| first + Granules(granules));
    for block in parked {
        let block = span.pointer_to(block);
        // SAFETY: the memory is live, and freed once.
        unsafe { sample.allocator.dealloc(block, layout(2, 2)) };
    }
    assert_eq!(sample.take_spare(layout(2, 4), 4), parked[1..]);
    assert_eq!(sample.parked(), 2);
}

#[test]
fn only_parked_blocks_are_spared_when_room_is_scarce() {
    let mut sample = Sample::new();
    let parked = sample.park(4, 3);
    sample.make_scarce(1000);
    assert_eq!(sample.take_spare(layout(4, 1), 10), parked);
}

#[test]
fn blocks_whose_size_does_not_keep_them_aligned_are_no_run() {
    let mut sample = Sample::new();
    assert_eq!(sample.take_spare(layout(3, 2), 10), []);
    assert_eq!(sample.take_spare(layout(4, 2), 10).len(), 10);
}

#[test]
fn a_run_is_smaller_than_what_comes_from_the_gap_s_start() {
    for (size, count) in [(128, 4), (100, 4), (51, 10), (400, 2)] {
        let mut sample = Sample::new();
        let end = sample.end_of_gap();
        let blocks = sample.take_spare(layout(size, 1), count);
        assert_eq!(blocks.len(), count as usize);
        if size < LARGE.0 {
            assert_eq!(blocks[0] + Granules(size * count), end, "{size}");
        }
    }
}

#[test]
fn a_run_that_fills_lines_begins_with_one() {
    for (size, count, fills) in [
        (1, LINE.0, true),
        (2, LINE.0, true),
        (LINE.0, 3, true),
        (1, LINE.0 - 1, false),
        (3, LINE.0, false),
        (2 * LINE.0, 1, false),
    ] {
        for skew in 0..LINE.0 {
            let mut sample = Sample::new();
            let end = sample.take(1 + skew);
            let first = sample.take_spare(layout(size, 1), count)[0];
            let address = sample.allocator.heap.span().pointer_to(first).addr();
            if fills {
                assert_eq!(address % LINE.bytes(), 0);
            } else {
                assert_eq!(first + Granules(size * count), end);
            }
        }
    }
}

#[test]
fn half_a_run_is_taken_where_a_whole_one_and_its_alignment_have_no_room() {
    let line = layout(1, 1);
    for (beyond, served) in [(2 * LINE.0, LINE.0), (2 * LINE.0 - 1, LINE.0 / 2)] {
        let mut sample = Sample::new();
        sample.leave_above_reserve(beyond);
        assert_eq!(sample.take_spare(line, LINE.0).len(), served as usize);
    }
}

#[test]
fn a_piece_comes_from_the_end_of_the_gap_and_fills_lines_if_it_can() {
    for (size, alignment, multiple) in [
        (LINE.0, 1, LINE.0),
        (3 * LINE.0, 2, LINE.0),
        (LINE.0, 2 * LINE.0, 2 * LINE.0),
        (LINE.0 + 2, 2, 2),
        (LINE.0 - 1, 1, 1),
    ] {
        for skew in 0..2 * LINE.0 {
            let mut sample = Sample::new();
            let end = sample.take(1 + skew);
            let layout = layout(1, alignment);
            let piece = sample.allocator.take_piece(Granules(size), layout).unwrap();
            let address = sample.allocator.heap.span().pointer_to(piece).addr();
            let multiple = Granules(multiple).bytes();
            assert_eq!(address % multiple, 0);
            let skipped = (end - (piece + Granules(size))).bytes();
            assert!(skipped < multiple, "{skipped} bytes behind {size} granules");
        }
    }
}

#[test]
fn a_piece_leaves_the_reserve() {
    // With what its alignment may take.
    for (size, most) in [(LINE.0, 2 * LINE.0), (LINE.0 + 1, LINE.0 + 2)] {
        for (beyond, is_spare) in [(most - 1, false), (most, true), (most + 1, true)] {
            let mut sample = Sample::new();
            sample.leave_above_reserve(beyond);
            let piece = sample.allocator.take_piece(Granules(size), layout(1, 1));
            assert_eq!(piece.is_some(), is_spare, "{size} of {beyond}");
        }
    }
    let mut sample = Sample::new();
    sample.make_scarce(1000);
    let piece = sample.allocator.take_piece(Granules(8), layout(1, 1));
    assert!(piece.is_none());
}

#[test]
fn a_block_that_comes_back_is_parked_or_freed() {
    let mut sample = Sample::new();
    let [first, second, third] = [(); 3].map(|()| sample.take(4));
    let free = sample.allocator.heap.free_granules().0;
    // The first wakes the lists.
    for (block, parked) in [(first, 4), (second, 8)] {
        sample.return_spare(4, block);
        assert_eq!(sample.parked(), parked);
    }
    sample.allocator.cache.bounds.set_limit(Granules(8));
    sample.return_spare(4, third);
    assert_eq!(sample.parked(), 8);
    assert_eq!(sample.allocator.heap.free_granules().0, free + 4);
}

/// Lists in front of the allocator's.
struct InFront(Cache<8, 2, Halving>);

impl Front for InFront {
    fn pop(&mut self, span: Span, layout: Layout) -> Option<Offset> {
        self.0.pop(span, layout)
    }

    fn pop_any_aligned(&mut self, span: Span, layout: Layout) -> Option<Offset> {
        self.0.pop_any_aligned(span, layout)
    }

    fn take_kept(&mut self, _: Span, _: Granules) -> Option<Offset> {
        None
    }

    fn pop_any(&mut self, span: Span) -> Option<(Offset, Granules)> {
        self.0.pop_any(span)
    }
}

#[test]
fn lists_in_front_are_used_and_drained_first() {
    let mut sample = Sample::new();
    let mut front = InFront(Cache::empty());
    front.0.bounds.set_limit(Granules(1000));
    front.0.bounds.wake();
    let span = sample.allocator.heap.span();
    let blocks = [(); 3].map(|()| sample.take(4));
    for block in blocks {
        assert!(front.0.push(span, layout(4, 1), span.pointer_to(block)));
    }
    let grown = sample
        .allocator
        .take_to_grow(layout(4, 1), Granules(4), false, &mut front);
    assert_eq!(grown, Some(blocks[2]));
    // Beyond the reserve, what is in front is given back.
    sample.make_scarce(0);
    sample.park(8, 1);
    let block = sample.allocator.alloc_behind(&mut front, layout(7, 1));
    assert!(!block.is_null());
    assert_eq!(front.0.parked(span).0, 0);
}
