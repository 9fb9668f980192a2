//! The locked allocators, with threads.
#![cfg(feature = "spin")]

mod common;

use std::{
    alloc::{GlobalAlloc, Layout},
    collections::HashSet,
    ops::Range,
    ptr,
    sync::{
        Barrier, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use common::{
    Block, GRANULE, Random, Region, Shadow, Subject, layout, op, shadow,
    subject::{space_of, space_over},
};
use good_memory_allocator::{RawSpinLock, SpinLockedAllocator, StaticHeap, lock_api::RawMutex};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, TestCaseError, TestRunner},
};

const THREADS: usize = 4;

/// A locked allocator over a region.
fn locked_over<const S: usize, const A: usize>(region: &Region) -> SpinLockedAllocator<S, A> {
    let allocator = SpinLockedAllocator::empty();
    // SAFETY: the region is valid, and this allocator's alone.
    unsafe { allocator.try_init(region.start(), region.len()) }.unwrap();
    allocator
}

/// What a thread does with a locked allocator, and the blocks that it has.
struct Worker<'a, G> {
    heap: &'a G,
    random: Random,
    blocks: Vec<Block>,
    tags: u32,
}

impl<'a, G: GlobalAlloc> Worker<'a, G> {
    fn new(heap: &'a G, number: usize) -> Self {
        Self {
            heap,
            random: Random::new(number as u64),
            blocks: Vec::new(),
            tags: number as u32 * 37,
        }
    }

    /// One random operation.
    fn act(&mut self) {
        match self.random.below(8) {
            0..3 => {
                let layout = layout(self.random.size(4096), 1 << self.random.below(8));
                self.alloc(layout);
            }
            3..5 if !self.blocks.is_empty() => {
                let index = self.random.below(self.blocks.len());
                let size = self.random.size(8192);
                self.realloc(index, size);
            }
            _ if !self.blocks.is_empty() => {
                let index = self.random.below(self.blocks.len());
                self.dealloc(index);
            }
            _ => {}
        }
    }

    /// Allocates, and gives whether there was memory.
    fn alloc(&mut self, layout: Layout) -> bool {
        // SAFETY: no layout here has a size of zero.
        let at = unsafe { self.heap.alloc(layout) };
        if at.is_null() {
            return false;
        }
        assert_eq!(at.addr() % layout.align(), 0, "{layout:?} at {at:p}");
        self.keep(at, layout);
        true
    }

    fn realloc(&mut self, index: usize, size: usize) {
        let old = self.blocks[index];
        assert!(old.is_intact(), "{old:?}");
        // SAFETY: the block is live, and replaced by what comes of it.
        let at = unsafe { self.heap.realloc(old.at, old.layout, size) };
        if at.is_null() {
            assert!(old.is_intact(), "{old:?}");
            return;
        }
        let moved = old.moved(at, size);
        assert!(
            moved.begins_intact(size.min(old.layout.size())),
            "{old:?} to {moved:?}"
        );
        self.blocks.swap_remove(index);
        self.keep(at, moved.layout);
    }

    fn dealloc(&mut self, index: usize) {
        let block = self.blocks.swap_remove(index);
        assert!(block.is_intact(), "{block:?}");
        // SAFETY: the block is live, and forgotten from now on.
        unsafe { self.heap.dealloc(block.at, block.layout) };
    }

    fn dealloc_all(&mut self) {
        while let Some(last) = self.blocks.len().checked_sub(1) {
            self.dealloc(last);
        }
    }

    fn keep(&mut self, at: *mut u8, layout: Layout) {
        self.tags += 1;
        // SAFETY: the allocator has just given out the block.
        self.blocks
            .push(unsafe { Block::fill(at, layout, self.tags) });
    }
}

/// Lets every thread work, and gives the blocks that they have at the end.
fn on_all_threads<G: GlobalAlloc + Sync>(
    heap: &G,
    work: impl Fn(&mut Worker<G>) + Sync,
) -> Vec<Block> {
    let start = Barrier::new(THREADS);
    let run = &|number| {
        let mut worker = Worker::new(heap, number);
        start.wait();
        work(&mut worker);
        worker.blocks
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|number| scope.spawn(move || run(number)))
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    })
}

/// Judges the blocks of all threads together, and frees them.
fn settle(mut subject: impl Subject, space: Range<usize>, blocks: Vec<Block>) {
    let mut shadow = Shadow::new(space);
    for block in blocks {
        shadow.adopt(block).unwrap();
    }
    shadow.examine(&subject).unwrap();
    shadow.finish(&mut subject).unwrap();
}

/// Random sequences of operations on one thread, through `GlobalAlloc`.
fn does_as_its_shadow<const S: usize, const A: usize>(length: usize) {
    let region = Region::new(0, length);
    let space = space_over::<S, A>(&region);
    let mut runner = TestRunner::new(Config {
        cases: 50,
        failure_persistence: None,
        ..Config::default()
    });
    let ops = prop::collection::vec(op::any(space.len()), 1..100);
    let outcome = runner.run(&ops, |ops| {
        let allocator = locked_over::<S, A>(&region);
        shadow::follow(&mut &allocator, space.clone(), &ops).map_err(TestCaseError::fail)
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}

/// Threads that each do as they like with blocks of their own.
fn threads_leave_each_others_blocks_alone<const S: usize, const A: usize>() {
    let region = Region::new(0, 400_000);
    let space = space_over::<S, A>(&region);
    let allocator = locked_over::<S, A>(&region);
    let blocks = on_all_threads(&allocator, |worker| {
        for _ in 0..10_000 {
            worker.act();
        }
    });
    settle(&allocator, space, blocks);
}

/// Threads that take blocks from each other and resize or free them.
fn blocks_pass_from_thread_to_thread<const S: usize, const A: usize>() {
    let region = Region::new(0, 1 << 20);
    let space = space_over::<S, A>(&region);
    let allocator = locked_over::<S, A>(&region);
    let table: [Mutex<Option<Block>>; 32] = [const { Mutex::new(None) }; 32];
    let mut blocks = on_all_threads(&allocator, |worker| {
        for _ in 0..10_000 {
            worker.act();
            if let Some(block) = worker.blocks.pop() {
                let place = worker.random.below(table.len());
                let other = table[place].lock().unwrap().replace(block);
                worker.blocks.extend(other);
            }
        }
    });
    blocks.extend(
        table
            .into_iter()
            .filter_map(|place| place.into_inner().unwrap()),
    );
    settle(&allocator, space, blocks);
}

/// Threads that all together take everything there is, again and again.
fn all_threads_exhaust_the_heap_at_once<const S: usize, const A: usize>() {
    const SIZE: usize = 48;
    let region = Region::new(0, 100_000);
    let space = space_over::<S, A>(&region);
    let allocator = locked_over::<S, A>(&region);
    for _ in 0..10 {
        let blocks = on_all_threads(
            &allocator,
            |worker| {
                while worker.alloc(layout(SIZE, GRANULE)) {}
            },
        );
        assert_eq!(
            blocks.len(),
            space.len() / SIZE,
            "not everything could be had"
        );
        let pool = Mutex::new(blocks);
        on_all_threads(&allocator, |worker| {
            loop {
                let block = pool.lock().unwrap().pop();
                let Some(block) = block else { break };
                worker.blocks.push(block);
                worker.dealloc_all();
            }
        });
    }
    settle(&allocator, space, Vec::new());
}

macro_rules! with {
    ($($name:ident: $contract:ident of <$smallbins:literal, $sub_bins:literal> $(($length:expr))?;)*) => {
        $(
            #[test]
            fn $name() {
                $contract::<$smallbins, $sub_bins>($($length)?);
            }
        )*
    };
}

with! {
    does_as_its_shadow_in_300_bytes: does_as_its_shadow of <1, 2> (300);
    does_as_its_shadow_in_10_kib_without_lists: does_as_its_shadow of <0, 2> (10 << 10);
    does_as_its_shadow_in_10_kib: does_as_its_shadow of <128, 2> (10 << 10);
    does_as_its_shadow_in_1_mib: does_as_its_shadow of <32, 4> (1 << 20);
    threads_leave_each_others_blocks_alone_without_lists: threads_leave_each_others_blocks_alone of <0, 2>;
    threads_leave_each_others_blocks_alone_with_lists: threads_leave_each_others_blocks_alone of <128, 2>;
    blocks_pass_from_thread_to_thread_without_lists: blocks_pass_from_thread_to_thread of <0, 2>;
    blocks_pass_from_thread_to_thread_with_lists: blocks_pass_from_thread_to_thread of <128, 2>;
    all_threads_exhaust_the_heap_at_once_without_lists: all_threads_exhaust_the_heap_at_once of <0, 2>;
    all_threads_exhaust_the_heap_at_once_with_lists: all_threads_exhaust_the_heap_at_once of <128, 2>;
}

#[test]
fn a_spin_lock_is_had_by_one_at_a_time() {
    let lock = RawSpinLock::INIT;
    assert!(!lock.is_locked());
    assert!(lock.try_lock());
    assert!(lock.is_locked());
    assert!(!lock.try_lock());
    let had = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            lock.lock();
            had.store(true, Ordering::Relaxed);
        });
        thread::sleep(Duration::from_millis(50));
        assert!(!had.load(Ordering::Relaxed));
        // SAFETY: this thread has the lock.
        unsafe { lock.unlock() };
    });
    assert!(lock.is_locked());
    // SAFETY: the thread that had the lock is gone, and has left it held.
    unsafe { lock.unlock() };
    assert!(!lock.is_locked());
}

#[test]
fn of_all_threads_that_initialize_an_allocator_one_does() {
    let region = Region::new(0, 4096);
    let allocator = SpinLockedAllocator::<8, 2>::empty();
    let (memory, length) = (region.start().expose_provenance(), region.len());
    let start = Barrier::new(THREADS);
    let init = &|| {
        start.wait();
        // SAFETY: the region is valid, and this allocator's alone.
        unsafe { allocator.try_init(ptr::with_exposed_provenance_mut(memory), length) }.is_ok()
    };
    let done = thread::scope(|scope| {
        let threads = [(); THREADS].map(|()| scope.spawn(init));
        threads.map(|thread| thread.join().unwrap())
    });
    assert_eq!(done.iter().filter(|&&done| done).count(), 1);
    assert!(allocator.was_initialized());
}

#[test]
fn a_locked_allocator_does_not_clear_what_was_zero() {
    let region = Region::new(0, 4096);
    region.clear();
    let allocator = SpinLockedAllocator::<8, 2>::empty();
    let layout = layout(1000, 8);
    // SAFETY: the region is valid, zero, and this allocator's alone, but for
    // a byte by which it is seen that nothing is written.
    unsafe {
        allocator
            .try_init_zeroed(region.start(), region.len())
            .unwrap();
        region.start().add(region.len() - 500).write(7);
        let block = allocator.alloc_zeroed(layout);
        assert_eq!(block.add(500).read(), 7);
    }
}

#[test]
fn a_locked_allocator_can_be_bounded() {
    let serves_at_once = |allocator: SpinLockedAllocator<8, 2>| {
        let region = Region::new(0, 64 << 10);
        let (small, most) = (layout(64, 8), layout(60 << 10, 8));
        // SAFETY: the region is valid, and this allocator's alone; each block
        // is freed once, with its layout.
        unsafe {
            allocator.try_init(region.start(), region.len()).unwrap();
            let blocks = [(); 400].map(|()| allocator.alloc(small));
            for block in blocks {
                allocator.dealloc(block, small);
            }
            !allocator.alloc(most).is_null()
        }
    };
    assert!(serves_at_once(SpinLockedAllocator::empty()));
    assert!(!serves_at_once(SpinLockedAllocator::bounded()));
}

#[test]
fn a_static_heap_does_as_its_shadow() {
    type Heap = StaticHeap<3000, 16, 3>;
    let new = || -> &'static Heap { Box::leak(Box::new(Heap::new())) };
    let capacity = new().stats().capacity;
    let mut runner = TestRunner::deterministic();
    for _ in 0..50 {
        let ops = prop::collection::vec(op::any(capacity), 100);
        let ops = ops.new_tree(&mut runner).unwrap().current();
        let mut heap = new();
        let space = space_of(&mut heap);
        shadow::follow(&mut heap, space, &ops).unwrap();
    }
}

#[test]
fn a_static_heap_that_was_moved_or_not_used_has_nothing_to_say() {
    let heap = StaticHeap::<4096, 8, 2>::default();
    heap.check().unwrap();
    assert!(heap.stats().capacity > 0);
    let moved = Box::new(heap);
    moved.check().unwrap();
    assert_eq!(moved.stats().capacity, 0);
}

#[test]
fn a_locked_heap_that_is_corrupt_says_so() {
    fn corrupt(heap: &impl GlobalAlloc) {
        let layout = layout(24, 8);
        // SAFETY: the second free breaks the contract, and nothing is done
        // after it but a check, which withstands a corrupt heap.
        unsafe {
            let block = heap.alloc(layout);
            heap.dealloc(block, layout);
            heap.dealloc(block, layout);
        }
    }
    let region = Region::new(0, 4096);
    let locked = locked_over::<8, 2>(&region);
    corrupt(&locked);
    assert!(locked.check().is_err());
    let heap = StaticHeap::<4096, 8, 2>::new();
    corrupt(&heap);
    assert!(heap.check().is_err());
}

#[test]
fn a_static_heap_serves_the_first_requests_of_all_threads() {
    for round in 0..500 {
        let heap = StaticHeap::<4096, 8, 2>::new();
        let blocks = on_all_threads(&heap, |worker| {
            assert!(
                worker.alloc(layout(64, 8)),
                "round {round}: nothing from an empty heap"
            );
        });
        let places: HashSet<_> = blocks.iter().map(|block| block.at).collect();
        assert_eq!(
            places.len(),
            THREADS,
            "round {round}: a block was served twice"
        );
        assert!(blocks.iter().all(Block::is_intact));
    }
}

#[test]
fn a_static_heap_serves_all_threads() {
    static HEAP: StaticHeap<{ 1 << 20 }> = StaticHeap::new();
    let space = space_of(&mut &HEAP);
    let blocks = on_all_threads(&HEAP, |worker| {
        for _ in 0..10_000 {
            worker.act();
        }
    });
    settle(&HEAP, space, blocks);
}
