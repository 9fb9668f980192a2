//! The local APIC: every CPU's own timer, and its way to wake others.

use core::ptr;

use crate::port;

/// The interrupt of the timer.
pub const TIMER: u8 = 32;
/// What comes instead of an interrupt that went away meanwhile.
pub const SPURIOUS: u8 = 255;

// Registers, by their distance to the first.
const END_OF_INTERRUPT: usize = 0xb0;
const SPURIOUS_VECTOR: usize = 0xf0;
const COMMAND: usize = 0x300;
const COMMAND_TARGET: usize = 0x310;
const TIMER_VECTOR: usize = 0x320;
const TIMER_COUNT: usize = 0x380;
const TIMER_DIVIDER: usize = 0x3e0;

fn write(register: usize, value: u32) {
    const REGISTERS: usize = 0xfee0_0000;
    // SAFETY: every CPU has these registers here. None of what is written
    // makes the APIC touch memory, but for `wake_others`, which says why it
    // may.
    unsafe {
        ptr::with_exposed_provenance_mut::<u32>(REGISTERS + register).write_volatile(value);
    }
}

/// Turns the APIC of the CPU that runs this on.
pub fn enable() {
    write(SPURIOUS_VECTOR, 1 << 8 | u32::from(SPURIOUS));
}

/// Makes the timer interrupt every `period` ticks of its clock.
pub fn start_timer(period: u32) {
    const PERIODIC: u32 = 1 << 17;
    const BY_1: u32 = 0b1011;
    write(TIMER_DIVIDER, BY_1);
    write(TIMER_VECTOR, PERIODIC | u32::from(TIMER));
    write(TIMER_COUNT, period);
}

pub fn stop_timer() {
    write(TIMER_COUNT, 0);
}

/// Tells the APIC that its interrupt was handled, so that the next can come.
pub fn end_interrupt() {
    write(END_OF_INTERRUPT, 0);
}

/// Starts all other CPUs, in 16-bit mode at the page at `page`.
///
/// # Safety
///
/// The page is below 1 MiB and holds code that every CPU can run.
pub unsafe fn wake_others(page: usize) {
    const ALL_OTHERS: u32 = 3 << 18;
    const ASSERT: u32 = 1 << 14;
    const INIT: u32 = 5 << 8;
    const START: u32 = 6 << 8;
    let command = |command: u32| {
        write(COMMAND_TARGET, 0);
        write(COMMAND, ALL_OTHERS | ASSERT | command);
    };
    command(INIT);
    port::wait_microseconds(10_000);
    // Twice, because the first may be lost. A CPU that has started takes no
    // second one.
    for _ in 0..2 {
        command(START | (page >> 12) as u32);
        port::wait_microseconds(200);
    }
}
