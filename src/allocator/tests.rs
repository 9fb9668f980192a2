//! The numbers of the policy: the reserve, and the limit of the lists.

extern crate std;

#[cfg(all(feature = "spin", target_has_atomic = "32"))]
mod spare;

use core::alloc::Layout;
#[cfg(debug_assertions)]
use std::panic::{self, AssertUnwindSafe};
use std::{vec, vec::Vec};

use super::{
    Allocator, Alone, Request,
    halving::Halving,
    reserve::{LIST_AT_HALF, LIST_IF_AMPLE},
};
#[cfg(debug_assertions)]
use crate::steps::Operation;
use crate::{
    cache::{Bounds, Class},
    unit::{Granules, Offset},
    unlocked::Operations,
};

/// The granules of the region; blocks can have a little less.
const REGION: usize = 1 << 17;

/// An allocator over a region.
struct Sample {
    allocator: Allocator<8, 2>,
    capacity: u32,
    memory: Vec<u64>,
}

impl Sample {
    fn new() -> Self {
        let mut memory = vec![0_u64; REGION];
        let (start, length) = (memory.as_mut_ptr().cast(), size_of_val(&memory[..]));
        let mut allocator = Allocator::empty();
        // SAFETY: the memory is the allocator's, and kept beside it.
        unsafe { allocator.try_init(start, length) }.unwrap();
        Self {
            capacity: allocator.heap.capacity().0,
            allocator,
            memory,
        }
    }

    /// Takes so many granules from the gap's start.
    fn take(&mut self, size: u32) -> Offset {
        let (size, alignment) = (Granules(size), 1);
        let request = Request { size, alignment };
        self.allocator.heap.take_from_gap(request).unwrap()
    }

    fn free(&mut self, at: Offset, size: u32) {
        self.allocator.heap.free(at, Granules(size));
    }

    fn room(&self) -> u32 {
        self.allocator.heap.room().0
    }

    fn reserve(&self) -> u32 {
        self.room() - self.allocator.heap.room_above_reserve().0
    }

    fn limit(&self) -> u32 {
        self.allocator.cache.bounds.limit().0
    }
}

/// Which is seen where the heap says what of its memory is nobody's.
#[test]
fn memory_may_be_used_when_the_heap_is_gone() {
    let mut sample = Sample::new();
    sample.allocator = Allocator::empty();
    sample.memory.fill(0);
}

#[cfg(debug_assertions)]
#[test]
fn lists_that_sleep_are_not_looked_at() {
    let mut sample = Sample::new();
    let span = sample.allocator.heap.span();
    let cache = &mut sample.allocator.cache;
    cache.bounds.wake();
    for looked in [16, 0] {
        assert!(cache.pop_any(span).is_none());
        assert_eq!(cache.looked.take(), looked);
    }
}

#[test]
fn a_new_allocator_keeps_half_of_its_region_in_reserve() {
    let sample = Sample::new();
    assert_eq!(sample.room(), sample.capacity);
    assert_eq!(sample.reserve(), sample.capacity / 2);
    assert_eq!(sample.limit(), LIST_IF_AMPLE.0);
}

#[test]
fn a_step_is_a_sixteenth_of_what_is_used_beyond_the_request() {
    for used in [1000, 10_000, 30_000, 60_000] {
        let mut sample = Sample::new();
        sample.take(used);
        let room = sample.room();
        sample.allocator.set_step(Granules(300));
        assert_eq!(sample.reserve(), room - 300 - used / 16);
        let limit = LIST_AT_HALF * u64::from(room) / u64::from(used);
        assert_eq!(u64::from(sample.limit()), limit);
    }
}

#[test]
fn a_step_beyond_what_is_left_leaves_no_reserve() {
    let mut sample = Sample::new();
    sample.take(sample.capacity - 100);
    sample.allocator.set_step(Granules(101));
    assert_eq!(sample.reserve(), 0);
}

#[test]
fn a_step_in_an_empty_heap_leaves_lists_long() {
    let mut sample = Sample::new();
    sample.allocator.set_step(Granules(300));
    assert_eq!(sample.reserve(), sample.capacity - 300);
    assert_eq!(sample.limit(), LIST_IF_AMPLE.0);
}

#[test]
fn room_is_ample_again_once_less_than_a_quarter_is_used() {
    let mut sample = Sample::new();
    let (half, quarter) = (sample.capacity / 2, sample.capacity / 4);
    // The half will be a free chunk, which is not beside the gap.
    let [large, other, one] = [half, quarter - 1, 1].map(|size| sample.take(size));
    sample.allocator.set_step(Granules::ZERO);
    let scarce = (sample.reserve(), sample.limit());
    sample.free(large, half);
    sample.allocator.relax();
    assert_eq!((sample.reserve(), sample.limit()), scarce);

    sample.free(one, 1);
    sample.allocator.relax();
    let reserve = sample.room() - sample.capacity / 16;
    assert_eq!(sample.reserve(), reserve);
    assert_eq!(sample.limit(), LIST_IF_AMPLE.0);

    // It stays so, with the same reserve.
    sample.free(other, 2000);
    sample.take(1000);
    sample.allocator.relax();
    assert_eq!(sample.reserve(), reserve);
}

#[test]
fn a_request_gets_what_the_gap_and_the_victim_beside_it_are_together() {
    for (granules, fits) in [(491, false), (490, true)] {
        let mut sample = Sample::new();
        let [_, chunk, below] = [1, 200, 1].map(|size| sample.take(size));
        sample.free(chunk, 200);
        let (size, alignment) = (Granules(10), 1);
        let front = sample.allocator.heap.take(Request { size, alignment });
        assert_eq!(front, Some(chunk), "the rest is the victim");
        sample.free(below, 1);
        sample.free(chunk, 10);
        sample.take(sample.room() - 300);
        let layout = Layout::array::<u64>(granules).unwrap();
        // SAFETY: the block is not used.
        let block = unsafe { sample.allocator.alloc(layout) };
        assert_eq!(!block.is_null(), fits);
        sample.allocator.check().unwrap();
    }
}

/// Where a block of so many bytes grows to in a heap of which `free` granules
/// are free, a chunk of its size and one of twice its size among them: whether
/// to the latter.
fn grows_where_it_can_double(bytes: usize, align: usize, less_than_half_by: u32) -> bool {
    let mut sample = Sample::new();
    let size = Granules::of_block(bytes).0;
    // Of two blocks after each, one is beside it, whichever end it came from.
    // The single one fits wherever 16 bytes are aligned in it.
    let sizes = [2 * size, 256, 1, size + 1, 256, 1];
    let [double, _, _, single, _, _] = sizes.map(|size| sample.take(size));
    sample.free(double, 2 * size);
    sample.free(single, size + 1);
    let left = sample.capacity / 2 - less_than_half_by - (3 * size + 1);
    sample.take(sample.room() - left);
    let layout = Layout::from_size_align(bytes, align).unwrap();
    let place = sample
        .allocator
        .take_to_grow(layout, Granules(size), true, &mut Alone)
        .unwrap();
    place == double
}

#[test]
fn a_block_of_more_than_a_kib_grows_where_it_can_double_if_half_is_free() {
    assert!(grows_where_it_can_double(1025, 8, 0));
    assert!(grows_where_it_can_double(4096, 1, 0));
    assert!(!grows_where_it_can_double(1025, 8, 1));
    assert!(!grows_where_it_can_double(1024, 8, 0));
    assert!(!grows_where_it_can_double(1025, 16, 0));
}

#[test]
fn a_block_slides_down_if_there_is_no_other_place() {
    // Not if its alignment would be lost.
    for (align, slides) in [(8, true), (16, false)] {
        let mut sample = Sample::new();
        let layout = |size| Layout::from_size_align(size, align).unwrap();
        // SAFETY: all blocks are live but one, which is not used again.
        unsafe {
            // From the heap's end downwards.
            let [block, before, _] = [(); 3].map(|()| sample.allocator.alloc(layout(800)));
            block.write_bytes(7, 800);
            let rest = layout(sample.room() as usize * 8 - 8);
            assert!(!sample.allocator.alloc(rest).is_null());
            sample.allocator.dealloc(before, layout(800));
            let place = sample.allocator.realloc(block, layout(800), 1200);
            if slides {
                assert_eq!(place, before);
                assert_eq!(place.cast::<[u8; 800]>().read(), [7; 800]);
            } else {
                assert!(place.is_null());
                assert_eq!(block.cast::<[u8; 800]>().read(), [7; 800]);
            }
        }
        sample.allocator.check().unwrap();
    }
}

/// Whether a small block comes from the gap's end by the short way, which an
/// allocator with so many lists tries first.
fn is_had_readily<const S: usize>(size: usize, align: usize) -> bool {
    let mut memory = vec![0_u64; REGION];
    let (start, length) = (memory.as_mut_ptr().cast(), size_of_val(&memory[..]));
    let mut allocator = Allocator::<S, 2>::empty();
    // SAFETY: the memory is the allocator's.
    unsafe { allocator.try_init(start, length) }.unwrap();
    // The first one has some of the bitmap cleared.
    Operations::alloc(&mut allocator, Layout::new::<u64>());
    let layout = Layout::from_size_align(size, align).unwrap();
    match Operations::alloc_readily(&mut allocator, layout) {
        Some(block) => {
            assert!(!block.is_null());
            true
        }
        None => false,
    }
}

#[test]
fn a_small_block_is_had_readily_if_there_are_lists() {
    assert!(is_had_readily::<8>(0, 1));
    assert!(is_had_readily::<8>(248, 8));
    assert!(!is_had_readily::<8>(16, 16));
    assert!(!is_had_readily::<8>(10_000, 8));
    assert!(!is_had_readily::<0>(16, 8));
}

#[test]
fn a_list_is_half_as_long_for_every_256_bytes() {
    let mut sample = Sample::new();
    let bounds = &mut sample.allocator.cache.bounds;
    let of = |bounds: &Halving, size| bounds.of(Class { size, alignment: 0 }).0;
    assert!(bounds.are_asleep());
    bounds.set_limit(Granules(1000));
    assert_eq!(of(bounds, 0), 0);
    assert!(bounds.wake());
    assert!(!bounds.are_asleep());
    for (size, bound) in [
        (0, 1000),
        (31, 1000),
        (32, 500),
        (63, 500),
        (64, 250),
        (500, 0),
        (1024, 0),
    ] {
        assert_eq!(of(bounds, size), bound, "{size}");
    }
    bounds.sleep();
    assert!(bounds.are_asleep());
    assert_eq!(of(bounds, 0), 0);
}

#[test]
fn lists_wake_once_if_they_may_hold_anything() {
    let mut sample = Sample::new();
    let cache = &mut sample.allocator.cache;
    cache.bounds.set_limit(Granules::ZERO);
    assert!(!cache.bounds.wake());
    cache.bounds.set_limit(Granules::ONE);
    assert!(cache.bounds.wake());
    assert!(!cache.bounds.wake());
    let span = sample.allocator.heap.span();
    assert!(cache.pop_any(span).is_none());
    assert!(cache.bounds.wake());
}

/// What the README and `docs/design.md` say of the smallest heaps.
#[test]
fn the_smallest_heap_has_little_besides_blocks() {
    const LENGTH: usize = 4 << 10;

    /// A `u64` is not aligned to 8 bytes everywhere.
    #[repr(align(8))]
    struct Region([u8; LENGTH]);

    let mut region = Region([0; LENGTH]);
    let mut allocator = Allocator::<0>::empty();
    // SAFETY: the region is used by nobody else and outlives the allocator.
    unsafe { allocator.try_init(region.0.as_mut_ptr(), LENGTH) }.unwrap();
    assert_eq!(LENGTH - allocator.stats().capacity, 120);
}

#[cfg(debug_assertions)]
#[test]
fn the_steps_of_all_parts_are_counted_and_taken() {
    let mut sample = Sample::new();
    let [chunk, _] = [100, 1].map(|size| sample.take(size));
    sample.free(chunk, 100);
    let parked = sample.take(2);
    let span = sample.allocator.heap.span();
    let layout = Layout::from_size_align(16, 8).unwrap();
    sample.allocator.cache.bounds.wake();
    assert!(
        sample
            .allocator
            .cache
            .push(span, layout, span.pointer_to(parked))
    );
    sample.allocator.steps();

    let [half, one] = [50, 1].map(|size| Request {
        size: Granules(size),
        alignment: 1,
    });
    let allocator = &mut sample.allocator;
    allocator.heap.take_by_search(half, usize::MAX).unwrap();
    allocator.heap.take(one).unwrap();
    allocator.pop_any(&mut Alone).unwrap();
    allocator.last_resorts.step();
    let counts = || {
        let steps = allocator.steps();
        let (chunks, bins) = (steps.looked, steps.searched);
        let heap = [steps.tries, chunks, bins, steps.unlinked, steps.linked];
        ([steps.drained, steps.lists, steps.last], heap)
    };
    // A search that takes a chunk apart, and a block of what is left; from the
    // first list back to the third, over the last of 16.
    assert_eq!(counts(), ([1, 15, 1], [1, 2, 1, 2, 1]));
    assert_eq!(counts(), ([0; 3], [0; 5]));
}

#[cfg(debug_assertions)]
#[test]
fn each_list_may_be_looked_at_twice() {
    let sample = Sample::new();
    let looked_at = |lists: u32| {
        (0..lists).for_each(|_| sample.allocator.cache.looked.step());
        let judge = || sample.allocator.assert_bounded(Operation::Alloc);
        panic::catch_unwind(AssertUnwindSafe(judge)).is_ok()
    };
    assert!(looked_at(2 * 8 * 2));
    assert!(!looked_at(2 * 8 * 2 + 1));
}
