//! Input and output ports, and the devices of a PC that are a port or two.

use core::arch::asm;

/// Writes a byte to a port.
pub fn write(port: u16, value: u8) {
    // SAFETY: no port that this kernel writes to reaches memory.
    unsafe {
        asm!("out dx, al", in("dx") port, in("al") value, options(nomem, nostack, preserves_flags));
    }
}

/// Reads a byte from a port.
pub fn read(port: u16) -> u8 {
    let value;
    // SAFETY: as for `write`.
    unsafe {
        asm!("in al, dx", in("dx") port, out("al") value, options(nomem, nostack, preserves_flags));
    }
    value
}

/// Ends QEMU, by its device isa-debug-exit: 33 is its exit code for success,
/// 35 for failure.
pub fn exit(success: bool) -> ! {
    write(0xf4, if success { 16 } else { 17 });
    crate::cpu::stop()
}

/// How many CPUs the machine has. QEMU says so here; a kernel for other
/// machines looks it up in ACPI's table MADT.
pub fn count_cpus() -> usize {
    let selector: u16 = 5;
    // SAFETY: as for `write`.
    unsafe {
        asm!("out dx, ax", in("dx") 0x510, in("ax") selector, options(nomem, nostack, preserves_flags));
    }
    usize::from(u16::from_le_bytes([read(0x511), read(0x511)]))
}

/// No interrupts from the devices of old, which the firmware left on.
pub fn mask_old_interrupts() {
    write(0x21, 0xff);
    write(0xa1, 0xff);
}

/// Waits, by the timer of old, for up to 50 milliseconds.
pub fn wait_microseconds(duration: u32) {
    let ticks = (u64::from(duration) * 1_193_182 / 1_000_000) as u16;
    let [low, high] = ticks.to_le_bytes();
    write(0x61, read(0x61) & !3 | 1); // its gate on, the speaker off
    write(0x43, 0xb0); // counts down once
    write(0x42, low);
    write(0x42, high);
    while read(0x61) & 0x20 == 0 {}
}
