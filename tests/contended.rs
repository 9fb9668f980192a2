//! The heap's lock is always held by another when a CPU has no time to wait.
#![cfg(feature = "spin")]

mod common;

use std::alloc::GlobalAlloc;

use common::{Block, GRANULE, Region, cpu::Unknown, layout};
use good_memory_allocator::{
    PerCpuAllocator, RawSpinLock,
    lock_api::{GuardSend, RawMutex},
};

/// A lock that has to be waited for.
struct Contended(RawSpinLock);

// SAFETY: it is the spin lock, but for tries, which all fail.
unsafe impl RawMutex for Contended {
    const INIT: Self = Self(RawSpinLock::INIT);

    type GuardMarker = GuardSend;

    fn lock(&self) {
        self.0.lock();
    }

    fn try_lock(&self) -> bool {
        false
    }

    unsafe fn unlock(&self) {
        // SAFETY: the caller's promise.
        unsafe { self.0.unlock() };
    }
}

type Heap = PerCpuAllocator<Unknown, 2, Contended, 8, 2>;

/// A heap that is full of blocks of 64 bytes, sorted by place.
fn full(region: &Region) -> (Heap, Vec<Block>) {
    let heap = Heap::empty();
    // SAFETY: the region is valid, and this allocator's alone.
    unsafe { heap.try_init(region.start(), region.len()) }.unwrap();
    let layout = layout(64, GRANULE);
    // SAFETY: the size is not zero, and blocks are used as allocated.
    let next = |tag: u32| unsafe {
        let at = heap.alloc(layout);
        (!at.is_null()).then(|| Block::fill(at, layout, tag))
    };
    let mut blocks: Vec<_> = (0..).map_while(next).collect();
    blocks.sort_by_key(|block| block.at);
    (heap, blocks)
}

#[test]
fn realloc_shrinks_in_a_full_heap() {
    let region = Region::new(0, 10_000);
    let (heap, blocks) = full(&region);
    for block in blocks {
        // SAFETY: the block is live.
        let at = unsafe { heap.realloc(block.at, block.layout, 32) };
        assert!(!at.is_null(), "no room for less");
        assert!(block.moved(at, 32).is_intact());
    }
    heap.check().unwrap();
}

#[test]
fn realloc_grows_into_what_was_freed() {
    let region = Region::new(0, 10_000);
    let (heap, blocks) = full(&region);
    for pair in blocks.chunks_exact(2) {
        let [block, after] = [pair[0], pair[1]];
        // SAFETY: both are live, and one is gone from now on.
        let at = unsafe {
            heap.dealloc(after.at, after.layout);
            heap.realloc(block.at, block.layout, 128)
        };
        assert!(!at.is_null(), "no room, though the next block was freed");
        assert!(block.moved(at, 128).begins_intact(64));
    }
    heap.check().unwrap();
}

#[test]
fn all_that_was_freed_can_be_had_at_once() {
    let region = Region::new(0, 100_000);
    let (heap, blocks) = full(&region);
    let whole = layout(blocks.len() * 64, GRANULE);
    for block in blocks {
        // SAFETY: the block is live, and gone from now on.
        unsafe { heap.dealloc(block.at, block.layout) };
    }
    // SAFETY: the size is not zero.
    assert!(!unsafe { heap.alloc(whole) }.is_null());
}
