//! The kernel's heap. This, and the lock, is what another kernel copies.

use core::ops::Range;

use good_memory_allocator::LockedAllocator;

use crate::masking_lock::MaskingLock;

/// What `Box`, `Vec` and all of `alloc` get their memory from, in ordinary
/// code and in interrupt handlers.
#[global_allocator]
pub static HEAP: LockedAllocator<MaskingLock> = LockedAllocator::empty();

/// Gives the heap its memory, before anything allocates.
///
/// # Safety
///
/// Nothing else uses the memory.
pub unsafe fn init(memory: Range<usize>) {
    // SAFETY: the caller's promise.
    unsafe { HEAP.init(memory.start, memory.len()) };
}
