//! Where blocks come from and what becomes of chunks, one case after another.

#![allow(clippy::single_range_in_vec_init, reason = "a range is a chunk")]

extern crate std;

use core::ops::Range;
use std::{string::ToString, vec, vec::Vec};

use super::{chunks::END, *};
use crate::unit::GRANULE;

/// Eight granules, as aligned as they are long.
#[derive(Clone, Copy, Default)]
#[repr(align(64))]
struct Line {
    _granules: [u64; 8],
}

/// A heap of some granules, the first of which is at a line's start.
struct Sample {
    heap: TinyAllocator,
    _memory: Vec<Line>,
}

impl Sample {
    /// A heap of which these granules are allocated, one block a range.
    fn with<const N: usize>(granules: usize, blocks: [Range<u32>; N]) -> (Self, [*mut u8; N]) {
        let mut memory = vec![Line::default(); granules.div_ceil(8)];
        let mut heap = TinyAllocator::empty();
        // SAFETY: the memory is the heap's alone, and lives as long.
        unsafe { heap.try_init(memory.as_mut_ptr().cast(), granules * GRANULE) }.unwrap();
        let mut sample = Self {
            heap,
            _memory: memory,
        };
        let every: Vec<_> = (0..granules).map(|_| sample.alloc(1, 1)).collect();
        assert!(sample.chunks().is_empty());
        let is_free = |granule: &u32| !blocks.iter().any(|block| block.contains(granule));
        for granule in (0..granules as u32).filter(is_free) {
            sample.dealloc(every[granule as usize], 1);
        }
        let blocks = blocks.map(|block| every[block.start as usize]);
        (sample, blocks)
    }

    /// Where the free chunks begin and end.
    fn chunks(&self) -> Vec<Range<u32>> {
        self.heap.check().unwrap();
        let mut chunks = Vec::new();
        let mut chunk = self.heap.chunks.first;
        while chunk != END {
            chunks.push(chunk.0..(chunk + self.heap.chunks.size(chunk)).0);
            chunk = self.heap.chunks.next(chunk);
        }
        chunks
    }

    /// The place of a block.
    fn place(&self, block: *mut u8) -> u32 {
        assert!(!block.is_null(), "nothing was served");
        self.heap.chunks.span.offset_of(block).0
    }

    fn alloc(&mut self, granules: usize, align: usize) -> *mut u8 {
        // SAFETY: an allocation needs none.
        unsafe { self.heap.alloc(layout(granules, align)) }
    }

    fn dealloc(&mut self, block: *mut u8, granules: usize) {
        // SAFETY: the tests free what they allocated.
        unsafe { self.heap.dealloc(block, layout(granules, 1)) }
    }

    /// Resizes a block that is full of numbers, and looks for them.
    fn realloc(&mut self, block: *mut u8, align: usize, old: usize, new: usize) -> *mut u8 {
        let number = |at: usize| at as u8 ^ 0x5A;
        // SAFETY: the tests resize what they allocated.
        unsafe {
            (0..old * GRANULE).for_each(|at| block.add(at).write(number(at)));
            let moved = self.heap.realloc(block, layout(old, align), new * GRANULE);
            let block = if moved.is_null() { block } else { moved };
            let kept = if moved.is_null() { old } else { old.min(new) };
            assert!((0..kept * GRANULE).all(|at| block.add(at).read() == number(at)));
            moved
        }
    }
}

fn layout(granules: usize, align: usize) -> Layout {
    Layout::from_size_align(granules * GRANULE, align).unwrap()
}

#[test]
fn without_a_region_all_bits_are_zero_and_nothing_is_served() {
    let mut heap = TinyAllocator::empty();
    assert!(heap.chunks.span.is_empty());
    assert_eq!(
        (heap.chunks.first, heap.chunks.limit, heap.ignored),
        (Offset(0), Offset(0), 0)
    );
    assert!(!heap.was_initialized());
    // SAFETY: an allocation needs none.
    assert!(unsafe { heap.alloc(layout(1, 1)) }.is_null());
    heap.check().unwrap();
    assert_eq!(heap.stats(), Stats::default());
}

#[test]
fn one_granule_is_a_heap() {
    let (mut sample, []) = Sample::with(1, []);
    assert_eq!(sample.chunks(), [0..1]);
    let block = sample.alloc(0, 1);
    assert_eq!(sample.place(block), 0);
    assert!(sample.alloc(0, 1).is_null());
    sample.dealloc(block, 0);
    assert_eq!(sample.chunks(), [0..1]);
}

#[test]
fn a_block_is_the_start_of_the_shortest_chunk_that_has_room() {
    // The first of those that are as short.
    for (size, place, left) in [
        (1, 0, vec![1..2, 3..8, 9..13, 14..18, 19..24]),
        (3, 9, vec![0..2, 3..8, 12..13, 14..18, 19..24]),
        (4, 9, vec![0..2, 3..8, 14..18, 19..24]),
        (5, 3, vec![0..2, 9..13, 14..18, 19..24]),
    ] {
        let (mut sample, _) = Sample::with(24, [2..3, 8..9, 13..14, 18..19]);
        let block = sample.alloc(size, 1);
        assert_eq!(sample.place(block), place);
        assert_eq!(sample.chunks(), left);
        sample.dealloc(block, size);
        assert_eq!(sample.chunks(), [0..2, 3..8, 9..13, 14..18, 19..24]);
    }
    let (mut sample, _) = Sample::with(24, [2..3, 8..9, 13..14, 18..19]);
    assert!(sample.alloc(6, 1).is_null());
}

#[test]
fn a_chunk_of_just_the_size_is_gone() {
    for (size, place, left) in [
        (2, 0, vec![3..8, 9..16]),
        (5, 3, vec![0..2, 9..16]),
        (7, 9, vec![0..2, 3..8]),
    ] {
        let (mut sample, _) = Sample::with(16, [2..3, 8..9]);
        let block = sample.alloc(size, 1);
        assert_eq!(sample.place(block), place);
        assert_eq!(sample.chunks(), left);
    }
}

#[test]
fn what_is_before_and_behind_an_aligned_block_stays_free() {
    const ALIGN: usize = size_of::<Line>();
    for (free, size, place, left) in [
        (6..16, 3, 8, vec![6..8, 11..16]),
        (6..11, 3, 8, vec![6..8]),
        (8..12, 3, 8, vec![11..12]),
        (8..11, 3, 8, vec![]),
        (7..23, 8, 8, vec![7..8, 16..23]),
        (9..24, 8, 16, vec![9..16]),
    ] {
        let (mut sample, _) = Sample::with(40, [0..free.start, free.end..40]);
        let block = sample.alloc(size, ALIGN);
        assert_eq!(sample.place(block), place);
        assert_eq!(sample.chunks(), left, "of {free:?}");
    }
    let (mut sample, _) = Sample::with(40, [0..9, 23..25]);
    let block = sample.alloc(8, ALIGN);
    assert_eq!(sample.place(block), 32, "the first chunk has no room");
    assert_eq!(sample.chunks(), [9..23, 25..32]);
}

#[test]
fn a_freed_block_and_its_free_neighbours_are_one_chunk() {
    let blocks = [2..3, 5..6, 6..8, 8..9, 12..14];
    for (freed, left) in [
        (0, vec![0..5, 9..12, 14..16]),
        (1, vec![0..2, 3..6, 9..12, 14..16]),
        (2, vec![0..2, 3..5, 6..8, 9..12, 14..16]),
        (3, vec![0..2, 3..5, 8..12, 14..16]),
        (4, vec![0..2, 3..5, 9..16]),
    ] {
        let (mut sample, places) = Sample::with(16, blocks.clone());
        sample.dealloc(places[freed], blocks[freed].len());
        assert_eq!(sample.chunks(), left);
    }
    let (mut sample, [first, last]) = Sample::with(4, [0..2, 2..4]);
    sample.dealloc(last, 2);
    assert_eq!(sample.chunks(), [2..4]);
    sample.dealloc(first, 2);
    assert_eq!(sample.chunks(), [0..4]);
}

#[test]
fn what_a_block_shrinks_by_is_free() {
    for (new, left) in [
        (5, vec![0..1, 6..9]),
        (4, vec![0..1, 5..9]),
        (1, vec![0..1, 2..9]),
    ] {
        let (mut sample, [block, _]) = Sample::with(12, [1..6, 9..12]);
        assert_eq!(sample.realloc(block, 1, 5, new), block);
        assert_eq!(sample.chunks(), left);
    }
    let (mut sample, [block, _]) = Sample::with(12, [1..6, 6..12]);
    assert_eq!(sample.realloc(block, 1, 5, 4), block);
    assert_eq!(sample.chunks(), [0..1, 5..6]);
}

#[test]
fn a_block_grows_into_the_chunk_behind_it() {
    for (new, left) in [
        (5, vec![0..9, 15..17]),
        (6, vec![0..9, 16..17]),
        (7, vec![0..9]),
    ] {
        let (mut sample, [_, block, _]) = Sample::with(18, [9..10, 10..14, 17..18]);
        assert_eq!(sample.realloc(block, 64, 4, new), block);
        assert_eq!(sample.chunks(), left);
    }
}

#[test]
fn a_block_that_cannot_grow_moves_and_is_free() {
    let (mut sample, [block, _, _]) = Sample::with(18, [0..3, 4..5, 17..18]);
    let moved = sample.realloc(block, 1, 3, 5);
    assert_eq!(sample.place(moved), 5);
    assert_eq!(sample.chunks(), [0..4, 10..17]);
}

#[test]
fn a_block_that_has_no_room_stays_as_it_is() {
    let (mut sample, [_, block, _]) = Sample::with(12, [0..1, 4..8, 10..12]);
    for (align, new) in [
        (8, 7),
        (16, 7),
        (8, isize::MAX as usize / 8),
        (8, usize::MAX / 8),
    ] {
        assert!(sample.realloc(block, align, 4, new).is_null());
        assert_eq!(sample.chunks(), [1..4, 8..10]);
    }
}

#[test]
fn stats_count_what_the_chunks_have() {
    let (sample, _) = Sample::with(16, [2..3, 8..14]);
    let expected = Stats {
        capacity: 16 * GRANULE,
        live: 7 * GRANULE,
        free: 9 * GRANULE,
        largest_free: 5 * GRANULE,
        ..Stats::default()
    };
    assert_eq!(sample.heap.stats(), expected);
}

/// Which is seen where the heap says what of its memory is nobody's.
#[test]
fn memory_may_be_used_when_the_heap_is_gone() {
    let mut memory = vec![Line::default(); 2];
    {
        let mut heap = TinyAllocator::empty();
        // SAFETY: the memory is the heap's alone, as long as there is the heap.
        unsafe { heap.try_init(memory.as_mut_ptr().cast(), 128) }.unwrap();
    }
    memory.fill(Line::default());
}

#[test]
fn check_finds_every_corruption_that_it_names() {
    type Corrupt = fn(&TinyAllocator, Offset, Offset);
    let (first, second) = (Offset(2), Offset(8));
    let corruptions: [(Corrupt, &str, Offset); 7] = [
        (
            |heap, first, _| heap.chunks.write(first, first, Granules(2)),
            "too late",
            first,
        ),
        (
            |heap, first, second| heap.chunks.write(second, first, Granules(2)),
            "too late",
            first,
        ),
        (
            |heap, first, second| heap.chunks.write(first, second, Granules(6)),
            "too late",
            second,
        ),
        (
            |heap, first, second| heap.chunks.write(first, second, Granules(0)),
            "without a length",
            first,
        ),
        (
            |heap, first, _| heap.chunks.write(first, Offset(12), Granules(2)),
            "outside the heap",
            Offset(12),
        ),
        (
            |heap, _, second| heap.chunks.write(second, END, Granules(5)),
            "larger than the heap",
            second,
        ),
        (
            |heap, _, second| heap.chunks.write(second, END, Granules(u32::MAX)),
            "larger",
            second,
        ),
    ];
    for (corrupt, name, at) in corruptions {
        let (sample, _) = Sample::with(12, [0..2, 4..8, 10..12]);
        assert_eq!(sample.chunks(), [2..4, 8..10]);
        corrupt(&sample.heap, first, second);
        let error = sample.heap.check().unwrap_err().to_string();
        assert!(error.contains(name), "{error}");
        assert!(
            error.contains(&std::format!(" {} bytes", at.bytes())),
            "{error}"
        );
        // It ends, whatever it counts.
        sample.heap.stats();
    }
}
