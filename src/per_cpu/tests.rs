//! What CPUs' caches hold, and what becomes of blocks when locks are held.

extern crate std;

mod bounds;
mod exchange;
mod granted;
mod large;
mod outbox;
mod paths;
mod piece;

use core::{
    alloc::{GlobalAlloc, Layout},
    cell::Cell,
    convert::Infallible,
};
use std::{thread_local, vec, vec::Vec};

use super::{CurrentCpu, PerCpuAllocator, granted::Granted, slot::CpuCache, tally::Tally};
use crate::{
    cache::{Bounds, Class, Parked},
    lock::RawSpinLock,
    unit::Granules,
};

const CPUS: usize = 2;
const SMALLBINS: usize = 512;

thread_local!(static CPU: Cell<usize> = const { Cell::new(0) });

struct Chosen;

impl CurrentCpu for Chosen {
    fn index() -> usize {
        CPU.get()
    }
}

struct Handler;

impl CurrentCpu for Handler {
    fn index() -> usize {
        0
    }
    fn in_interrupt() -> bool {
        true
    }
}

type Heap<Cpu> = PerCpuAllocator<Cpu, CPUS, RawSpinLock, SMALLBINS, 2>;

/// An allocator and its region.
struct Sample<Cpu: CurrentCpu> {
    heap: Heap<Cpu>,
    _memory: Vec<u64>,
}

/// What a walk over parked blocks visits.
type Visit<'a> = &'a mut dyn FnMut(Parked) -> Result<(), Infallible>;

/// The granules that a walk over parked blocks comes by.
fn total(walk: impl FnOnce(Visit<'_>) -> Result<(), Infallible>) -> Granules {
    let mut total = Granules::ZERO;
    let Ok(()) = walk(&mut |parked| {
        total += parked.size;
        Ok(())
    });
    total
}

impl<Cpu: CurrentCpu> Sample<Cpu> {
    fn of(bytes: usize) -> Self {
        let mut memory = vec![0_u64; bytes / 8];
        let heap = Heap::empty();
        // SAFETY: the memory is the heap's, and kept beside it.
        unsafe { heap.try_init(memory.as_mut_ptr().cast(), bytes) }.unwrap();
        Self {
            heap,
            _memory: memory,
        }
    }

    fn alloc(&self, size: usize) -> *mut u8 {
        // SAFETY: no size here is zero.
        unsafe { self.heap.alloc(bytes(size)) }
    }

    fn free(&self, block: *mut u8, size: usize) {
        // SAFETY: the tests free what they allocated, once.
        unsafe { self.heap.dealloc(block, bytes(size)) }
    }

    /// What a CPU's lists hold.
    fn parked_on(&self, cpu: usize) -> usize {
        self.heap.slots[cpu].lock().parked(self.heap.span()).bytes()
    }

    /// What a CPU has to cut blocks from.
    fn piece_of(&self, cpu: usize) -> usize {
        let cache = self.heap.slots[cpu].lock();
        cache.bounds.piece.size.bytes()
    }

    /// What a CPU has kept of large blocks, which is as much as it says.
    fn kept_on(&self, cpu: usize) -> usize {
        let large = &self.heap.slots[cpu].lock().bounds.large;
        let kept = total(|visit| large.try_for_each(self.heap.span(), visit));
        assert_eq!(large.amount(), kept);
        kept.bytes()
    }

    /// What a CPU has put out, which is as much as it says.
    fn out_of(&self, cpu: usize) -> usize {
        let _caches = self.heap.lock_all();
        let outbox = &self.heap.slots[cpu].outbox;
        let out = total(|visit| outbox.try_for_each(self.heap.span(), visit));
        assert_eq!(outbox.amount(), out);
        out.bytes()
    }

    /// Frees so many blocks on a CPU, which were all allocated on the first.
    fn free_on(&self, cpu: usize, size: usize, count: usize) {
        let blocks: Vec<_> = (0..count).map(|_| self.alloc(size)).collect();
        CPU.set(cpu);
        for block in blocks {
            self.free(block, size);
        }
        CPU.set(0);
    }
}

fn bytes(size: usize) -> Layout {
    Layout::from_size_align(size, 8).unwrap()
}

fn class(size: usize) -> Class {
    CpuCache::<SMALLBINS, 2>::class_of(bytes(size)).unwrap()
}

#[test]
fn a_cpu_parks_its_part_of_an_eighth_of_the_heap() {
    const HEAP: usize = 4 << 20;
    let sample = Sample::<Chosen>::of(HEAP);
    let part = HEAP / 8 / CPUS;
    let (mut most, mut most_out) = (0, 0);
    for round in 0..10 {
        for size in (1000..=4000).step_by(48) {
            let blocks: Vec<_> = (0..100).map(|_| sample.alloc(size)).collect();
            for block in blocks {
                sample.free(block, size);
            }
            let (parked, out) = (sample.parked_on(0), sample.out_of(0));
            assert!(out <= part / 2, "{out} are out in round {round}");
            // A list is full when it holds its bound, and may end in its midst.
            assert!(parked <= part * 9 / 8, "{parked} in round {round}");
            most = most.max(parked);
            most_out = most_out.max(out);
        }
    }
    assert!(most_out > part / 4, "only {most_out} were ever out");
    assert!(most > part / 2, "only {most} were ever parked");
    assert_eq!(sample.parked_on(1), 0);
    sample.heap.check().unwrap();
}

#[test]
fn a_list_holds_1024_blocks_or_64_kib() {
    let sample = Sample::<Chosen>::of(64 << 20);
    for (size, most) in [(8, 8192), (64, 65536), (512, 65536), (4096, 65536)] {
        let before = sample.parked_on(0);
        for _ in 0..10 {
            let blocks: Vec<_> = (0..2000).map(|_| sample.alloc(size)).collect();
            for block in blocks {
                sample.free(block, size);
            }
        }
        let parked = sample.parked_on(0) - before;
        assert!(parked > most / 2 && parked <= most, "{parked} of {size}");
    }
}

#[test]
fn of_a_list_128_blocks_may_be_out() {
    let sample = Sample::<Chosen>::of(64 << 20);
    for (size, most) in [(8, 1024), (512, 65536)] {
        let before = sample.out_of(0);
        sample.free_on(0, size, 2000);
        assert_eq!(sample.out_of(0) - before, most);
    }
    assert_eq!(sample.out_of(1), 0);
    sample.heap.check().unwrap();
}

#[test]
fn what_one_cpu_frees_another_takes_without_the_heaps_lock() {
    let sample = Sample::<Chosen>::of(64 << 20);
    sample.free_on(1, 100, 1500);
    let out = sample.out_of(1);
    assert!(out >= 64 * 104, "only {out} are out");
    while sample.parked_on(0) > 0 {
        sample.alloc(100);
    }
    let parked = sample.heap.stats().parked;
    let heap = sample.heap.shared.lock(Tally::NONE);
    assert!(!sample.alloc(100).is_null());
    drop(heap);
    assert_eq!((sample.out_of(1), sample.parked_on(0)), (0, out - 104));
    assert_eq!(sample.heap.stats().parked, parked - 104);
    sample.heap.check().unwrap();
}

#[test]
fn a_cpu_that_never_had_the_heaps_lock_parks_blocks() {
    let sample = Sample::<Chosen>::of(64 << 20);
    let blocks: Vec<_> = (0..100).map(|_| sample.alloc(100)).collect();
    let heap = sample.heap.shared.lock(Tally::NONE);
    CPU.set(1);
    for block in blocks {
        sample.free(block, 100);
    }
    CPU.set(0);
    drop(heap);
    assert_eq!(sample.parked_on(1) + sample.out_of(1), 100 * 104);
}

#[test]
fn what_is_out_counts_as_parked_and_is_taken_back() {
    let sample = Sample::<Chosen>::of(64 << 20);
    let before = sample.heap.stats();
    let whole = before.largest_free;
    sample.free_on(1, 100, 1500);
    assert!(sample.out_of(1) > 0);
    assert_eq!(sample.heap.stats().live, 0);
    let block = sample.alloc(whole);
    assert!(!block.is_null(), "something was left");
    sample.free(block, whole);
    assert_eq!(sample.heap.stats(), before);
}

#[test]
fn a_block_that_is_out_and_free_is_found() {
    let sample = Sample::<Chosen>::of(64 << 20);
    sample.free_on(1, 100, 1500);
    sample.heap.check().unwrap();
    let mut out = Vec::new();
    let outbox = &sample.heap.slots[1].outbox;
    let caches = sample.heap.lock_all();
    let Ok(()) = outbox.try_for_each(sample.heap.span(), |parked| {
        out.push((parked.block, parked.size));
        Ok::<(), Infallible>(())
    });
    drop(caches);
    // Not the first one, whose link says how many there are.
    let (block, size) = out[1];
    sample.heap.shared.lock(Tally::NONE).free(block, size);
    assert!(sample.heap.check().is_err());
}

#[test]
fn a_list_may_hold_again_what_it_took_over() {
    let sample = Sample::<Chosen>::of(64 << 20);
    let blocks: Vec<_> = {
        let mut heap = sample.heap.shared.lock(Tally::NONE);
        // SAFETY: the size is not zero.
        let alloc = |_| unsafe { heap.alloc(bytes(100)) };
        (0..1500).map(alloc).collect()
    };
    CPU.set(1);
    for block in blocks {
        sample.free(block, 100);
    }
    CPU.set(0);
    let out = sample.out_of(1);
    let block = sample.alloc(100);
    assert_eq!(sample.parked_on(0), out - 104);
    let bound = sample.heap.slots[0].lock().bounds.of(class(100));
    assert_eq!(bound.bytes(), out);
    sample.free(block, 100);
    assert_eq!(sample.parked_on(0), out);
}

#[test]
fn a_chain_that_is_more_than_the_budget_costs_other_lists_theirs() {
    let mut granted = Granted::<SMALLBINS, 2>::NONE;
    granted.set_budget(Granules(40));
    let (small, large) = (class(8), class(400));
    granted.grow(small, 128);
    assert!(granted.may_adopt());
    granted.adopt(large, Granules(100));
    assert_eq!(granted.of(large).0, 100);
    assert!(!granted.may_adopt());
    let revoked =
        core::iter::repeat_with(|| granted.revoke_any_but(large, 128, Tally::NONE)).take(20);
    assert_eq!(revoked.flatten().count(), 1);
    assert_eq!(granted.of(small).0, 0);
}

#[test]
fn cpus_do_not_share_cache_lines() {
    let sample = Sample::<Chosen>::of(1 << 20);
    // What is taken next does not begin with a line.
    sample.alloc(40);
    for size in [8, 16, 32, 64] {
        let lines = [0, 1].map(|cpu| {
            CPU.set(cpu);
            let blocks = (0..64 / size).map(|_| sample.alloc(size));
            blocks.map(|block| block.addr() / 64).collect::<Vec<_>>()
        });
        assert!(lines[0].iter().all(|line| !lines[1].contains(line)));
    }
    CPU.set(0);
}

#[test]
fn a_block_that_finds_everything_held_is_freed_later() {
    let sample = Sample::<Chosen>::of(1 << 20);
    let blocks = [(); 3].map(|()| sample.alloc(5000));
    let live = sample.heap.stats().live;
    let caches = sample.heap.lock_all();
    let heap = sample.heap.shared.lock(Tally::NONE);
    for block in blocks {
        sample.free(block, 5000);
    }
    drop(heap);
    drop(caches);
    assert_eq!(sample.heap.stats().live, live - 3 * 5000);
    sample.heap.check().unwrap();
}

#[test]
fn who_takes_the_lock_next_frees_64_deferred_blocks() {
    let sample = Sample::<Chosen>::of(1 << 20);
    let blocks: Vec<_> = (0..100).map(|_| sample.alloc(5000)).collect();
    let _caches = sample.heap.lock_all();
    let heap = sample.heap.shared.lock(Tally::NONE);
    for block in blocks {
        sample.free(block, 5000);
    }
    let mut live = heap.stats().live;
    drop(heap);
    for freed in [64, 36, 0] {
        let left = sample.heap.shared.lock(Tally::NONE).stats().live;
        assert_eq!(live - left, freed * 5000);
        live = left;
    }
}

#[test]
fn a_handler_gets_null_rather_than_to_wait() {
    let sample = Sample::<Handler>::of(1 << 20);
    let block = sample.alloc(100);
    assert!(!block.is_null());
    let heap = sample.heap.shared.lock(Tally::NONE);
    assert!(sample.alloc(5000).is_null());
    let caches = sample.heap.lock_all();
    assert!(sample.alloc(100).is_null());
    // SAFETY: the block is live.
    assert!(unsafe { sample.heap.realloc(block, bytes(100), 5000) }.is_null());
    sample.free(block, 100);
    drop(caches);
    drop(heap);
    assert!(!sample.alloc(5000).is_null());
}

#[test]
fn before_init_every_request_is_in_vain() {
    let heap = Heap::<Chosen>::empty();
    assert!(!heap.was_initialized());
    for size in [8, 5000] {
        // SAFETY: the size is not zero.
        assert!(unsafe { heap.alloc(bytes(size)) }.is_null());
    }
    heap.check().unwrap();
    assert_eq!(heap.stats().capacity, 0);
}

#[test]
fn a_bounded_allocator_takes_nothing_from_other_cpus() {
    for bounded in [false, true] {
        let mut memory = vec![0_u64; 1 << 14];
        let heap = if bounded {
            Heap::<Chosen>::bounded()
        } else {
            Heap::empty()
        };
        // SAFETY: the memory is the heap's, and outlives it; each block is
        // freed once.
        unsafe {
            heap.try_init(memory.as_mut_ptr().cast(), size_of_val(&memory[..]))
                .unwrap();
            let largest = heap.stats().largest_free;
            let block = heap.alloc(bytes(64));
            heap.dealloc(block, bytes(64));
            CPU.set(1);
            assert_eq!(heap.alloc(bytes(largest)).is_null(), bounded);
            CPU.set(0);
        }
    }
}

#[test]
fn a_list_grows_by_doubling_within_the_budget() {
    let mut granted = Granted::<SMALLBINS, 2>::NONE;
    granted.set_budget(Granules(100));
    assert!(granted.are_asleep());
    let (small, large) = (class(8), class(400));
    for bound in [16, 32, 64, 64] {
        granted.grow(small, 128);
        assert_eq!(granted.of(small).0, bound);
    }
    granted.grow(large, 128);
    assert_eq!(granted.of(large).0, 0);
    assert!(!granted.are_asleep());
}

#[test]
fn another_list_loses_its_grant_after_32_refusals() {
    let mut granted = Granted::<SMALLBINS, 2>::NONE;
    granted.set_budget(Granules(64));
    let (small, large) = (class(8), class(400));
    for _ in 0..3 {
        granted.grow(small, 128);
    }
    for _ in 0..31 {
        granted.grow(large, 128);
        assert!(granted.revoke_any_but(large, 128, Tally::NONE).is_none());
    }
    granted.grow(large, 128);
    let revoked =
        core::iter::repeat_with(|| granted.revoke_any_but(large, 128, Tally::NONE)).take(20);
    let revoked: Vec<_> = revoked.flatten().map(|class| class.size).collect();
    assert_eq!(revoked, [small.size]);
    granted.grow(large, 128);
    assert_eq!(granted.of(large).0, 50);
    granted.set_budget(Granules(10));
    let over = core::iter::repeat_with(|| granted.revoke_any_but(small, 128, Tally::NONE)).take(20);
    assert_eq!(over.flatten().count(), 1);
    assert!(granted.are_asleep());
}
