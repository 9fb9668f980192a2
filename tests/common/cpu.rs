//! What stands in for CPUs.

use std::{
    cell::Cell,
    sync::atomic::{AtomicUsize, Ordering},
};

use good_memory_allocator::CurrentCpu;

use super::Random;

/// Every thread is a CPU.
#[derive(Debug)]
pub struct ByThread;

impl CurrentCpu for ByThread {
    fn index() -> usize {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        thread_local!(static NUMBER: Cell<Option<usize>> = const { Cell::new(None) });
        NUMBER.get().unwrap_or_else(|| {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            NUMBER.set(Some(number));
            number
        })
    }
}

/// Every thread is moved to another CPU all the time.
#[derive(Debug)]
pub struct Wandering;

impl CurrentCpu for Wandering {
    fn index() -> usize {
        thread_local!(static RANDOM: Cell<Option<Random>> = const { Cell::new(None) });
        let mut random = RANDOM
            .take()
            .unwrap_or_else(|| Random::new(ByThread::index() as u64));
        let index = random.below(1000);
        RANDOM.set(Some(random));
        index
    }
}

/// All CPUs believe to be the same one.
#[derive(Debug)]
pub struct Unknown;

impl CurrentCpu for Unknown {
    fn index() -> usize {
        0
    }
}
