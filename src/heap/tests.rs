//! Where a heap takes a block from, and what is free then.

extern crate std;

use std::{vec, vec::Vec};

use super::{Heap, Offset, Request, Victim, region::Plan};
use crate::unit::{GRANULE, Granules};

/// The granules of the region: enough for 31 sizes with bins of their own.
const REGION: usize = 1 << 16;

/// A heap over a region.
struct Sample {
    heap: Heap,
    _memory: Vec<u64>,
}

impl Sample {
    fn new() -> Self {
        Self::with_first_block_at(0)
    }

    /// With so many granules between a multiple of 64 granules and the first
    /// block.
    fn with_first_block_at(granule: usize) -> Self {
        const ALIGNMENT: usize = 64;
        let mut memory = vec![0_u64; REGION + 2 * ALIGNMENT];
        let start = memory.as_mut_ptr();
        let plan = |start: *mut u64| Plan::new(start.addr(), REGION * GRANULE, 0).unwrap();
        let first = start.addr() / GRANULE + plan(start).first.0 as usize;
        let skew = (granule + ALIGNMENT).wrapping_sub(first % ALIGNMENT);
        let start = start.wrapping_add(skew);
        let mut heap = Heap::empty();
        // SAFETY: the region is in the memory, which is the heap's, and kept
        // beside it.
        unsafe { heap.claim(start.cast(), plan(start), false) };
        assert_eq!(heap.granule(heap.first) % ALIGNMENT, granule);
        Self {
            heap,
            _memory: memory,
        }
    }

    /// Takes so many granules from the gap's start.
    fn raise(&mut self, size: u32) -> Offset {
        let at = self.heap.top;
        self.heap.raise_top(Granules(size));
        at
    }

    /// Takes so many granules from the gap's end.
    fn lower(&mut self, size: u32) -> Offset {
        let at = self.heap.roof - Granules(size);
        self.heap.lower_roof(at);
        at
    }

    /// Makes free chunks of these sizes, with a block after each of them.
    fn chunks<const N: usize>(&mut self, sizes: [u32; N]) -> [Offset; N] {
        let chunks = sizes.map(|size| {
            let chunk = self.raise(size);
            self.raise(1);
            chunk
        });
        for (chunk, size) in chunks.into_iter().zip(sizes) {
            assert_eq!(self.free(chunk, size), size);
        }
        chunks
    }

    /// Makes a block the victim.
    fn set_victim(&mut self, at: Offset, size: u32) {
        let size = Granules(size);
        self.heap.victim = Victim { at, size };
    }

    fn victim(&self) -> (Offset, u32) {
        (self.heap.victim.at, self.heap.victim.size.0)
    }

    fn take(&mut self, size: u32) -> Option<Offset> {
        self.take_aligned(size, 1)
    }

    fn take_aligned(&mut self, size: u32, alignment: usize) -> Option<Offset> {
        let taken = self.heap.take(request(size, alignment));
        self.heap.check().unwrap();
        taken
    }

    fn take_from_gap(&mut self, size: u32, alignment: usize) -> Option<Offset> {
        let taken = self.heap.take_from_gap(request(size, alignment));
        self.heap.check().unwrap();
        taken
    }

    fn free(&mut self, at: Offset, size: u32) -> u32 {
        let free = self.heap.free(at, Granules(size));
        self.heap.check().unwrap();
        free.0
    }

    fn grow(&mut self, at: Offset, size: u32, to: u32) -> bool {
        let grown = self.heap.grow(at, Granules(size), Granules(to));
        self.heap.check().unwrap();
        grown
    }

    fn in_chunks(&self) -> u32 {
        self.heap.bins.total().0
    }

    fn room(&self) -> u32 {
        self.heap.room().0
    }
}

fn request(size: u32, alignment: usize) -> Request {
    let size = Granules(size);
    Request { size, alignment }
}

#[test]
fn large_blocks_come_from_the_gaps_start_and_small_ones_from_its_end() {
    let mut sample = Sample::new();
    for (size, large) in [(1, false), (255, false), (256, true), (257, true)] {
        let (top, roof) = (sample.heap.top, sample.heap.roof);
        let place = if large { top } else { roof - Granules(size) };
        assert_eq!(sample.take_from_gap(size, 1), Some(place));
        assert_eq!(
            sample.heap.top,
            if large { top + Granules(size) } else { top }
        );
        assert_eq!(sample.heap.roof, if large { roof } else { place });
    }
}

#[test]
fn what_alignment_skips_in_the_gap_becomes_a_chunk() {
    for granule in 0..64 {
        let mut sample = Sample::with_first_block_at(granule);
        let top = sample.heap.top;
        let skipped = (granule.wrapping_neg() % 64) as u32;
        let block = sample.take_from_gap(300, 64).unwrap();
        assert_eq!(block, top + Granules(skipped));
        assert_eq!(sample.heap.top, block + Granules(300));
        assert_eq!(sample.in_chunks(), skipped);

        let mut sample = Sample::with_first_block_at(granule);
        let roof = sample.heap.roof;
        let block = sample.take_from_gap(3, 64).unwrap();
        assert_eq!(sample.heap.granule(block) % 64, 0);
        assert_eq!(sample.heap.roof, block);
        assert_eq!(sample.in_chunks(), roof.0 - block.0 - 3);
        assert!(sample.in_chunks() < 64);
    }
}

#[test]
fn the_gap_serves_what_just_fits() {
    for (size, alignment, fits) in [
        (3, 1, 3),
        (300, 1, 300),
        (3, 64, 3 + 10),
        (300, 64, 300 + 10),
    ] {
        for missing in [0, 1] {
            let mut sample = Sample::with_first_block_at(54);
            // The last block, too, would end ten granules after a multiple.
            let odd = sample.heap.granule(sample.heap.limit - Granules(13)) % 64;
            sample.lower(odd as u32);
            sample.lower((sample.room() - (fits - missing)) / 64 * 64);
            let more = sample.room() - (fits - missing);
            if size == 300 {
                sample.lower(more);
            } else {
                sample.raise(more);
            }
            let place = sample.take_from_gap(size, alignment);
            assert_eq!(place.is_some(), missing == 0, "{size} at {alignment}");
        }
    }
}

#[test]
fn a_small_block_is_taken_from_where_it_breaks_the_least() {
    let mut sample = Sample::new();
    let [five, nine] = sample.chunks([5, 9]);
    assert_eq!(sample.take(5), Some(five));
    assert_eq!(sample.take(5), Some(nine));
    assert_eq!(sample.victim(), (nine + Granules(5), 4));
    let [two] = sample.chunks([2]);
    assert_eq!(sample.take(2), Some(two));
    assert_eq!(sample.take(3), Some(nine + Granules(5)));
    assert_eq!(sample.victim(), (nine + Granules(8), 1));
    let roof = sample.heap.roof;
    sample.take_from_gap(1, 1);
    assert_eq!(sample.take(2), Some(roof - Granules(3)));
    assert_eq!(sample.take(1), Some(nine + Granules(8)));
    assert_eq!(sample.in_chunks(), 0);
}

#[test]
fn a_block_is_taken_readily_where_no_chunk_comes_first() {
    let mut sample = Sample::new();
    let readily = |sample: &mut Sample, size| sample.heap.take_readily(Granules(size));
    let [five, nine] = sample.chunks([5, 9]);
    assert_eq!(readily(&mut sample, 5), None);
    assert_eq!(readily(&mut sample, 4), None);
    assert_eq!(sample.take(5), Some(five));
    assert_eq!(sample.take(5), Some(nine));
    let [two] = sample.chunks([2]);
    assert_eq!(readily(&mut sample, 2), None);
    assert_eq!(sample.take(2), Some(two));
    assert_eq!(readily(&mut sample, 3), Some(nine + Granules(5)));
    assert_eq!(sample.victim(), (nine + Granules(8), 1));

    sample.take_from_gap(1, 1);
    let roof = sample.heap.roof;
    assert_eq!(readily(&mut sample, 2), Some(roof - Granules(2)));
    let exact = sample.heap.bins.exact();
    assert_eq!(readily(&mut sample, exact.0), None);
    let last = roof - Granules(exact.0 + 1);
    assert_eq!(readily(&mut sample, exact.0 - 1), Some(last));
    sample.heap.floor = last;
    assert_eq!(readily(&mut sample, 2), None);
    assert_eq!(readily(&mut sample, 1), Some(nine + Granules(8)));
}

#[test]
fn a_victim_that_is_too_short_becomes_a_chunk() {
    let mut sample = Sample::new();
    let [nine, twelve] = sample.chunks([9, 12]);
    assert_eq!(sample.take(5), Some(nine));
    assert_eq!(sample.take(5), Some(twelve));
    assert_eq!(sample.victim(), (twelve + Granules(5), 7));
    assert_eq!(sample.in_chunks(), 4);
    assert_eq!(sample.take(4), Some(nine + Granules(5)));
}

#[test]
fn a_medium_block_is_taken_from_a_chunk_or_the_victim_or_the_gap() {
    let mut sample = Sample::new();
    let [hundred] = sample.chunks([100]);
    let victim = sample.lower(80);
    sample.set_victim(victim, 80);
    assert_eq!(sample.take(60), Some(hundred));
    assert_eq!(sample.in_chunks(), 40);
    assert_eq!(sample.take(39), Some(hundred + Granules(60)));
    let [forty] = sample.chunks([40]);
    assert_eq!(sample.take(40), Some(forty));
    assert_eq!(sample.in_chunks(), 1);
    assert_eq!(sample.take(60), Some(victim));
    assert_eq!(sample.victim(), (victim + Granules(60), 20));
    let roof = sample.heap.roof;
    assert_eq!(sample.take(60), Some(roof - Granules(60)));
    let top = sample.heap.top;
    assert_eq!(sample.take(600), Some(top));
}

#[test]
fn a_chunk_of_a_bin_of_two_sizes_is_cut() {
    let mut sample = Sample::new();
    let size = sample.heap.bins.exact().0;
    let chunks = sample.chunks([size + 1]);
    assert_eq!(sample.take(size), Some(chunks[0]));
    assert_eq!(sample.in_chunks() + sample.victim().1, 1);
}

#[test]
fn the_reserve_is_left_alone() {
    let mut sample = Sample::new();
    // Once, so that what is above was used before.
    let once = sample.lower(2000);
    sample.free(once, 2000);
    let reserve = sample.room() - 500;
    sample.heap.set_reserve(Granules(reserve));
    assert_eq!(sample.heap.room_above_reserve(), Granules(500));
    assert_eq!(sample.take(501), None);
    assert_eq!(sample.take(400), Some(sample.heap.first));
    assert_eq!(sample.take(101), None);
    assert_eq!(sample.take(31 + 32), Some(sample.heap.limit - Granules(63)));
    assert_eq!(sample.take(31), Some(sample.heap.limit - Granules(94)));
    assert_eq!(sample.take(7), None);
    assert_eq!(sample.take(6), Some(sample.heap.limit - Granules(100)));
    assert_eq!(sample.room(), reserve);
    assert_eq!(sample.take(1), None);

    let mut sample = Sample::new();
    let reserve = sample.room() - 500;
    sample.heap.set_reserve(Granules(reserve));
    assert_eq!(sample.take(501), None);
    assert_eq!(sample.take(500), Some(sample.heap.first));
}

#[test]
fn memory_is_counted_as_used_in_steps() {
    let mut sample = Sample::new();
    let step = Granules(sample.heap.capacity().0 / 64);
    // The first small block is for the owner of the heap to take.
    assert_eq!(sample.take(8), None);
    let block = sample.take_from_gap(8, 1).unwrap();
    assert_eq!(sample.heap.fresh, (sample.heap.first, block - step));
    let mut last = block;
    for _ in 0..step.0 / 8 {
        last = last - Granules(8);
        assert_eq!(sample.take(8), Some(last));
    }
    assert_eq!(sample.take(8), None);
    assert_eq!(sample.take_from_gap(8, 1), Some(last - Granules(8)));
    assert_eq!(sample.heap.fresh.1, last - Granules(8) - step);
    // What was counted already can be taken to its end without a step.
    let fresh = sample.heap.fresh.1;
    sample.heap.lower_roof(fresh);
    assert_eq!(sample.heap.fresh.1, fresh);

    sample.raise(1000);
    assert_eq!(sample.heap.fresh.0, sample.heap.top);
    let top = sample.heap.top;
    sample.free(top - Granules(500), 500);
    sample.raise(100);
    assert_eq!(sample.heap.fresh.0, top);
}

#[test]
fn as_memory_is_used_the_step_ends_at_the_top() {
    let mut sample = Sample::new();
    sample.raise(sample.room() - 100);
    sample.lower(8);
    assert_eq!(sample.heap.fresh, (sample.heap.top, sample.heap.top));
}

#[test]
fn a_chunk_with_room_to_double_is_one_of_twice_the_size() {
    let mut sample = Sample::new();
    let [_, twice] = sample.chunks([1199, 1200]);
    sample.raise(sample.room() - sample.heap.capacity().0 / 4);
    assert_eq!(sample.heap.take_with_room(Granules(601)), None);
    assert_eq!(sample.heap.take_with_room(Granules(600)), Some(twice));
    sample.heap.check().unwrap();
    assert_eq!(sample.in_chunks(), 1199 + 600);
    assert_eq!(sample.heap.take_with_room(Granules(u32::MAX / 2 + 1)), None);
}

#[test]
fn a_block_with_room_to_double_leaves_as_much_to_the_block_before_it() {
    let mut sample = Sample::new();
    let quarter = sample.heap.capacity().0 / 4;
    sample.lower(sample.room() - 1000 - 1200 - quarter);
    let before = sample.raise(1000);
    assert_eq!(sample.heap.take_with_room(Granules(601)), None);
    let block = sample.heap.take_with_room(Granules(600));
    assert_eq!(block, Some(before + Granules(1600)));
    assert_eq!(sample.room(), quarter);
    sample.heap.check().unwrap();
    assert!(sample.grow(before, 1000, 1600));
    assert_eq!(sample.in_chunks(), 0);
}

#[test]
fn the_largest_that_can_be_had_is_in_a_chunk_the_gap_or_around_the_victim() {
    let mut sample = Sample::new();
    assert_eq!(sample.heap.largest_free(), sample.heap.capacity());
    let [hundred] = sample.chunks([100]);
    // A gap of 20, with a victim on either side of it.
    let below = sample.raise(200);
    let above = sample.lower(300);
    sample.raise(sample.room() - 320);
    let last = sample.raise(300);
    assert_eq!(sample.room(), 20);
    assert_eq!(sample.heap.largest_free(), Granules(100));
    assert_eq!(sample.heap.free_granules(), Granules(120));
    sample.set_victim(last, 300);
    assert_eq!(sample.heap.largest_free(), Granules(320));
    assert_eq!(sample.heap.free_granules(), Granules(420));
    sample.set_victim(above, 300);
    assert_eq!(sample.heap.largest_free(), Granules(320));
    // One between chunks.
    sample.free(below + Granules(50), 150);
    let between = hundred + Granules(100);
    sample.set_victim(between, 51);
    assert_eq!(sample.heap.largest_free(), Granules(301));
    sample.set_victim(between, 1);
    assert_eq!(sample.heap.largest_free(), Granules(150));
    sample.set_victim(below + Granules(1), 49);
    assert_eq!(sample.heap.largest_free(), Granules(199));
}

#[test]
fn an_aligned_block_is_taken_from_the_first_chunk_that_has_it() {
    // Chunks that begin one granule before a multiple of 64.
    let mut sample = Sample::with_first_block_at(63);
    let chunks = sample.chunks([63, 64, 63]);
    assert_eq!(chunks.map(|at| sample.heap.granule(at) % 64), [63, 63, 0]);
    assert_eq!(sample.take_aligned(63, 64), Some(chunks[2]));
    assert_eq!(sample.take_aligned(63, 64), None);
    let found = sample.heap.take_by_search(request(63, 64), 1);
    assert_eq!(found, None);
    let found = sample.heap.take_by_search(request(63, 64), 2);
    assert_eq!(found, Some(chunks[1] + Granules::ONE));
    assert_eq!(sample.in_chunks(), 63 + 1);
    sample.heap.check().unwrap();
}

#[test]
fn an_aligned_block_is_taken_from_a_chunk_that_is_surely_long_enough() {
    for skew in 0..64 {
        let mut sample = Sample::with_first_block_at(skew);
        let [chunk] = sample.chunks([128]);
        let skipped = (skew.wrapping_neg() % 64) as u32;
        assert_eq!(sample.take_aligned(66, 64), None);
        assert_eq!(sample.take_aligned(u32::MAX, 64), None);
        assert_eq!(sample.take_aligned(65, 64), Some(chunk + Granules(skipped)));
        assert_eq!(sample.in_chunks(), 128 - 65);

        let mut sample = Sample::with_first_block_at(skew);
        sample.chunks([128]);
        let found = sample.heap.take_by_search(request(66, 64), 1);
        assert_eq!(found, (skipped <= 62).then_some(chunk + Granules(skipped)));
        sample.heap.check().unwrap();
    }
}

/// A heap with free chunks of 100 and 70 granules and a gap of 50, in which a
/// request was searched for in vain.
fn searched_in_vain(request: Request) -> (Sample, [Offset; 2]) {
    let mut sample = Sample::new();
    let chunks = sample.chunks([100, 70]);
    sample.raise(sample.room() - 50);
    assert_eq!(sample.heap.take_by_search(request, usize::MAX), None);
    sample.heap.check().unwrap();
    (sample, chunks)
}

#[test]
fn what_was_searched_for_in_vain_is_hopeless_and_so_is_all_that_is_longer() {
    let (sample, _) = searched_in_vain(request(101, 1));
    assert!(sample.heap.is_hopeless(Granules(101)));
    assert!(!sample.heap.is_hopeless(Granules(100)));
    // The longest that were too little aligned are not.
    let (sample, _) = searched_in_vain(request(40, 1 << 30));
    assert!(sample.heap.is_hopeless(Granules(101)));
    assert!(!sample.heap.is_hopeless(Granules(100)));
    // Nor are the gap and the victim, which the search does not look at.
    let mut sample = Sample::new();
    sample.heap.take_by_search(request(1, 1), usize::MAX);
    let room = Granules(sample.room());
    assert!(sample.heap.is_hopeless(room + Granules::ONE));
    assert!(!sample.heap.is_hopeless(room));
    let block = sample.raise(500);
    sample.raise(sample.room() - 50);
    sample.set_victim(block, 500);
    sample.heap.take_by_search(request(1, 1), usize::MAX);
    assert!(sample.heap.is_hopeless(Granules(501)));
    assert!(!sample.heap.is_hopeless(Granules(500)));
}

#[test]
fn the_victim_is_given_back_if_there_is_one() {
    let mut sample = Sample::new();
    let block = sample.raise(1);
    sample.raise(1);
    assert!(!sample.heap.retire_victim());
    sample.set_victim(block, 1);
    assert!(sample.heap.retire_victim());
    assert!(!sample.heap.retire_victim());
    assert_eq!(sample.in_chunks(), 1);
}

#[test]
fn a_search_that_was_broken_off_leaves_hope() {
    let mut sample = Sample::new();
    sample.chunks([100, 70]);
    let found = sample.heap.take_by_search(request(65, 1 << 30), 1);
    assert_eq!(found, None);
    assert!(!sample.heap.is_hopeless(Granules(u32::MAX - 1)));
}

#[test]
fn there_is_hope_again_once_something_as_long_is_free() {
    let tried = request(102, 1);
    let (mut sample, [hundred, seventy]) = searched_in_vain(tried);
    // The block between the two, and one that is free then.
    assert_eq!(sample.free(seventy + Granules(70), 1), 71);
    assert!(sample.heap.is_hopeless(tried.size));
    assert_eq!(sample.free(hundred + Granules(100), 1), 172);
    assert!(!sample.heap.is_hopeless(tried.size));
    // And beside the gap, on either side.
    let (mut sample, _) = searched_in_vain(tried);
    let top = sample.heap.top;
    assert_eq!(sample.free(top - Granules(51), 51), 101);
    assert!(sample.heap.is_hopeless(tried.size));
    assert_eq!(sample.free(top - Granules(52), 1), 102);
    assert!(!sample.heap.is_hopeless(tried.size));
}

#[test]
fn a_freed_run_becomes_one_with_its_neighbours() {
    let mut sample = Sample::new();
    let blocks = [7, 1, 5, 2, 9, 3].map(|size| (sample.raise(size), size));
    assert_eq!(sample.free(blocks[1].0, 1), 1);
    assert_eq!(sample.free(blocks[3].0, 2), 2);
    assert_eq!(sample.free(blocks[2].0, 5), 8);
    assert_eq!(sample.free(blocks[0].0, 7), 15);
    let room = sample.room();
    assert_eq!(sample.free(blocks[5].0, 3), room + 3);
    assert_eq!(sample.free(blocks[4].0, 9), sample.heap.capacity().0);
    assert_eq!(sample.heap.top, sample.heap.first);

    let blocks = [7, 4, 9].map(|size| (sample.lower(size), size));
    let room = sample.room();
    assert_eq!(sample.free(blocks[1].0, 4), 4);
    assert_eq!(sample.free(blocks[2].0, 9), room + 13);
    assert_eq!(sample.free(blocks[0].0, 7), sample.heap.capacity().0);
    assert_eq!(sample.heap.roof, sample.heap.limit);
}

#[test]
fn the_rest_of_a_block_becomes_one_with_what_follows() {
    let mut sample = Sample::new();
    let blocks = [20, 5, 20].map(|size| sample.raise(size));
    sample.free(blocks[1], 5);
    sample.heap.free_rest(blocks[0] + Granules(8), Granules(12));
    sample.heap.check().unwrap();
    assert_eq!(sample.in_chunks(), 17);
    let room = sample.room();
    sample.heap.free_rest(blocks[2] + Granules(8), Granules(12));
    sample.heap.check().unwrap();
    assert_eq!((sample.in_chunks(), sample.room()), (17, room + 12));
}

#[test]
fn a_block_grows_into_the_gap() {
    let mut sample = Sample::new();
    let block = sample.raise(10);
    let room = sample.room();
    assert!(!sample.grow(block, 10, 11 + room));
    assert!(sample.grow(block, 10, 10 + room));
    assert_eq!(sample.room(), 0);
}

#[test]
fn a_block_grows_into_a_chunk() {
    let mut sample = Sample::new();
    let [chunk] = sample.chunks([30]);
    assert!(sample.grow(chunk - Granules(5), 5, 10));
    assert_eq!(sample.in_chunks(), 25);
    assert!(!sample.grow(chunk - Granules(5), 10, 36));
    assert!(sample.grow(chunk - Granules(5), 10, 35));
    assert_eq!(sample.in_chunks(), 0);
}

#[test]
fn a_block_grows_into_the_victim_and_what_is_around_it() {
    // A block of 10, perhaps a chunk, the victim of 20, perhaps a chunk.
    for (before, after) in [(0, 0), (7, 0), (0, 7), (7, 6), (1, 1)] {
        let all = before + 20 + after;
        for more in 1..=all + 1 {
            let mut sample = Sample::new();
            let block = sample.raise(10);
            let chunks = [before, 20, after].map(|size| sample.raise(size));
            sample.raise(1);
            sample.set_victim(chunks[1], 20);
            for (chunk, size) in [(chunks[0], before), (chunks[2], after)] {
                if size > 0 {
                    sample.free(chunk, size);
                }
            }
            assert_eq!(
                sample.grow(block, 10, 10 + more),
                more <= all,
                "{before} {after} {more}"
            );
            if more <= all {
                assert_eq!(sample.in_chunks() + sample.victim().1, all - more);
            }
            let kept = more <= before || (before == 0 && more <= 20);
            assert_eq!(
                sample.victim().1 > 0,
                kept && more != 20,
                "{before} {after} {more}"
            );
        }
    }
}

#[test]
fn a_block_grows_into_the_gap_and_the_victim_after_it() {
    for more in [20, 21] {
        let mut sample = Sample::new();
        let block = sample.raise(4);
        let after = sample.lower(1);
        let victim = sample.lower(20);
        sample.set_victim(victim, 20);
        let room = sample.room();
        assert_eq!(sample.grow(block, 4, 4 + room + more), more == 20);
        assert_eq!(sample.heap.top == after, more == 20);
    }
}

#[test]
fn a_victim_elsewhere_stays_when_a_block_cannot_grow() {
    let mut sample = Sample::new();
    let [_chunk] = sample.chunks([7]);
    let block = sample.raise(10);
    sample.raise(1);
    let victim = sample.raise(20);
    sample.raise(1);
    sample.set_victim(victim, 20);
    assert!(!sample.grow(block, 10, 11));
    assert_eq!(sample.victim(), (victim, 20));
}

// Blocks of a heap without an allocator are not opened.
#[cfg(not(any(galloc_asan, galloc_valgrind)))]
#[test]
fn a_block_slides_down_into_a_chunk() {
    for (to, fits) in [(11, true), (16, true), (17, true), (23, true), (24, false)] {
        let mut sample = Sample::new();
        sample.raise(1);
        let [before, block, after] = [6, 10, 7].map(|size| sample.raise(size));
        sample.raise(1);
        sample.free(before, 6);
        sample.free(after, 7);
        for word in 0..20 {
            sample
                .heap
                .span
                .set_word(block.0 as usize * 2 + word, word as u32);
        }
        // SAFETY: the block is the heap's, and so long.
        let place = unsafe { sample.heap.slide(block, Granules(10), Granules(to), 80) };
        sample.heap.check().unwrap();
        assert_eq!(place, fits.then_some(before), "to {to}");
        let at = place.unwrap_or(block);
        for word in 0..20 {
            assert_eq!(sample.heap.span.word(at.0 as usize * 2 + word), word as u32);
        }
        assert_eq!(sample.in_chunks(), if fits { 23 - to } else { 13 });
    }
}

// As above.
#[cfg(not(any(galloc_asan, galloc_valgrind)))]
#[test]
fn a_block_slides_where_nothing_is_free_but_before_it() {
    for (to, fits) in [(15, true), (16, true), (17, false)] {
        let mut sample = Sample::new();
        let [before, block, _] = [6, 10, 7].map(|size| sample.raise(size));
        sample.free(before, 6);
        // SAFETY: the block is the heap's, and so long.
        let place = unsafe { sample.heap.slide(block, Granules(10), Granules(to), 80) };
        sample.heap.check().unwrap();
        assert_eq!(place, fits.then_some(before), "to {to}");
        assert_eq!(sample.in_chunks(), if fits { 16 - to } else { 6 });
    }
}

#[test]
fn what_is_known_to_be_zero_is_told() {
    let mut memory = vec![0_u64; 4096];
    let (start, length) = (memory.as_mut_ptr().cast::<u8>(), 4096 * GRANULE);
    for zeroed in [false, true] {
        let plan = Plan::new(start.addr(), length, 0).unwrap();
        let all = (plan.first, plan.bounds.limit);
        let mut heap = Heap::empty();
        // SAFETY: the memory outlives the heap, and is zero when that is
        // said, but for the bins of the other heap, which are written anew.
        unsafe { heap.claim(start, plan, zeroed) };
        assert_eq!(heap.zero_run(), zeroed.then_some(all));
    }
}
