//! What is below the stack pointer stays, whatever interrupts.

use core::arch::asm;

use super::handler;

/// Keeps a value where the compiled libraries keep some too, over many
/// interrupts.
pub fn run() {
    let end = handler::interrupts() + 20;
    while handler::interrupts() < end {
        let mut value = 0x5eed_u64;
        // SAFETY: the value is in the red zone, which is free here.
        unsafe {
            asm!(
                "mov [rsp - 8], {value}",
                "2: dec {steps}",
                "jnz 2b",
                "mov {value}, [rsp - 8]",
                value = inout(reg) value,
                steps = inout(reg) 100_000_u64 => _,
            );
        }
        assert_eq!(
            value, 0x5eed,
            "a handler wrote to the stack of what it interrupted"
        );
    }
}
