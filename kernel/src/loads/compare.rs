//! The same loads on other allocators, all with the same lock, over the same
//! memory.

use core::{
    alloc::{GlobalAlloc, Layout},
    ptr::{self, NonNull},
    sync::atomic::{AtomicPtr, AtomicU64, Ordering::Relaxed},
};

use good_memory_allocator::LockedAllocator;
use talc::{TalcLock, source::Manual};

use super::{block::Filled, fill, hand_on, mix, one_size, only_once, pool::Pool};
use crate::{
    HEAP, cpu,
    cpus::{self, meet},
    heap::PerCpuHeap,
    masking_lock::{MaskingLock, Mutex},
    println,
};

/// What each allocator gets.
const MEMORY: Layout = match Layout::from_size_align(16 << 20, 4096) {
    Ok(layout) => layout,
    Err(_) => panic!(),
};

/// Prints a table of what an operation takes.
pub fn run() {
    static MEMORY_START: AtomicPtr<u8> = AtomicPtr::new(ptr::null_mut());
    only_once(|| {
        // SAFETY: the size is not zero.
        let memory = unsafe { HEAP.alloc(MEMORY) };
        assert!(!memory.is_null(), "no memory to compare in");
        MEMORY_START.store(memory, Relaxed);
        println!("\nticks for an operation, CPUs at once: {}", cpus::count());
        println!(
            "{:24}{:>10}{:>10}{:>10}{:>10}",
            "", "one size", "random", "hand on", "fill"
        );
    });
    let memory = MEMORY_START.load(Relaxed);

    static PER_CPU: PerCpuHeap = PerCpuHeap::empty();
    // SAFETY: the memory is the allocator's until the next one gets it.
    contend("galloc, a cache a CPU", &PER_CPU, || unsafe {
        PER_CPU.init(memory.expose_provenance(), MEMORY.size());
    });

    static LOCKED: LockedAllocator<MaskingLock> = LockedAllocator::empty();
    // SAFETY: as above.
    contend("galloc, one lock", &LOCKED, || unsafe {
        LOCKED.init(memory.expose_provenance(), MEMORY.size());
    });

    static TALC: TalcLock<MaskingLock, Manual> = TalcLock::new(Manual);
    // SAFETY: as above.
    contend("talc", &TALC, || unsafe {
        let claimed = TALC.lock().claim(memory, MEMORY.size());
        assert!(claimed.is_some(), "talc does not take the memory");
    });

    static LINKED_LIST: LinkedList = LinkedList(Mutex::new(linked_list_allocator::Heap::empty()));
    // SAFETY: as above.
    contend("linked_list_allocator", &LINKED_LIST, || unsafe {
        LINKED_LIST.0.lock().init(memory, MEMORY.size());
    });

    // SAFETY: nobody uses the memory any longer.
    only_once(|| unsafe { HEAP.dealloc(memory, MEMORY) });
}

/// Prints the line of an allocator, which the first CPU initializes.
fn contend(name: &str, heap: &dyn GlobalAlloc, init: impl FnOnce()) {
    static POOL: Pool = Pool::new();
    const ROUNDS: usize = 100;
    const STEPS: usize = 3_000;
    only_once(init);
    let one_size = ticks_each(|| {
        one_size::run(heap, Filled::Start, ROUNDS);
        ROUNDS * one_size::BLOCKS * 2
    });
    let random = ticks_each(|| {
        mix::run(heap, &POOL, Filled::Start, STEPS);
        STEPS
    });
    let hand_on = ticks_each(|| {
        hand_on::run(heap, &POOL, Filled::Start, STEPS);
        STEPS * 2
    });
    only_once(|| POOL.free_all(heap));
    let fill = ticks_each(|| fill::run(heap, Filled::Start, MEMORY.size(), 16 << 10) * 2);
    only_once(|| println!("{name:24}{one_size:10}{random:10}{hand_on:10}{fill:10}"));
}

/// What an operation of the load takes a CPU, waits for the lock included, but
/// not those for other CPUs to come as far. The best of many short times: what
/// emulates a CPU may have to wait for its turn at any moment.
fn ticks_each(mut load: impl FnMut() -> usize) -> u64 {
    static TICKS: AtomicU64 = AtomicU64::new(0);
    static OPERATIONS: AtomicU64 = AtomicU64::new(0);
    let times = (0..5).map(|_| {
        only_once(|| {
            TICKS.store(0, Relaxed);
            OPERATIONS.store(0, Relaxed);
        });
        let (start, waited) = (cpu::ticks(), cpus::waited());
        OPERATIONS.fetch_add(load() as u64, Relaxed);
        TICKS.fetch_add(cpu::ticks() - start - (cpus::waited() - waited), Relaxed);
        meet();
        TICKS.load(Relaxed) / OPERATIONS.load(Relaxed)
    });
    times.min().unwrap_or_default()
}

/// As `linked_list_allocator::LockedHeap`, which brings a lock of its own.
struct LinkedList(Mutex<linked_list_allocator::Heap>);

// SAFETY: the heap keeps the contract, and is behind a lock.
unsafe impl GlobalAlloc for LinkedList {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let block = self.0.lock().allocate_first_fit(layout);
        block.map_or(ptr::null_mut(), NonNull::as_ptr)
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe {
            self.0
                .lock()
                .deallocate(NonNull::new_unchecked(block), layout)
        };
    }
}
