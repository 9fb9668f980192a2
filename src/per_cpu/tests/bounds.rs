//! Operations that go to the limits of what `docs/many-cpus.md` bounds, which
//! they assert themselves, and what these limits are.
#![cfg(debug_assertions)]

extern crate std;

use std::{vec, vec::Vec};

use super::{Bounds, CPU, Chosen, Granules, Layout, PerCpuAllocator, Tally, bytes, class};
use crate::{
    cache::Link,
    lock::RawSpinLock,
    per_cpu::{
        exchange::{self, BATCH},
        slot::CpuCache,
        tally::{Limits, Operation, Step, Work, bounds::Counts},
    },
};

const CPUS: usize = 12;
const ALIGNMENTS: usize = 2;

/// A list whose grant is the 64th to be looked at, in a cache that is new.
const FAR: usize = 33 * 8;

/// An allocator for many CPUs, and its region.
struct Sample<const S: usize> {
    heap: PerCpuAllocator<Chosen, CPUS, RawSpinLock, S, ALIGNMENTS>,
    _memory: Vec<u64>,
}

impl<const S: usize> Sample<S> {
    fn of(bytes: usize) -> Self {
        Self::with(PerCpuAllocator::empty(), bytes)
    }

    fn with(heap: PerCpuAllocator<Chosen, CPUS, RawSpinLock, S, ALIGNMENTS>, bytes: usize) -> Self {
        let mut memory = vec![0_u64; bytes / 8];
        // SAFETY: the memory is the heap's, and kept beside it.
        unsafe { heap.try_init(memory.as_mut_ptr().cast(), bytes) }.unwrap();
        Self {
            heap,
            _memory: memory,
        }
    }

    /// So many blocks, none of which comes from a CPU's list.
    fn blocks(&self, size: usize, count: usize) -> Vec<*mut u8> {
        let mut heap = self.heap.shared.lock(Tally::NONE);
        // SAFETY: no size here is zero.
        let alloc = |_| unsafe { heap.alloc(bytes(size)) };
        (0..count).map(alloc).collect()
    }

    /// What an operation does, which is within its bounds.
    fn counts_of<T>(&self, operation: Operation, run: impl FnOnce(Tally<'_>) -> T) -> (T, Counts) {
        let work = Work::new();
        let done = run(work.tally());
        let counts = work.taken();
        let limits = Limits {
            cpus: CPUS,
            lists: S * ALIGNMENTS,
            bounded: self.heap.bounded,
        };
        counts.assert_bounded(operation, &limits);
        (done, counts)
    }

    fn alloc(&self, layout: Layout) -> (*mut u8, Counts) {
        // SAFETY: no size here is zero.
        self.counts_of(Operation::Alloc, |tally| unsafe {
            self.heap.try_alloc(layout, tally)
        })
    }

    fn free(&self, block: *mut u8, size: usize) -> Counts {
        // SAFETY: the tests free what they allocated, once.
        let free = |tally: Tally<'_>| unsafe { self.heap.try_dealloc(block, bytes(size), tally) };
        self.counts_of(Operation::Dealloc, free).1
    }

    /// Lets this CPU's list of a size hold 128 blocks, with as many out of it.
    fn fill(&self, size: usize) {
        let slot = &self.heap.slots[CPU.get()];
        let full = 2 * BATCH * class(size).granules().0;
        let out = slot.outbox.amount();
        for block in self.blocks(size, 600) {
            let held = slot.try_lock().unwrap().held_in(class(size));
            if held.0 == full && slot.outbox.amount() == out + held {
                return;
            }
            self.free(block, size);
        }
        panic!("a list does not get full");
    }

    /// Lets this CPU's list of a size hold 128 blocks or 64 KiB, of which it has
    /// none.
    fn grant(&self, size: usize) {
        let mut cache = self.heap.slots[CPU.get()].try_lock().unwrap();
        cache.bounds.set_budget(Granules(100_000));
        for _ in 0..8 {
            cache.bounds.grow(class(size), 2 * BATCH);
        }
        let full = 2 * BATCH * class(size).granules().0;
        assert_eq!(cache.bounds.of(class(size)).0, full.min(8192));
        assert_eq!(cache.held_in(class(size)), Granules::ZERO);
    }

    /// Makes it time to revoke a grant of this CPU's.
    fn refuse(&self) {
        let mut cache = self.heap.slots[CPU.get()].try_lock().unwrap();
        cache.bounds.set_budget(Granules::ZERO);
        for _ in 0..32 {
            cache.bounds.grow(class(4096), 2 * BATCH);
        }
    }

    /// Defers so many blocks.
    fn defer(&self, count: usize) {
        let blocks = self.blocks(5000, count);
        let _caches = self.heap.lock_all();
        let heap = self.heap.shared.lock(Tally::NONE);
        for block in blocks {
            self.free(block, 5000);
        }
        drop(heap);
    }
}

#[test]
fn a_request_looks_into_its_own_outbox_and_eight_others_and_returns_256_blocks() {
    let sample = Sample::<512>::of(64 << 20);
    sample.fill(FAR);
    sample.grant(64);
    sample.refuse();
    for cpu in 1..CPUS {
        sample.heap.hints.set(class(64), cpu);
    }
    sample.defer(100);
    let (_, counts) = sample.alloc(bytes(64));
    assert_eq!(counts.of(Step::Hint), 9);
    assert_eq!(counts.of(Step::Outbox), 10);
    assert_eq!(counts.of(Step::Grant), 64);
    assert_eq!(counts.of(Step::Moved), 64);
    assert_eq!(counts.of(Step::Returned), 256);
    assert_eq!(counts.of(Step::Settled), 64);
    assert_eq!(counts.of(Step::Free), 256 + 64);
    sample.heap.check().unwrap();
}

#[test]
fn a_list_of_blocks_of_1_kib_is_filled_with_32_runs() {
    let sample = Sample::<512>::of(64 << 20);
    // There is a free chunk, so that no piece is taken.
    let blocks = sample.blocks(1 << 20, 2);
    sample.free(blocks[0], 1 << 20);
    sample.grant(1024);
    let (_, counts) = sample.alloc(bytes(1024));
    assert_eq!((counts.of(Step::Alloc), counts.of(Step::Moved)), (32, 32));
}

#[test]
fn what_is_left_of_a_piece_is_freed_for_a_new_one() {
    let sample = Sample::<512>::of(64 << 20);
    sample.grant(1024);
    let (_, counts) = sample.alloc(bytes(1024));
    assert_eq!((counts.of(Step::Alloc), counts.of(Step::Free)), (1, 0));
    // It is aligned to a line at its end, but is no whole number of these.
    let mut cache = sample.heap.slots[CPU.get()].try_lock().unwrap();
    let piece = cache.bounds.piece;
    assert!(piece.size > Granules::ZERO);
    while cache.pop_of(sample.heap.span(), class(1024)).is_some() {}
    cache.bounds.piece.size = Granules(1);
    drop(cache);
    let (_, counts) = sample.alloc(bytes(1024));
    assert_eq!((counts.of(Step::Alloc), counts.of(Step::Free)), (1, 1));
}

#[test]
fn what_is_cut_for_a_list_is_moved_and_what_is_in_it_is_not() {
    const SIZE: usize = 16;
    let sample = Sample::<512>::of(1 << 20);
    let aligned = |align| Layout::from_size_align(SIZE, align).unwrap();
    let class = CpuCache::<512, ALIGNMENTS>::class_of(aligned(16)).unwrap();
    let slot = &sample.heap.slots[CPU.get()];
    let held = || slot.try_lock().unwrap().held_in(class).bytes() / SIZE;
    // The first request of a size gets no list.
    let (mut block, _) = sample.alloc(aligned(16));
    let mut moved = 0;
    // Until the next one in the list is aligned to no more than it has to be.
    while moved < 100 || held() == 0 || block.addr() % 32 != 0 {
        let before = held();
        let (next, counts) = sample.alloc(aligned(16));
        block = next;
        let came = held() + 1 - before;
        assert_eq!(counts.of(Step::Moved) as usize, came);
        moved += came;
    }
    assert!(slot.try_lock().unwrap().bounds.piece.size > Granules::ZERO);
    let before = held();
    let (block, counts) = sample.alloc(aligned(32));
    assert_eq!(block.addr() % 32, 0);
    // The one that was too little aligned is freed.
    assert_eq!((counts.of(Step::Moved), held()), (0, before - 1));
}

#[test]
fn where_there_is_no_room_for_a_run_shorter_ones_are_tried_seven_times() {
    let sample = Sample::<512>::of(1 << 20);
    // The reserve is left, and nothing else.
    let half = sample.heap.stats().capacity / 2;
    let (block, _) = sample.alloc(bytes(half));
    assert!(!block.is_null());
    sample.grant(8);
    let (block, counts) = sample.alloc(bytes(8));
    assert!(!block.is_null());
    assert_eq!((counts.of(Step::Alloc), counts.of(Step::Moved)), (8, 0));
}

#[test]
fn an_operation_tries_three_caches() {
    let sample = Sample::<512>::of(1 << 20);
    let caches = sample.heap.lock_all();
    let (block, counts) = sample.alloc(bytes(64));
    assert_eq!(counts.of(Step::Cache), 3);
    let counts = sample.free(block, 64);
    assert_eq!(counts.of(Step::Cache), 3);
    drop(caches);
}

#[test]
fn a_block_that_overflows_a_list_returns_320_others() {
    let sample = Sample::<512>::of(64 << 20);
    sample.fill(FAR);
    sample.fill(64);
    sample.refuse();
    sample.defer(100);
    let block = sample.blocks(64, 1)[0];
    // It took the lock.
    sample.defer(64);
    let counts = sample.free(block, 64);
    assert_eq!(counts.of(Step::Outbox), 2);
    assert_eq!(counts.of(Step::Grant), 64);
    assert_eq!(counts.of(Step::Returned), 320);
    assert_eq!((counts.of(Step::Lock), counts.of(Step::Settled)), (1, 64));
    sample.heap.check().unwrap();
}

#[test]
fn half_a_list_is_put_out_or_deferred() {
    let sample = Sample::<512>::of(64 << 20);
    sample.fill(64);
    let block = sample.blocks(64, 1)[0];
    let heap = sample.heap.shared.lock(Tally::NONE);
    assert_eq!(sample.free(block, 64).of(Step::Moved), 64);
    drop(heap);
    let take = |class| {
        let outbox = &sample.heap.slots[0].outbox;
        outbox.take(|| sample.heap.span(), class, Tally::NONE)
    };
    let chain = take(class(64)).unwrap();
    let mut heap = sample.heap.shared.lock(Tally::NONE);
    exchange::free_chain(&mut heap, chain, class(64), Tally::NONE);
    drop(heap);
    while sample.free(sample.blocks(64, 1)[0], 64).of(Step::Moved) < 64 {}
    assert_eq!(take(class(64)).unwrap().amount(), Granules(64 * 8));
}

#[test]
fn a_request_that_fails_takes_back_everything_once() {
    const EACH: u32 = BATCH + 1;
    let sample = Sample::<512>::of(64 << 20);
    for cpu in 0..CPUS {
        CPU.set(cpu);
        for block in sample.blocks(64, EACH as usize) {
            sample.free(block, 64);
        }
    }
    CPU.set(0);
    let (block, counts) = sample.alloc(bytes(1 << 30));
    assert!(block.is_null());
    // What its own CPU had it has drained before.
    let (cpus, others) = (CPUS as u32, CPUS as u32 - 1);
    assert_eq!(counts.of(Step::Reclaim), 1);
    assert_eq!(counts.of(Step::Cache), 1 + cpus);
    assert_eq!(counts.of(Step::Drained), EACH);
    assert_eq!(counts.of(Step::Returned), others * EACH);
    assert_eq!(counts.of(Step::Lock), 2 + 2 * others + 1);
    assert_eq!(counts.of(Step::LastResort), 2);
    sample.heap.check().unwrap();
}

#[test]
fn a_request_for_zeros_that_fails_asks_the_heap_once_more() {
    let sample = Sample::<512>::of(1 << 20);
    let layout = bytes(1 << 30);
    // SAFETY: the size is not zero.
    let (block, counts) = sample.counts_of(Operation::AllocZeroed, |tally| unsafe {
        sample.heap.try_alloc_zeroed(layout, tally)
    });
    assert!(block.is_null());
    assert_eq!(counts.of(Step::Lock), 3 + 1);
    assert_eq!(counts.of(Step::LastResort), 3);
}

#[test]
fn a_block_that_cannot_grow_is_tried_to_be_resized_twice() {
    let sample = Sample::<512>::of(1 << 20);
    let block = sample.blocks(64, 1)[0];
    // SAFETY: the block is live.
    let (grown, counts) = sample.counts_of(Operation::Realloc, |tally| unsafe {
        sample.heap.try_realloc(block, bytes(64), 1 << 30, tally)
    });
    assert!(grown.is_null());
    assert_eq!((counts.of(Step::Reclaim), counts.of(Step::Resize)), (1, 2));
    assert_eq!(counts.of(Step::Cache), 1 + CPUS as u32);
}

#[test]
fn a_bounded_allocator_drains_128_blocks_and_takes_nothing_back() {
    let sample = Sample::<512>::with(PerCpuAllocator::bounded(), 1 << 20);
    // Not next to each other.
    let blocks = sample.blocks(64, 2000);
    let mut heap = sample.heap.shared.lock(Tally::NONE);
    for &block in blocks.iter().step_by(2) {
        // SAFETY: the block is live.
        unsafe { heap.dealloc(block, bytes(64)) };
    }
    drop(heap);
    let cache = sample.heap.slots[0].lock();
    let (block, counts) = sample.alloc(bytes(1 << 30));
    assert!(block.is_null());
    assert_eq!(counts.of(Step::Drained), 64 + 64);
    assert_eq!(counts.of(Step::LastResort), 1);
    assert_eq!(counts.of(Step::Reclaim), 0);
    drop(cache);
}

/// Parks so many blocks on the first CPU, in the list that is looked at last.
fn with_lists_to_drain(count: usize) -> Sample<8> {
    let sample = Sample::<8>::of(1 << 16);
    let layout = Layout::from_size_align(8, 16).unwrap();
    let mut heap = sample.heap.shared.lock(Tally::NONE);
    // SAFETY: the size is not zero.
    let blocks: Vec<_> = (0..count).map(|_| unsafe { heap.alloc(layout) }).collect();
    drop(heap);
    let mut cache = sample.heap.slots[0].try_lock().unwrap();
    let class = CpuCache::<8, ALIGNMENTS>::class_of(layout).unwrap();
    cache.bounds.set_budget(Granules(1000));
    for _ in 0..8 {
        cache.bounds.grow(class, 2 * BATCH);
    }
    let span = sample.heap.span();
    for block in blocks {
        assert!(exchange::park(&mut cache, span, block, layout));
    }
    drop(cache);
    sample
}

#[test]
fn lists_that_are_drained_are_gone_through_twice() {
    const LISTS: u32 = 8 * ALIGNMENTS as u32;
    for count in [1, 10] {
        let sample = with_lists_to_drain(count);
        let (block, counts) = sample.alloc(bytes(1 << 30));
        assert!(block.is_null());
        let count = count as u32;
        assert_eq!(counts.of(Step::Drained), count);
        assert_eq!(counts.of(Step::List), 2 * LISTS - 1 + count);
    }
}

#[test]
fn an_outbox_that_is_empty_is_gone_through_once_even_if_it_does_not_say_so() {
    let sample = with_lists_to_drain(50);
    let slot = &sample.heap.slots[0];
    let span = sample.heap.span();
    // As if one who takes a chain had not yet said so.
    let block = span.offset_of(sample.blocks(8, 1)[0]);
    span.set_link(block, Link::END.0);
    let class = class(8);
    slot.outbox.put(class, Link::new(block, Granules(5)));
    slot.outbox.take(|| span, class, Tally::NONE).unwrap();
    assert_eq!(slot.outbox.amount(), Granules(4));
    let (block, counts) = sample.alloc(bytes(1 << 30));
    assert!(block.is_null());
    assert_eq!(counts.of(Step::Drained), 50);
    // To drain it, and to take everything back.
    assert_eq!(counts.of(Step::Outbox), 2 * 8 * ALIGNMENTS as u32);
}
