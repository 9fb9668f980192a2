//! Each CPU's own number and state.

use core::{
    arch::asm,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

/// How many CPUs there can be.
pub const CPUS: usize = 4;

/// What a CPU has of its own. The register GS points to it, so `gs:0` is the
/// index.
#[repr(C)]
struct Cpu {
    index: AtomicUsize,
    /// How many interrupt handlers this CPU is in.
    handlers: AtomicUsize,
}

static STATES: [Cpu; CPUS] = [const {
    Cpu {
        index: AtomicUsize::new(0),
        handlers: AtomicUsize::new(0),
    }
}; CPUS];

/// Gives the CPU that runs this its index.
pub fn set_index(index: usize) {
    let state = &STATES[index];
    state.index.store(index, Relaxed);
    write_model_register(0xc000_0101, (&raw const *state).addr() as u64);
}

/// The index of the CPU that runs this.
///
/// This is one load. Where GS serves another purpose, the instruction `rdpid`
/// reads what the kernel put into the register TSC_AUX instead. The local
/// APIC's ID takes much longer to read, and may be any number.
#[inline]
pub fn index() -> usize {
    let index;
    // SAFETY: every CPU has its state in GS before it comes here.
    unsafe {
        asm!("mov {}, gs:[0]", out(reg) index, options(pure, readonly, nostack, preserves_flags));
    }
    index
}

/// Whether the caller is an interrupt handler.
#[inline]
pub fn in_handler() -> bool {
    STATES[index()].handlers.load(Relaxed) != 0
}

/// Does what a handler does.
pub fn as_handler(work: impl FnOnce()) {
    let handlers = &STATES[index()].handlers;
    handlers.store(handlers.load(Relaxed) + 1, Relaxed);
    work();
    handlers.store(handlers.load(Relaxed) - 1, Relaxed);
}

/// Lets interrupts come, or not. Gives back whether they could come before.
pub fn let_interrupts(come: bool) -> bool {
    let flags: u64;
    // SAFETY: interrupts are handled, and leave no trace.
    unsafe {
        asm!("pushfq", "pop {}", out(reg) flags, options(preserves_flags));
        if come {
            asm!("sti", options(nostack));
        } else {
            asm!("cli", options(nostack));
        }
    }
    flags & 1 << 9 != 0
}

/// Time stamps: counts up all the time, on all CPUs alike.
pub fn ticks() -> u64 {
    // SAFETY: every x86_64 has it.
    unsafe { core::arch::x86_64::_rdtsc() }
}

/// Stops the CPU for good.
pub fn stop() -> ! {
    loop {
        // SAFETY: it only waits.
        unsafe { asm!("cli", "hlt", options(nostack)) };
    }
}

fn write_model_register(register: u32, value: u64) {
    // SAFETY: the one register that this is called for is GS's base, which
    // nothing but this module uses.
    unsafe {
        asm!(
            "wrmsr",
            in("ecx") register, in("eax") value as u32, in("edx") (value >> 32) as u32,
            options(nostack, preserves_flags),
        );
    }
}
