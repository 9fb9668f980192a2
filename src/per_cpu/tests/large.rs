//! Large blocks that a CPU keeps.

use core::alloc::GlobalAlloc;

use super::{super::large::Large, CPU, CPUS, Chosen, Granules, Sample, Tally, Vec, bytes};
use crate::heap::LARGE;

/// A size without a list.
const SIZE: usize = 8 << 10;
const HEAP: usize = 64 << 20;
/// What a CPU keeps of large blocks.
const MOST: usize = HEAP / 8 / CPUS / 4;

/// So many blocks of a size, of which the heap keeps none.
fn blocks(sample: &Sample<Chosen>, size: usize, count: usize) -> Vec<*mut u8> {
    let mut heap = sample.heap.shared.lock(Tally::NONE);
    // SAFETY: no size here is zero.
    let alloc = |_| unsafe { heap.alloc(bytes(size)) };
    (0..count).map(alloc).collect()
}

/// Frees so many blocks of a size on the first CPU.
fn keep(sample: &Sample<Chosen>, size: usize, count: usize) {
    for block in blocks(sample, size, count) {
        sample.free(block, size);
    }
}

#[test]
fn what_a_cpu_frees_it_has_again_without_the_heaps_lock() {
    let sample = Sample::<Chosen>::of(HEAP);
    let freed = blocks(&sample, SIZE, 8);
    let heap = sample.heap.shared.lock(Tally::NONE);
    for &block in &freed {
        sample.free(block, SIZE);
    }
    assert_eq!(sample.kept_on(0), 8 * SIZE);
    // The last one first.
    for &block in freed.iter().rev() {
        assert_eq!(sample.alloc(SIZE), block);
    }
    drop(heap);
    assert_eq!(sample.kept_on(0), 0);
    sample.heap.check().unwrap();
}

#[test]
fn of_a_size_64_are_kept_and_then_half_of_them_goes() {
    let sample = Sample::<Chosen>::of(HEAP);
    let mut kept = Vec::new();
    for block in blocks(&sample, SIZE, 100) {
        sample.free(block, SIZE);
        kept.push(sample.kept_on(0) / SIZE);
    }
    let expected = (1..=64).chain(33..=64).chain(33..=36);
    assert_eq!(kept, expected.collect::<Vec<_>>());
    assert_eq!(sample.heap.stats().live, 0);
    sample.heap.check().unwrap();
}

#[test]
fn blocks_of_64_kib_are_kept_and_no_larger_ones() {
    let sample = Sample::<Chosen>::of(HEAP);
    keep(&sample, 64 << 10, 3);
    assert_eq!(sample.kept_on(0), 3 * (64 << 10));
    keep(&sample, (64 << 10) + 8, 1);
    assert_eq!(sample.kept_on(0), 3 * (64 << 10));
}

#[test]
fn what_goes_is_deferred_while_the_heap_is_held() {
    let sample = Sample::<Chosen>::of(HEAP);
    let freed = blocks(&sample, SIZE, 65);
    let heap = sample.heap.shared.lock(Tally::NONE);
    let live = heap.stats().live;
    for block in freed {
        sample.free(block, SIZE);
    }
    assert_eq!(sample.kept_on(0), 33 * SIZE);
    assert_eq!(heap.stats().live, live);
    drop(heap);
    assert_eq!(sample.heap.lock_settled().stats().live, live - 32 * SIZE);
    assert_eq!(sample.heap.stats().live, 0);
    sample.heap.check().unwrap();
}

#[test]
fn a_size_drives_all_of_another_out_of_its_slot() {
    let sample = Sample::<Chosen>::of(HEAP);
    // Of more sizes than slots, two share one.
    for size in (SIZE..).step_by(8).take(17) {
        keep(&sample, size, 4);
    }
    let kept = sample.kept_on(0);
    assert!(kept > 0 && kept < 17 * 4 * SIZE, "{kept}");
    assert_eq!(sample.heap.stats().live, 0);
    sample.heap.check().unwrap();
}

#[test]
fn a_cpu_keeps_a_quarter_of_its_part_and_nothing_that_is_half_of_that() {
    // 16 KiB for each CPU.
    let sample = Sample::<Chosen>::of(1 << 20);
    let most = MOST / 64;
    let mut seen = 0;
    for round in 0..3 {
        for size in (4104..=most / 2).step_by(512) {
            keep(&sample, size, 3);
            let kept = sample.kept_on(0);
            assert!(kept <= most, "{kept} in round {round}");
            seen = seen.max(kept);
        }
    }
    assert!(seen > most / 2, "only {seen} were ever kept");
    let kept = sample.kept_on(0);
    keep(&sample, most / 2 + 8, 1);
    assert_eq!(sample.kept_on(0), kept);
    assert_eq!(sample.heap.stats().live, 0);
    sample.heap.check().unwrap();
}

#[test]
fn blocks_that_are_just_as_much_as_may_be_are_kept() {
    let sample = Sample::<Chosen>::of(HEAP);
    let span = sample.heap.span();
    let [small, large] = [SIZE, 2 * SIZE].map(Granules::of_block);
    let place = |size| span.offset_of(blocks(&sample, size, 1)[0]);
    let (first, second) = (place(SIZE), place(2 * SIZE));
    let just_both = small + large;
    for (most, fits) in [(just_both, true), (just_both - Granules(1), false)] {
        let mut kept = Large::NONE;
        assert!(kept.put(span, first, small, most));
        let room = kept.room(span, large, most);
        if !fits {
            assert!(!kept.put(span, second, large, most));
            assert_eq!(kept.take_excess(span, &room), Some((first, small)));
        }
        assert_eq!(kept.take_excess(span, &room), None);
        assert!(kept.put(span, second, large, most));
    }
}

#[test]
fn nothing_is_kept_once_room_is_scarce() {
    let sample = Sample::<Chosen>::of(HEAP);
    let freed = blocks(&sample, SIZE, 2);
    let half = sample.alloc(HEAP / 2);
    assert!(!half.is_null());
    sample.free(freed[0], SIZE);
    assert_eq!(sample.kept_on(0), 0);
    sample.free(half, HEAP / 2);
    // Whoever is behind a cache next says that there is room.
    sample.alloc(64);
    sample.free(freed[1], SIZE);
    assert_eq!(sample.kept_on(0), SIZE);
}

#[test]
fn what_is_kept_is_drained_when_room_gets_scarce() {
    let sample = Sample::<Chosen>::of(HEAP);
    keep(&sample, SIZE, 4);
    assert!(!sample.alloc(HEAP / 2).is_null());
    assert_eq!(sample.kept_on(0), 0);
    sample.heap.check().unwrap();
}

#[test]
fn what_cpus_keep_counts_as_parked_and_is_taken_back() {
    let sample = Sample::<Chosen>::of(HEAP);
    let before = sample.heap.stats();
    for cpu in 0..CPUS {
        let freed = blocks(&sample, SIZE, 4);
        CPU.set(cpu);
        for block in freed {
            sample.free(block, SIZE);
        }
        CPU.set(0);
    }
    let stats = sample.heap.stats();
    assert_eq!((stats.live, stats.parked), (0, CPUS * 4 * SIZE));
    let block = sample.alloc(before.largest_free);
    assert!(!block.is_null(), "something was left");
    sample.free(block, before.largest_free);
    assert_eq!(sample.heap.stats(), before);
}

#[test]
fn nothing_is_kept_while_caches_are_taken_back() {
    let sample = Sample::<Chosen>::of(HEAP);
    let reclaim = sample.heap.shared.reclaim();
    keep(&sample, SIZE, 1);
    assert_eq!(sample.kept_on(0), 0);
    drop(reclaim);
    keep(&sample, SIZE, 1);
    assert_eq!(sample.kept_on(0), SIZE);
}

#[test]
fn a_block_that_is_kept_and_free_is_found() {
    let sample = Sample::<Chosen>::of(HEAP);
    let freed = blocks(&sample, SIZE, 4);
    for &block in &freed {
        sample.free(block, SIZE);
    }
    sample.heap.check().unwrap();
    // One that is behind others.
    let block = sample.heap.span().offset_of(freed[1]);
    let size = Granules::of_block(SIZE);
    sample.heap.shared.lock(Tally::NONE).free(block, size);
    assert!(sample.heap.check().is_err());
}

#[test]
fn a_block_that_is_kept_is_cleared_where_zeros_are_asked_for() {
    let sample = Sample::<Chosen>::of(HEAP);
    let block = sample.alloc(SIZE);
    // SAFETY: the block is live, and freed once.
    unsafe {
        block.write_bytes(7, SIZE);
        sample.free(block, SIZE);
        assert_eq!(sample.heap.alloc_zeroed(bytes(SIZE)), block);
        assert_eq!(block.cast::<[u8; SIZE]>().read(), [0; SIZE]);
    }
}

#[test]
fn a_block_grows_into_one_that_is_kept() {
    let sample = Sample::<Chosen>::of(HEAP);
    let [small, _next, kept] = [SIZE / 8, SIZE / 8, SIZE].map(|size| blocks(&sample, size, 1)[0]);
    sample.free(kept, SIZE);
    // SAFETY: the block is live, and freed once.
    let grown = unsafe { sample.heap.realloc(small, bytes(SIZE / 8), SIZE) };
    assert_eq!((grown, sample.kept_on(0)), (kept, 0));
    sample.heap.check().unwrap();
}

#[test]
fn where_there_are_no_lists_blocks_of_2_kib_are_kept() {
    let allocator = super::PerCpuAllocator::<Chosen, 1, crate::lock::RawSpinLock, 0, 2>::empty();
    let mut memory = super::vec![0_u64; HEAP / 8];
    let layout = bytes(LARGE.bytes());
    // SAFETY: the memory is the heap's, and outlives it; the block is freed once.
    unsafe {
        allocator
            .try_init(memory.as_mut_ptr().cast(), HEAP)
            .unwrap();
        let block = allocator.alloc(layout);
        allocator.dealloc(block, layout);
        assert_eq!(allocator.stats().parked, LARGE.bytes());
        let heap = allocator.shared.lock(Tally::NONE);
        assert_eq!(allocator.alloc(layout), block);
        drop(heap);
    }
}

#[test]
fn where_there_are_no_lists_a_bounded_allocator_gives_back_what_is_kept() {
    const BLOCK: usize = 16 << 10;
    let allocator = super::PerCpuAllocator::<Chosen, 1, crate::lock::RawSpinLock, 0, 2>::bounded();
    let mut memory = super::vec![0_u64; HEAP / 8];
    // SAFETY: the memory is the heap's, and outlives it; the blocks are freed once.
    unsafe {
        allocator
            .try_init(memory.as_mut_ptr().cast(), HEAP)
            .unwrap();
        let whole = bytes(allocator.stats().capacity);
        let kept = [0; 8].map(|_| allocator.alloc(bytes(BLOCK)));
        for block in kept {
            allocator.dealloc(block, bytes(BLOCK));
        }
        assert_eq!(allocator.stats().parked, 8 * BLOCK);
        assert!(!allocator.alloc(whole).is_null());
    }
}
