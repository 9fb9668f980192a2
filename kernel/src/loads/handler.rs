//! What an interrupt handler does with the heap.

use alloc::vec::Vec;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::{
    POOL,
    block::{Block, Filled},
    random::Random,
};
use crate::{
    HEAP,
    cpu::{self, CPUS},
    cpus, println,
};

/// What the handlers of a CPU have done.
struct Count {
    interrupts: AtomicUsize,
    /// How often there was no memory.
    refused: AtomicUsize,
}

static COUNTS: [Count; CPUS] = [const {
    Count {
        interrupts: AtomicUsize::new(0),
        refused: AtomicUsize::new(0),
    }
}; CPUS];

/// How many interrupts the CPU that runs this has handled.
pub fn interrupts() -> usize {
    COUNTS[cpu::index()].interrupts.load(Relaxed)
}

/// Handles an interrupt of the timer: exchanges a block with code that it
/// interrupts, on any CPU, and has a vector grow.
///
/// A handler has to expect that there is no memory left, so it uses what can
/// say so.
pub fn run() {
    assert!(cpu::in_handler());
    let count = &COUNTS[cpu::index()];
    let interrupts = count.interrupts.fetch_add(1, Relaxed);
    let mut random = Random::new(interrupts * CPUS + cpu::index());
    if work(&mut random).is_none() {
        count.refused.fetch_add(1, Relaxed);
    }
}

fn work(random: &mut Random) -> Option<()> {
    let layout = random.layout();
    let mut block = Block::new(&HEAP, layout, random.below(256) as u8, Filled::Whole)?;
    let could = block.resize(&HEAP, random.size());
    if let Some(other) = POOL.exchange(random, Some(block)) {
        other.free(&HEAP);
    }
    let mut numbers = Vec::new();
    for number in 0..random.below(100) {
        numbers.try_reserve(1).ok()?;
        numbers.push(number);
    }
    assert!(numbers.iter().copied().eq(0..numbers.len()));
    could.then_some(())
}

/// Sees that there was memory whenever a handler wanted some.
pub fn assert_all_served() {
    for (index, count) in COUNTS[..cpus::count()].iter().enumerate() {
        assert_eq!(
            count.refused.load(Relaxed),
            0,
            "refused in a handler of CPU {index}"
        );
    }
}

pub fn report() {
    for (index, count) in COUNTS[..cpus::count()].iter().enumerate() {
        println!(
            "CPU {index}: {} interrupts, {} of them without memory, when it was exhausted",
            count.interrupts.load(Relaxed),
            count.refused.load(Relaxed)
        );
    }
}
