//! An allocator that is used in interrupt handlers, for which those of signals
//! stand in: they interrupt threads wherever these are, and use the same
//! allocator.
#![cfg(all(feature = "spin", target_os = "linux"))]

mod common;

use std::{
    alloc::GlobalAlloc,
    cell::{Cell, RefCell},
    ptr,
    sync::atomic::{AtomicPtr, AtomicUsize, Ordering::SeqCst},
};

use common::{
    Block, Random, Region, Worker,
    cpu::ByThread,
    interrupts::{in_handler, interrupted, mask, on_threads},
    layout,
};
use good_memory_allocator::{
    CurrentCpu, PerCpuAllocator, RawSpinLock,
    lock_api::{GuardNoSend, RawMutex},
};

const THREADS: usize = 4;
const INTERRUPTS: usize = 3000;

/// So much that it is never all in caches.
const ROOM: usize = 16 << 20;

/// The most blocks that a thread has at once.
const BLOCKS: usize = 32;

/// Every thread is a CPU, and knows when it is in a handler.
#[derive(Debug)]
struct Told<const LOCK_MASKS: bool>;

impl<const LOCK_MASKS: bool> CurrentCpu for Told<LOCK_MASKS> {
    const LOCK_MASKS_INTERRUPTS: bool = LOCK_MASKS;

    fn index() -> usize {
        ByThread::index()
    }

    fn in_interrupt() -> bool {
        in_handler()
    }
}

/// A spin lock whose holder is not interrupted. In handlers it never is.
#[derive(Debug)]
struct Masking(RawSpinLock);

// SAFETY: it is the spin lock.
unsafe impl RawMutex for Masking {
    const INIT: Self = Self(RawSpinLock::INIT);

    type GuardMarker = GuardNoSend;

    fn lock(&self) {
        if !in_handler() {
            mask(true);
        }
        self.0.lock();
    }

    fn try_lock(&self) -> bool {
        if !in_handler() {
            mask(true);
        }
        let locked = self.0.try_lock();
        if !locked && !in_handler() {
            mask(false);
        }
        locked
    }

    unsafe fn unlock(&self) {
        // SAFETY: the caller's promise.
        unsafe { self.0.unlock() };
        if !in_handler() {
            mask(false);
        }
    }
}

/// What a handler does with an allocator, and the blocks that it has.
struct Handler<'a, G> {
    heap: &'a G,
    state: RefCell<(Random, [Option<Block>; 8])>,
    served: Cell<usize>,
    refused: Cell<usize>,
    spoilt: Cell<usize>,
}

impl<'a, G: GlobalAlloc> Handler<'a, G> {
    fn new(heap: &'a G, number: usize) -> Self {
        Self {
            heap,
            state: RefCell::new((Random::new(1000 + number as u64), [None; 8])),
            served: Cell::new(0),
            refused: Cell::new(0),
            spoilt: Cell::new(0),
        }
    }

    /// Allocates and fills a block, or checks and frees one.
    fn act(&self) {
        let (random, blocks) = &mut *self.state.borrow_mut();
        let place = &mut blocks[random.below(8)];
        if let Some(block) = place.take() {
            if !block.is_intact() {
                self.spoilt.set(self.spoilt.get() + 1);
            }
            // SAFETY: the block is live, and forgotten.
            return unsafe { self.heap.dealloc(block.at, block.layout) };
        }
        let layout = layout(random.size(4096), 8);
        // SAFETY: the size is not zero.
        let at = unsafe { self.heap.alloc(layout) };
        if at.is_null() {
            return self.refused.set(self.refused.get() + 1);
        }
        self.served.set(self.served.get() + 1);
        // SAFETY: the block was just allocated.
        *place = Some(unsafe { Block::fill(at, layout, self.served.get() as u32) });
    }

    fn dealloc_all(&self) {
        for block in self
            .state
            .borrow_mut()
            .1
            .iter_mut()
            .filter_map(Option::take)
        {
            // SAFETY: the block is live, and forgotten.
            unsafe { self.heap.dealloc(block.at, block.layout) };
        }
    }
}

/// Threads and their handlers allocate, resize and free as they like. Gives
/// how many requests of handlers were refused.
fn threads_and_handlers<R: RawMutex + Send + Sync, const LOCK_MASKS: bool>() -> usize {
    let region = Region::new(0, ROOM);
    let heap = PerCpuAllocator::<Told<LOCK_MASKS>, THREADS, R>::empty();
    // SAFETY: the region is valid, and this allocator's alone.
    unsafe { heap.try_init(region.start(), region.len()) }.unwrap();
    let refused = AtomicUsize::new(0);
    on_threads(THREADS, |number| {
        let handler = Handler::new(&heap, number);
        let mut worker = Worker::new(&heap, number);
        let act = || {
            worker.act();
            if worker.blocks.len() == BLOCKS {
                worker.dealloc_all();
            }
        };
        interrupted(INTERRUPTS, || handler.act(), act);
        assert_eq!(
            handler.spoilt.get(),
            0,
            "a handler's blocks were written to"
        );
        assert!(handler.served.get() > 0, "no handler was served");
        refused.fetch_add(handler.refused.get(), SeqCst);
        handler.dealloc_all();
        worker.dealloc_all();
    });
    heap.check().unwrap();
    assert_eq!(heap.stats().live, 0);
    assert!(region.kept_within());
    refused.into_inner()
}

#[test]
fn handlers_allocate_and_free_without_waiting() {
    let refused = threads_and_handlers::<RawSpinLock, false>();
    println!("{refused} requests of handlers were refused");
}

#[test]
fn handlers_are_served_if_the_lock_masks_them() {
    let refused = threads_and_handlers::<Masking, true>();
    assert_eq!(refused, 0, "null in a handler, though there is room");
}

#[test]
fn a_handler_that_nobody_tells_of_may_free() {
    const SIZES: [usize; 4] = [16, 200, 3000, 5000];
    let region = Region::new(0, ROOM);
    let heap = PerCpuAllocator::<ByThread, THREADS>::empty();
    // SAFETY: the region is valid, and this allocator's alone.
    unsafe { heap.try_init(region.start(), region.len()) }.unwrap();
    on_threads(THREADS, |number| {
        let blocks = SIZES.map(|size| (layout(size, 8), AtomicPtr::new(ptr::null_mut::<u8>())));
        let free_all = || {
            for (layout, block) in &blocks {
                let block = block.swap(ptr::null_mut(), SeqCst);
                if !block.is_null() {
                    // SAFETY: the block is live, and nobody has it any more.
                    unsafe { heap.dealloc(block, *layout) };
                }
            }
        };
        let mut worker = Worker::new(&heap, number);
        let act = || {
            for (layout, block) in &blocks {
                if block.load(SeqCst).is_null() {
                    // SAFETY: the size is not zero.
                    block.store(unsafe { heap.alloc(*layout) }, SeqCst);
                }
            }
            worker.act();
            if worker.blocks.len() == BLOCKS {
                worker.dealloc_all();
            }
        };
        interrupted(INTERRUPTS, free_all, act);
        free_all();
        worker.dealloc_all();
    });
    heap.check().unwrap();
    assert_eq!(heap.stats().live, 0);
}
