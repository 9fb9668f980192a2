//! The allocators that threads can share, with threads.
#![cfg(feature = "spin")]

mod common;

use std::{
    alloc::GlobalAlloc,
    collections::HashSet,
    ops::Range,
    ptr,
    sync::Barrier,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use common::{
    Block, GRANULE, Region, Shadow, Subject, Worker,
    cpu::{ByThread, Unknown, Wandering},
    front_end::FrontEnd,
    layout, op, shadow,
    subject::space_of,
    ticket::Ticket,
};
#[cfg(feature = "critical-section")]
use good_memory_allocator::{CriticalSectionAllocator, LockedStaticHeap, RawCriticalSection};
use good_memory_allocator::{
    Locked, LockedAllocator, LockedStatic, PerCpuAllocator, RawCell, RawSpinLock,
    SpinLockedAllocator, StaticHeap, TinyAllocator, UnsyncAllocator, lock_api,
};
use lock_api::RawMutex as _;
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, TestCaseError, TestRunner},
};

const THREADS: usize = 4;

/// What threads share beside a heap. ThreadSanitizer does not see that the
/// standard library's mutex excludes, which is compiled without it.
type Mutex<T> = lock_api::Mutex<RawSpinLock, T>;

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
fn does_as_its_shadow<G: FrontEnd>(length: usize) {
    let region = Region::new(0, length);
    let space = G::space(&region);
    let mut runner = TestRunner::new(Config {
        cases: 50,
        failure_persistence: None,
        ..Config::default()
    });
    let ops = prop::collection::vec(op::any(space.len()), 1..100);
    let outcome = runner.run(&ops, |ops| {
        let allocator = G::over(&region);
        shadow::follow(&mut allocator.subject(), space.clone(), &ops).map_err(TestCaseError::fail)
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}

/// Threads that each do as they like with blocks of their own.
fn threads_leave_each_others_blocks_alone<G: FrontEnd + Sync>() {
    let region = Region::new(0, 400_000);
    let space = G::space(&region);
    let allocator = G::over(&region);
    let blocks = on_all_threads(&allocator, |worker| {
        for _ in 0..10_000 {
            worker.act();
        }
    });
    settle(allocator.subject(), space, blocks);
}

/// Threads that take blocks from each other and resize or free them.
fn blocks_pass_from_thread_to_thread<G: FrontEnd + Sync>() {
    let region = Region::new(0, 1 << 20);
    let space = G::space(&region);
    let allocator = G::over(&region);
    let table: [Mutex<Option<Block>>; 32] = [const { Mutex::new(None) }; 32];
    let mut blocks = on_all_threads(&allocator, |worker| {
        for _ in 0..10_000 {
            worker.act();
            if let Some(block) = worker.blocks.pop() {
                let place = worker.random.below(table.len());
                let other = table[place].lock().replace(block);
                worker.blocks.extend(other);
            }
        }
    });
    blocks.extend(table.into_iter().filter_map(Mutex::into_inner));
    settle(allocator.subject(), space, blocks);
}

/// Threads that all together take everything there is, again and again.
fn all_threads_exhaust_the_heap_at_once<G: FrontEnd + Sync>() {
    const SIZE: usize = 48;
    let region = Region::new(0, 100_000);
    let space = G::space(&region);
    let allocator = G::over(&region);
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
                let block = pool.lock().pop();
                let Some(block) = block else { break };
                worker.blocks.push(block);
                worker.dealloc_all();
            }
        });
    }
    settle(allocator.subject(), space, Vec::new());
}

/// Threads that each have one block at a time, of a heap that has room for
/// just so many.
fn there_is_a_block_for_each_thread<G: FrontEnd + Sync>() {
    const SIZE: usize = 1000;
    let room = THREADS * SIZE;
    let Some(region) = (room..)
        .step_by(GRANULE)
        .map(|length| Region::new(0, length))
        .find(|region| G::space(region).len() >= room)
    else {
        panic!("no region has room");
    };
    let space = G::space(&region);
    let allocator = G::over(&region);
    let blocks = on_all_threads(&allocator, |worker| {
        for round in 0..rounds(20_000) {
            assert!(worker.alloc(layout(SIZE, GRANULE)), "none in round {round}");
            worker.dealloc_all();
        }
    });
    settle(allocator.subject(), space, blocks);
}

/// So many, or more or fewer if the environment asks for it.
fn rounds(usual: usize) -> usize {
    let factor = std::env::var("GALLOC_TEST_ROUNDS").map_or(Ok(1.0), |text| text.parse::<f64>());
    (usual as f64 * factor.expect("GALLOC_TEST_ROUNDS is not a number")) as usize
}

type Spin<const S: usize, const A: usize> = SpinLockedAllocator<S, A>;
type PerCpu<Cpu, const N: usize, const S: usize> = PerCpuAllocator<Cpu, N, RawSpinLock, S, 2>;

macro_rules! with {
    ($($front_end:ident: $type:ty;)*) => {
        $(
            mod $front_end {
                use super::*;

                #[test]
                fn does_as_its_shadow_in_300_bytes() {
                    super::does_as_its_shadow::<$type>(300);
                }

                #[test]
                fn does_as_its_shadow_in_10_kib() {
                    super::does_as_its_shadow::<$type>(10 << 10);
                }

                #[test]
                fn does_as_its_shadow_in_1_mib() {
                    super::does_as_its_shadow::<$type>(1 << 20);
                }

                #[test]
                fn threads_leave_each_others_blocks_alone() {
                    super::threads_leave_each_others_blocks_alone::<$type>();
                }

                #[test]
                fn blocks_pass_from_thread_to_thread() {
                    super::blocks_pass_from_thread_to_thread::<$type>();
                }

                #[test]
                fn all_threads_exhaust_the_heap_at_once() {
                    super::all_threads_exhaust_the_heap_at_once::<$type>();
                }

                #[test]
                fn there_is_a_block_for_each_thread() {
                    super::there_is_a_block_for_each_thread::<$type>();
                }
            }
        )*
    };
}

#[test]
fn unsync_does_as_its_shadow() {
    does_as_its_shadow::<UnsyncAllocator<0, 2>>(300);
    does_as_its_shadow::<UnsyncAllocator<32, 2>>(10 << 10);
    does_as_its_shadow::<Locked<RawCell, TinyAllocator>>(10 << 10);
}

#[cfg(feature = "critical-section")]
with! {
    critical_section: CriticalSectionAllocator<128, 2>;
    critical_section_per_cpu: PerCpuAllocator<ByThread, 2, RawCriticalSection, 128, 2>;
}

#[cfg(feature = "critical-section")]
#[test]
fn a_static_heap_is_behind_a_critical_section_too() {
    static HEAP: LockedStaticHeap<RawCriticalSection, { 1 << 20 }> = LockedStaticHeap::new();
    let space = space_of(&mut &HEAP);
    let blocks = on_all_threads(&HEAP, |worker| (0..10_000).for_each(|_| worker.act()));
    settle(&HEAP, space, blocks);
}

with! {
    locked_fairly: LockedAllocator<Ticket, 128, 2>;
    per_cpu_locked_fairly: PerCpuAllocator<ByThread, 2, Ticket, 128, 2>;
    locked_tiny: Locked<RawSpinLock, TinyAllocator>;
    locked_without_lists: Spin<0, 2>;
    locked_with_few_lists: Spin<1, 2>;
    locked_with_lists: Spin<128, 2>;
    locked_with_aligned_lists: Spin<32, 4>;
    per_cpu: PerCpu<ByThread, 4, 128>;
    per_cpu_with_few_caches: PerCpu<ByThread, 2, 512>;
    per_cpu_without_lists: PerCpu<ByThread, 2, 0>;
    per_cpu_with_one_cache_for_all: PerCpu<Unknown, 1, 128>;
    per_cpu_before_cpus_have_numbers: PerCpu<Unknown, 4, 128>;
    per_cpu_while_threads_wander: PerCpu<Wandering, 4, 128>;
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

// It writes where nothing is allocated.
#[cfg(not(any(galloc_asan, galloc_valgrind)))]
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

// The tool reports the second free before the heap can.
#[cfg(not(any(galloc_asan, galloc_valgrind)))]
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
    let locked = SpinLockedAllocator::<8, 2>::over(&region);
    corrupt(&locked);
    assert!(locked.check().is_err());
    let heap = StaticHeap::<4096, 8, 2>::new();
    corrupt(&heap);
    assert!(heap.check().is_err());
    let tiny = LockedStatic::<RawSpinLock, 4096, TinyAllocator>::new();
    corrupt(&tiny);
    assert!(tiny.check().is_err());
}

#[test]
fn a_static_heap_does_as_its_shadow() {
    static HEAPS: [StaticHeap<3000, 16, 3>; 50] = [const { StaticHeap::new() }; 50];
    let capacity = HEAPS[0].stats().capacity;
    let mut runner = TestRunner::deterministic();
    for mut heap in &HEAPS {
        let ops = prop::collection::vec(op::any(capacity), 100);
        let ops = ops.new_tree(&mut runner).unwrap().current();
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
    static TINY: LockedStatic<RawSpinLock, { 1 << 20 }, TinyAllocator> = LockedStatic::new();
    fn serves<H: GlobalAlloc + Sync>(mut heap: &'static H)
    where
        &'static H: Subject,
    {
        let space = space_of(&mut heap);
        let blocks = on_all_threads(heap, |worker| {
            for _ in 0..10_000 {
                worker.act();
            }
        });
        settle(heap, space, blocks);
    }
    serves(&HEAP);
    serves(&TINY);
}
