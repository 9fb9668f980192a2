//! The kernel's heap. This, and the lock, is what another kernel copies.

use core::ops::Range;

use good_memory_allocator::{CurrentCpu, PerCpuAllocator};

use crate::{
    cpu::{self, CPUS},
    masking_lock::MaskingLock,
};

/// What `Box`, `Vec` and all of `alloc` get their memory from, in ordinary
/// code and in interrupt handlers.
///
/// Most operations need only the blocks that the CPU itself has freed, take no
/// lock that another CPU would want, and leave interrupts on. The rest is for
/// all CPUs, behind the lock.
#[global_allocator]
pub static HEAP: PerCpuHeap = PerCpuHeap::empty();

pub type PerCpuHeap = PerCpuAllocator<ThisCpu, CPUS, MaskingLock>;

/// What the heap has to know of the CPU that calls it.
pub struct ThisCpu;

impl CurrentCpu for ThisCpu {
    const LOCK_MASKS_INTERRUPTS: bool = true;

    fn index() -> usize {
        cpu::index()
    }

    fn in_interrupt() -> bool {
        cpu::in_handler()
    }
}

/// Gives the heap its memory, before anything allocates.
///
/// # Safety
///
/// Nothing else uses the memory.
pub unsafe fn init(memory: Range<usize>) {
    // SAFETY: the caller's promise.
    unsafe { HEAP.init(memory.start, memory.len()) };
}
