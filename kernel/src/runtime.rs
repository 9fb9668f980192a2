//! What the compiled `core` and `alloc` of a toolchain for Linux expect of the
//! system, and the end of a panic. A toolchain for `x86_64-unknown-none` brings
//! the functions itself.

use core::{
    arch::asm,
    panic::PanicInfo,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};

use crate::{cpu, port, serial};

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    static PANICKED: AtomicBool = AtomicBool::new(false);
    cpu::let_interrupts(false);
    if PANICKED.swap(true, Relaxed) {
        cpu::stop(); // the first one ends the machine
    }
    serial::print_at_once(format_args!("CPU {}: {info}", cpu::index()));
    port::exit(false)
}

/// Named by code that unwinds, which a kernel that aborts does not.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}

/// As above.
#[unsafe(no_mangle)]
extern "C" fn _Unwind_Resume() -> ! {
    panic!("unwinding")
}

// In assembly, because the compiler makes of a loop that copies a call of
// memcpy.

/// # Safety
///
/// As for C's.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, count: usize) -> *mut u8 {
    // SAFETY: the caller's promise.
    unsafe {
        asm!(
            "rep movsq",
            "mov ecx, {rest:e}",
            "rep movsb",
            rest = in(reg) count % 8,
            inout("rcx") count / 8 => _, inout("rdi") to => _, inout("rsi") from => _,
            options(nostack, preserves_flags),
        );
    }
    to
}

/// # Safety
///
/// As for C's.
#[unsafe(no_mangle)]
unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, count: usize) -> *mut u8 {
    if to.addr().wrapping_sub(from.addr()) >= count {
        // SAFETY: the caller's promise; forwards, all is read before it is
        // overwritten.
        return unsafe { memcpy(to, from, count) };
    }
    // SAFETY: the caller's promise; and likewise backwards.
    unsafe {
        asm!(
            "std",
            "rep movsb",
            "cld",
            inout("rcx") count => _,
            inout("rdi") to.wrapping_add(count).wrapping_sub(1) => _,
            inout("rsi") from.wrapping_add(count).wrapping_sub(1) => _,
            options(nostack),
        );
    }
    to
}

/// # Safety
///
/// As for C's.
#[unsafe(no_mangle)]
unsafe extern "C" fn memset(to: *mut u8, byte: i32, count: usize) -> *mut u8 {
    // SAFETY: the caller's promise.
    unsafe {
        asm!(
            "rep stosq",
            "mov ecx, {rest:e}",
            "rep stosb",
            rest = in(reg) count % 8,
            inout("rcx") count / 8 => _, inout("rdi") to => _,
            in("rax") u64::from(byte as u8) * 0x0101_0101_0101_0101,
            options(nostack, preserves_flags),
        );
    }
    to
}

/// # Safety
///
/// As for C's.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcmp(left: *const u8, right: *const u8, count: usize) -> i32 {
    let (left_end, right_end): (*const u8, *const u8);
    let differ: u8;
    // SAFETY: the caller's promise.
    unsafe {
        asm!(
            "cmp {differ}, {differ}", // equal, if there is nothing to compare
            "repe cmpsb",
            "setne {differ}",
            differ = out(reg_byte) differ,
            inout("rcx") count => _, inout("rsi") left => left_end, inout("rdi") right => right_end,
            options(nostack, readonly),
        );
        if differ == 0 {
            return 0;
        }
        i32::from(*left_end.sub(1)) - i32::from(*right_end.sub(1))
    }
}

/// # Safety
///
/// As for C's.
#[unsafe(no_mangle)]
unsafe extern "C" fn bcmp(left: *const u8, right: *const u8, count: usize) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { memcmp(left, right, count) }
}
