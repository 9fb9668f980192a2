//! All CPUs at once.

use core::{
    arch::global_asm,
    hint, ptr,
    sync::atomic::{
        AtomicU64, AtomicUsize,
        Ordering::{AcqRel, Acquire, Relaxed, Release},
    },
};

use crate::{
    apic,
    cpu::{self, CPUS},
    port,
};

const STACK: usize = 64 << 10;

global_asm!(
    include_str!("boot.s"),
    CPUS = const CPUS,
    STACK = const STACK,
    options(att_syntax),
);

/// How many CPUs run.
static COUNT: AtomicUsize = AtomicUsize::new(1);

pub fn count() -> usize {
    COUNT.load(Relaxed)
}

/// Starts the other CPUs, which enter `start` as the first one did.
pub fn start_others() {
    let count = port::count_cpus();
    assert!(count <= CPUS, "{count} CPUs are too many");
    COUNT.store(count, Relaxed);
    if count == 1 {
        return;
    }
    unsafe extern "C" {
        static wake: u8;
        static wake_end: u8;
    }
    /// Where the others begin: a page that the firmware leaves free.
    const PAGE: usize = 0x8000;
    // SAFETY: nobody uses the page, and it holds what it should when the
    // others are woken.
    unsafe {
        let code = &raw const wake;
        let length = (&raw const wake_end).addr() - code.addr();
        ptr::with_exposed_provenance_mut::<u8>(PAGE).copy_from_nonoverlapping(code, length);
        apic::wake_others(PAGE);
    }
}

/// How many ticks each CPU has waited for others in `meet`.
static WAITED: [AtomicU64; CPUS] = [const { AtomicU64::new(0) }; CPUS];

/// How many ticks the CPU that runs this has waited in `meet`.
pub fn waited() -> u64 {
    WAITED[cpu::index()].load(Relaxed)
}

/// Waits until all CPUs have come here.
pub fn meet() {
    static ARRIVED: AtomicUsize = AtomicUsize::new(0);
    static MEETINGS: AtomicUsize = AtomicUsize::new(0);
    let start = cpu::ticks();
    let meeting = MEETINGS.load(Acquire);
    if ARRIVED.fetch_add(1, AcqRel) + 1 == count() {
        ARRIVED.store(0, Relaxed);
        MEETINGS.store(meeting + 1, Release);
    }
    while MEETINGS.load(Acquire) == meeting {
        hint::spin_loop();
    }
    WAITED[cpu::index()].fetch_add(cpu::ticks() - start, Relaxed);
}
