//! Threads, numbered, in the place of CPUs.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

use good_memory_allocator::CurrentCpu;

pub struct ThreadNumber;

impl CurrentCpu for ThreadNumber {
    #[inline]
    fn index() -> usize {
        thread_local!(static NUMBER: Cell<usize> = const { Cell::new(0) });
        // One that was not given is 0, so that numbers begin with 1.
        match NUMBER.get() {
            0 => new_number(&NUMBER),
            number => number,
        }
    }
}

#[cold]
fn new_number(number: &'static std::thread::LocalKey<Cell<usize>>) -> usize {
    static GIVEN: AtomicUsize = AtomicUsize::new(0);
    let new = 1 + GIVEN.fetch_add(1, Ordering::Relaxed);
    number.set(new);
    new
}
