//! What the heap is put through, on all CPUs at once.
//!
//! Loads take it as a trait object, so that they are the same machine code for
//! every allocator, and what differs is the allocator's.

mod block;
mod collections;
mod compare;
mod fill;
mod hand_on;
pub mod handler;
mod mix;
mod one_size;
mod pool;
mod random;
mod red_zone;

use alloc::vec::Vec;

use crate::{HEAP, apic, cpu, cpus, println};
use block::Filled;
use pool::Pool;

/// Blocks of the heap that any CPU may take, and any handler.
static POOL: Pool = Pool::new();

/// Ticks from one interrupt of a CPU's timer to the next; in QEMU there are
/// a thousand in a microsecond.
const TIMER_PERIOD: u32 = 200_000;

/// Runs all loads, on each CPU that calls it.
pub fn run() {
    apic::start_timer(TIMER_PERIOD);
    cpu::let_interrupts(true);

    red_zone::run();
    passed("interrupts");
    collections::run();
    passed("collections");
    for _ in 0..4 {
        mix::run(&HEAP, &POOL, Filled::Whole, 10_000);
        hand_on::run(&HEAP, &POOL, Filled::Whole, 2_000);
        one_size::run(&HEAP, Filled::Whole, 100);
        if cpu::index() == 0 {
            check(); // while the others go on
        }
    }
    passed("random operations");
    red_zone::run();
    only_once(handler::assert_all_served);
    fill::run(&HEAP, Filled::Whole, HEAP.stats().capacity, 64 << 10);
    passed("memory exhausted, and all of it back");

    apic::stop_timer();
    cpu::let_interrupts(false);
    only_once(|| {
        handler::report();
        POOL.free_all(&HEAP);
        check();
        let stats = HEAP.stats();
        println!("{stats:#?}");
        assert_eq!(stats.live, 0, "blocks were lost");
        let most = Vec::<u8>::with_capacity(stats.capacity / 10 * 9);
        drop(most);
    });
    compare::run();
}

fn check() {
    HEAP.check().expect("the heap is corrupt");
}

/// Does what one CPU is to do, while the others wait.
fn only_once(work: impl FnOnce()) {
    cpus::meet();
    if cpu::index() == 0 {
        work();
    }
    cpus::meet();
}

fn passed(load: &str) {
    only_once(|| println!("{load}: passed"));
}
