//! Operations of a `PerCpuAllocator` that go to the limits of what
//! `docs/many-cpus.md` bounds. That they keep to them the library itself
//! asserts, in debug builds.
#![cfg(feature = "spin")]

mod common;

use std::{alloc::GlobalAlloc, cell::Cell, iter, ptr};

use common::{Region, layout};
use good_memory_allocator::{CurrentCpu, PerCpuAllocator, RawSpinLock};

const CPUS: usize = 10;

thread_local!(static CPU: Cell<usize> = const { Cell::new(0) });

struct Chosen;

impl CurrentCpu for Chosen {
    fn index() -> usize {
        CPU.get()
    }
}

/// With lists for up to 1 KiB, as tests have small stacks.
type Heap = PerCpuAllocator<Chosen, CPUS, RawSpinLock, 128>;

/// Blocks of ever other sizes are handed from CPU to CPU, so that lists
/// overflow, chains are taken, and grants are revoked.
///
/// # Safety
///
/// The heap has its region.
unsafe fn hand_on(heap: &Heap, sizes: impl Iterator<Item = usize>) {
    for (round, size) in sizes.enumerate() {
        let layout = layout(size, 8);
        CPU.set(round % CPUS);
        // SAFETY: every block is freed once, with its layout.
        unsafe {
            let blocks: Vec<_> = (0..300).map(|_| heap.alloc(layout)).collect();
            CPU.set((round * 7 + 1) % CPUS);
            for block in blocks.into_iter().filter(|block| !block.is_null()) {
                heap.dealloc(block, layout);
            }
        }
    }
    CPU.set(0);
}

#[test]
fn cpus_hand_blocks_on_and_use_memory_up() {
    for heap in [Heap::empty(), Heap::bounded()] {
        let region = Region::new(0, 2 << 20);
        let small = layout(64, 8);
        // SAFETY: the region is the heap's; what is freed was allocated.
        unsafe {
            heap.try_init(region.start(), region.len()).unwrap();
            hand_on(&heap, (8..2048).step_by(16));
            heap.check().unwrap();
            let blocks = iter::repeat_with(|| heap.alloc(small));
            let blocks: Vec<_> = blocks.take_while(|block| !block.is_null()).collect();
            let last = blocks[blocks.len() - 1];
            assert_eq!(heap.realloc(last, small, 1 << 20), ptr::null_mut());
            assert!(heap.alloc_zeroed(layout(8192, 8)).is_null());
            for block in blocks {
                heap.dealloc(block, small);
            }
        }
        heap.check().unwrap();
    }
}
