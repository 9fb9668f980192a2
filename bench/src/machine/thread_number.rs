//! Threads, numbered, in the place of CPUs.

use std::cell::Cell;

use good_memory_allocator::CurrentCpu;

thread_local!(static NUMBER: Cell<usize> = const { Cell::new(0) });

/// Numbers the thread that calls; the others are 0.
pub fn set(number: usize) {
    NUMBER.set(number);
}

pub struct ThreadNumber;

impl CurrentCpu for ThreadNumber {
    #[inline]
    fn index() -> usize {
        NUMBER.get()
    }
}
