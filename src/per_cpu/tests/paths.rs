//! Where a request goes, whatever is held, and whom it waits for.

extern crate std;

use core::{
    alloc::{GlobalAlloc, Layout},
    time::Duration,
};
use std::{thread, vec};

use super::{
    CPU, CPUS, Chosen, CurrentCpu, Handler, Heap, PerCpuAllocator, Sample, Tally, Vec, bytes,
};
use crate::lock::RawSpinLock;

/// A size without a list.
const UNLISTED: usize = 5000;

/// Parks a block of 64 bytes, and nothing else, on a CPU of a new heap.
fn with_a_block_on(cpu: usize) -> (Sample<Chosen>, *mut u8) {
    let sample = Sample::<Chosen>::of(1 << 20);
    let block = sample.alloc(64);
    park_on(&sample.heap, cpu, block, 64);
    (sample, block)
}

fn park_on<const N: usize>(
    heap: &PerCpuAllocator<Chosen, N, RawSpinLock, 512, 2>,
    cpu: usize,
    block: *mut u8,
    size: usize,
) {
    CPU.set(cpu);
    // SAFETY: the tests free what they allocated, once.
    unsafe { heap.dealloc(block, bytes(size)) };
    CPU.set(0);
}

#[test]
fn a_request_goes_to_the_next_two_caches_while_its_own_is_held() {
    const MANY: usize = 5;
    let own = MANY - 2;
    for (next, is_asked) in [(1, true), (2, true), (3, false), (4, false)] {
        let mut memory = vec![0_u64; 1 << 17];
        let heap = PerCpuAllocator::<Chosen, MANY, RawSpinLock, 512, 2>::empty();
        let other = (own + next) % MANY;
        let layout = bytes(64);
        // SAFETY: the memory is the heap's, and outlives it; each block is
        // freed once.
        unsafe {
            heap.try_init(memory.as_mut_ptr().cast(), size_of_val(&memory[..]))
                .unwrap();
            let [block, second] = [(); 2].map(|()| heap.shared.lock(Tally::NONE).alloc(layout));
            park_on(&heap, other, block, 64);
            CPU.set(own);
            let cache = heap.slots[own].lock();
            assert_eq!(heap.alloc(layout) == block, is_asked, "{next}");
            heap.dealloc(second, layout);
            drop(cache);
            CPU.set(0);
            let parked = heap.slots[other].lock().parked(heap.span()).bytes();
            assert_eq!(parked, 64, "{next}");
        }
    }
}

#[test]
fn a_block_that_fits_no_list_is_freed_to_the_heap_while_its_cache_is_held() {
    let sample = Sample::<Chosen>::of(1 << 20);
    let block = sample.alloc(64);
    let live = sample.heap.stats().live;
    let cache = sample.heap.slots[0].lock();
    // The other cache is asleep.
    sample.free(block, 64);
    drop(cache);
    assert_eq!(sample.parked_on(0) + sample.parked_on(1), 0);
    assert_eq!(sample.heap.stats().live, live - 64);
}

#[test]
fn the_heap_serves_while_all_caches_are_held() {
    let sample = Sample::<Chosen>::of(1 << 20);
    let caches = sample.heap.lock_all();
    for size in [64, UNLISTED] {
        assert!(!sample.alloc(size).is_null());
    }
    drop(caches);
}

#[test]
fn any_number_is_that_of_a_cpu() {
    let sample = Sample::<Chosen>::of(1 << 20);
    for number in [CPUS, usize::MAX] {
        CPU.set(number);
        let block = sample.alloc(64);
        let cache = sample.heap.slots[number % CPUS].lock();
        let other = sample.alloc(64);
        assert!(!block.is_null() && !other.is_null() && block != other);
        sample.free(block, 64);
        drop(cache);
        sample.free(other, 64);
    }
    CPU.set(0);
    sample.heap.check().unwrap();
}

#[test]
fn what_caches_hold_is_parked() {
    let (sample, _) = with_a_block_on(0);
    let before = sample.heap.stats();
    assert!(sample.piece_of(0) > 0);
    assert_eq!(before.parked, sample.parked_on(0) + sample.piece_of(0));
    let other = sample.alloc(400);
    park_on(&sample.heap, 1, other, 400);
    let of_heap = sample.alloc(UNLISTED / 2);
    // SAFETY: the block is live, and gone from now on.
    unsafe {
        sample
            .heap
            .shared
            .lock(Tally::NONE)
            .dealloc(of_heap, bytes(2496))
    };
    let stats = sample.heap.stats();
    let caches = sample.parked_on(0) + sample.parked_on(1) + sample.piece_of(0);
    assert_eq!(stats.parked, caches + 2496);
    assert_eq!(stats.capacity, stats.live + stats.parked + stats.free);
}

// The tool reports the second free before the heap can.
#[cfg(not(any(galloc_asan, galloc_valgrind)))]
#[test]
fn a_block_that_a_cache_parks_twice_is_found() {
    let (sample, block) = with_a_block_on(1);
    sample.heap.check().unwrap();
    park_on(&sample.heap, 1, block, 64);
    assert!(sample.heap.check().is_err());
}

#[test]
fn a_block_of_more_than_a_kilobyte_that_its_content_outgrew_is_not_parked() {
    for (size, is_parked) in [(504, true), (1024, true), (1032, false)] {
        let sample = Sample::<Chosen>::of(1 << 20);
        let block = sample.alloc(size);
        // It cannot grow where it is.
        let _after = sample.alloc(size);
        let parked = sample.parked_on(0);
        // SAFETY: the block is live.
        let moved = unsafe { sample.heap.realloc(block, bytes(size), 4096) };
        assert!(!moved.is_null() && moved != block);
        let more = if is_parked { size } else { 0 };
        assert_eq!(sample.parked_on(0), parked + more, "{size}");
        let piece = sample.piece_of(0);
        assert_eq!(sample.heap.stats().parked, parked + more + piece, "{size}");
    }
}

#[test]
fn a_block_grows_into_one_that_its_cpu_parks() {
    let sample = Sample::<Chosen>::of(1 << 20);
    let [block, _after, larger] = [64, 64, 128].map(|size| sample.alloc(size));
    sample.free(larger, 128);
    // SAFETY: the block is live.
    let grown = unsafe { sample.heap.realloc(block, bytes(64), 128) };
    assert_eq!(grown, larger);
}

#[test]
fn a_block_shrinks_into_one_that_its_cpu_parks_and_no_further() {
    let sample = Sample::<Chosen>::of(1 << 20);
    let block = sample.alloc(128);
    let mut others = [(); 8].map(|()| sample.alloc(64));
    others.sort();
    let touch = |pair: &&[*mut u8]| pair[1] == pair[0].wrapping_add(64);
    let pair = others.windows(2).find(touch).unwrap();
    let (smaller, after) = (pair[0], pair[1]);
    sample.free(smaller, 64);
    let parked = sample.parked_on(0);
    // SAFETY: the blocks are live, and so is the one that one becomes.
    unsafe {
        after.write_bytes(3, 64);
        block.write_bytes(7, 128);
        assert_eq!(sample.heap.realloc(block, bytes(128), 64), smaller);
        assert_eq!(smaller.cast::<[u8; 64]>().read(), [7; 64]);
        assert_eq!(after.cast::<[u8; 64]>().read(), [3; 64]);
    }
    assert_eq!(sample.parked_on(0), parked - 64 + 128);
}

#[test]
fn a_small_block_is_copied_rather_than_to_wait_for_the_heap() {
    let sample = Sample::<Chosen>::of(1 << 20);
    let [block, larger] = [64, 128].map(|size| sample.alloc(size));
    sample.free(larger, 128);
    let parked = sample.parked_on(0);
    let heap = sample.heap.shared.lock(Tally::NONE);
    // SAFETY: the block is live, and so is the one that it becomes.
    unsafe {
        block.write_bytes(7, 64);
        assert_eq!(sample.heap.realloc(block, bytes(64), 128), larger);
        assert_eq!(larger.cast::<[u8; 64]>().read(), [7; 64]);
    }
    drop(heap);
    assert_eq!(sample.parked_on(0), parked - 128 + 64);
}

#[test]
fn a_small_block_is_copied_to_what_is_out_rather_than_to_wait_for_the_heap() {
    let sample = Sample::<Handler>::of(64 << 20);
    let block = sample.alloc(64);
    sample.free_on(0, 128, 1500);
    assert!(sample.out_of(0) > 0);
    while sample.parked_on(0) >= 128 {
        let mut cache = sample.heap.slots[0].lock();
        if cache.pop(sample.heap.span(), bytes(128)).is_none() {
            break;
        }
    }
    let parked = sample.parked_on(0);
    let out = sample.out_of(0);
    let heap = sample.heap.shared.lock(Tally::NONE);
    // SAFETY: the block is live, and so is the one that it becomes.
    unsafe {
        block.write_bytes(7, 64);
        let moved = sample.heap.realloc(block, bytes(64), 128);
        assert!(!moved.is_null() && moved != block);
        assert_eq!(moved.cast::<[u8; 64]>().read(), [7; 64]);
    }
    drop(heap);
    // All that was out is a list now.
    assert_eq!(sample.parked_on(0), parked + out - 128 + 64);
}

#[test]
fn a_small_block_takes_a_parked_one_s_place_even_if_room_is_scarce() {
    let sample = Sample::<Chosen>::of(1 << 20);
    let [block, smaller] = [640, 64].map(|size| sample.alloc(size));
    sample.alloc(3 << 18);
    sample.free(smaller, 64);
    // SAFETY: the block is live.
    let shrunk = unsafe { sample.heap.realloc(block, bytes(640), 64) };
    assert_eq!(shrunk, smaller);
}

#[test]
fn a_large_block_shrinks_where_it_is() {
    let sample = Sample::<Chosen>::of(1 << 20);
    let [block, smaller] = [2000, 64].map(|size| sample.alloc(size));
    sample.free(smaller, 64);
    // SAFETY: the block is live.
    let shrunk = unsafe { sample.heap.realloc(block, bytes(2000), 64) };
    assert_eq!(shrunk, block);
}

#[test]
fn a_large_block_moves_into_one_that_its_cpu_parks() {
    let sample = Sample::<Chosen>::of(1 << 20);
    let [block, _after, larger] = [1200, 1200, 4000].map(|size| sample.alloc(size));
    sample.free(larger, 4000);
    // SAFETY: the block is live.
    let grown = unsafe { sample.heap.realloc(block, bytes(1200), 4000) };
    assert_eq!(grown, larger);
}

/// Blocks of 4 KiB aligned to 16 bytes; the first is not aligned to 4 KiB, as
/// bits below that one tell only.
fn with_a_misaligned_block(region: usize, count: usize) -> (Sample<Chosen>, Vec<*mut u8>) {
    let sample = Sample::<Chosen>::of(region);
    let mut heap = sample.heap.shared.lock(Tally::NONE);
    // SAFETY: the sizes are not zero. What lies between makes them differ.
    let alloc = |_| unsafe {
        let block = heap.alloc(of_4_kib(16));
        heap.alloc(bytes(2064));
        block
    };
    let mut blocks: Vec<_> = (0..count).map(alloc).collect();
    drop(heap);
    let is_first = |block: &*mut u8| (1..4096).contains(&(block.addr() % 8192));
    blocks.sort_by_key(|block| !is_first(block));
    assert!(is_first(&blocks[0]));
    (sample, blocks)
}

fn of_4_kib(align: usize) -> Layout {
    Layout::from_size_align(4096, align).unwrap()
}

#[test]
fn a_parked_block_that_is_not_aligned_well_enough_is_freed() {
    // So large that a CPU may park one such block.
    let (sample, blocks) = with_a_misaligned_block(80 << 10, 4);
    // SAFETY: the block is live, and of this layout; the size is not zero.
    unsafe {
        sample.heap.dealloc(blocks[0], of_4_kib(16));
        assert_eq!(sample.parked_on(0), 4096);
        let block = sample.heap.alloc(of_4_kib(4096));
        assert!(!block.is_null() && block.addr() % 4096 == 0);
    }
    assert_eq!(sample.heap.stats().parked, 0);
}

#[test]
fn a_list_that_is_not_empty_is_not_replaced_by_a_chain() {
    let (sample, blocks) = with_a_misaligned_block(16 << 20, 50);
    // SAFETY: the blocks are live, and of this layout; the size is not zero.
    unsafe {
        CPU.set(1);
        for &block in &blocks[1..] {
            sample.heap.dealloc(block, of_4_kib(16));
        }
        CPU.set(0);
        sample.heap.dealloc(blocks[0], of_4_kib(16));
        assert!(sample.out_of(1) > 0);
        assert_eq!(sample.parked_on(0), 4096);
        let live = sample.heap.stats().live;
        assert!(!sample.heap.alloc(of_4_kib(4096)).is_null());
        assert_eq!(sample.heap.stats().live, live + 4096);
    }
    sample.heap.check().unwrap();
}

#[test]
fn a_cpu_s_number_is_that_of_its_slot() {
    let sample = Sample::<Chosen>::of(1 << 20);
    for (number, slot) in sample.heap.slots.iter().enumerate() {
        assert_eq!(sample.heap.number_of(slot), number);
    }
}

#[test]
fn a_zeroed_block_without_a_list_is_one_block() {
    let sample = Sample::<Chosen>::of(1 << 20);
    let live = sample.heap.stats().live;
    let layout = bytes(UNLISTED);
    // SAFETY: the size is not zero, and what is read is the block.
    unsafe {
        let soiled = sample.heap.alloc(layout);
        soiled.write_bytes(7, UNLISTED);
        sample.heap.dealloc(soiled, layout);
        let block = sample.heap.alloc_zeroed(layout);
        assert_eq!(block, soiled);
        assert_eq!(block.cast::<[u8; UNLISTED]>().read(), [0; UNLISTED]);
    }
    assert_eq!(sample.heap.stats().live, live + UNLISTED);
}

#[test]
fn a_handler_gets_no_zeroed_block_without_a_list_while_the_heap_is_locked() {
    let sample = Sample::<Handler>::of(1 << 20);
    let lock = sample.heap.shared.lock(Tally::NONE);
    // SAFETY: the size is not zero.
    let block = unsafe { sample.heap.alloc_zeroed(bytes(UNLISTED)) };
    assert!(block.is_null());
    drop(lock);
    // SAFETY: as above.
    let block = unsafe { sample.heap.alloc_zeroed(bytes(UNLISTED)) };
    assert!(!block.is_null());
}

// It writes where nothing is allocated.
#[cfg(not(any(galloc_asan, galloc_valgrind)))]
#[test]
fn what_was_zero_is_not_cleared() {
    let mut memory = vec![0_u64; 1 << 12];
    let (start, length) = (memory.as_mut_ptr().cast::<u8>(), 8 << 12);
    let heap = Heap::<Chosen>::empty();
    // SAFETY: the memory is zero, and the heap's, but for a byte by which it
    // is seen that nothing is written; each size is not zero.
    unsafe {
        heap.try_init_zeroed(start, length).unwrap();
        assert!(heap.was_initialized());
        assert!(heap.try_init_zeroed(start, length).is_err());
        let first = heap.alloc(bytes(UNLISTED));
        first.add(UNLISTED + 500).write(7);
        let block = heap.alloc_zeroed(bytes(UNLISTED));
        assert_eq!(block, first.add(UNLISTED));
        assert_eq!(block.add(500).read(), 7);
    }
}

#[test]
fn an_address_will_do_to_init() {
    let mut memory = vec![0_u64; 1 << 12];
    let start = memory.as_mut_ptr().expose_provenance();
    let heap = Heap::<Chosen>::empty();
    // SAFETY: the memory is the heap's, and outlives it.
    unsafe { heap.init(start, size_of_val(&memory[..])) };
    assert!(heap.was_initialized());
    let free = heap.stats().free;
    assert!(free > 30_000 && free == heap.stats().capacity);
}

#[test]
fn caches_fill_again_after_everything_was_taken_back() {
    let (sample, _) = with_a_block_on(0);
    assert!(sample.alloc(2 << 20).is_null());
    assert!(!sample.heap.shared.is_reclaiming());
    assert_eq!(sample.parked_on(0), 0);
    let block = sample.alloc(64);
    sample.free(block, 64);
    assert!(sample.parked_on(0) > 0);
}

#[test]
fn no_cache_is_filled_while_they_are_taken_back() {
    let sample = Sample::<Chosen>::of(1 << 20);
    let reclaim = sample.heap.shared.reclaim();
    let block = sample.alloc(64);
    sample.free(block, 64);
    assert_eq!(sample.parked_on(0), 0);
    drop(reclaim);
}

#[test]
fn what_is_deferred_is_freed_by_the_lock_s_next_holder() {
    let sample = Sample::<Chosen>::of(1 << 20);
    let blocks: Vec<_> = (0..100).map(|_| sample.alloc(UNLISTED)).collect();
    let live = sample.heap.shared.lock(Tally::NONE).stats().live;
    // Nothing is kept.
    let _caches = sample.heap.lock_all();
    let heap = sample.heap.shared.lock(Tally::NONE);
    blocks
        .iter()
        .for_each(|&block| sample.free(block, UNLISTED));
    drop(heap);
    // So many at once.
    for freed in [64, 100] {
        let now = sample
            .heap
            .shared
            .try_lock(Tally::NONE)
            .unwrap()
            .stats()
            .live;
        assert_eq!(now, live - freed * UNLISTED);
    }
    sample.free(sample.alloc(UNLISTED), UNLISTED);
    assert_eq!(
        sample.heap.lock_settled().stats().live,
        live - 100 * UNLISTED
    );
}

/// Whether a request is served that is made while something is held, and that
/// can wait until it is not.
fn is_served<T>(held: T, request: impl FnOnce() -> *mut u8 + Send) -> bool {
    thread::scope(|scope| {
        let other = scope.spawn(move || !request().is_null());
        thread::sleep(Duration::from_millis(50));
        drop(held);
        other.join().unwrap()
    })
}

#[test]
fn a_request_waits_for_what_it_needs() {
    let (sample, _) = with_a_block_on(1);
    let heap = &sample.heap;
    let capacity = heap.stats().capacity;
    // SAFETY: no size here is zero.
    let alloc = |size: usize| move || unsafe { heap.alloc(bytes(size)) };
    assert!(is_served(heap.shared.lock(Tally::NONE), alloc(64)));
    assert!(is_served(heap.shared.lock(Tally::NONE), alloc(UNLISTED)));

    let (sample, _) = with_a_block_on(1);
    let heap = &sample.heap;
    // SAFETY: as above.
    let alloc_all = || unsafe { heap.alloc(bytes(capacity)) };
    assert!(is_served(heap.slots[1].lock(), alloc_all));
}

/// A handler on a CPU whose lock masks interrupts.
struct Masked;

impl CurrentCpu for Masked {
    const LOCK_MASKS_INTERRUPTS: bool = true;

    fn index() -> usize {
        0
    }
    fn in_interrupt() -> bool {
        true
    }
}

#[test]
fn a_handler_waits_for_a_lock_that_masks_interrupts() {
    let sample = Sample::<Masked>::of(1 << 20);
    let heap = &sample.heap;
    // SAFETY: no size here is zero.
    let alloc = |size: usize| move || unsafe { heap.alloc(bytes(size)) };
    assert!(is_served(heap.shared.lock(Tally::NONE), alloc(UNLISTED)));
}

#[test]
fn a_handler_waits_for_no_cache() {
    let sample = Sample::<Handler>::of(1 << 20);
    let other = sample.heap.slots[CPUS - 1].lock();
    assert!(sample.alloc(2 << 20).is_null());
    drop(other);
}

#[test]
fn nothing_is_taken_back_for_a_size_that_no_block_can_have() {
    let (sample, _) = with_a_block_on(1);
    let block = sample.alloc(64);
    let parked = sample.parked_on(1);
    for size in [isize::MAX as usize, usize::MAX] {
        // SAFETY: the block is live; that there are such sizes is what the
        // allocator has to find out.
        assert!(unsafe { sample.heap.realloc(block, bytes(64), size) }.is_null());
    }
    assert!(parked > 0 && sample.parked_on(1) == parked);
    sample.free(block, 64);
}

#[test]
fn nobody_is_in_an_interrupt_who_does_not_say_so() {
    assert!(!Chosen::in_interrupt());
}
