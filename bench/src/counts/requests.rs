//! What a program may ask of callgrind that runs it: instructions that do nothing on a processor and that valgrind takes
//! for a call. Their numbers are those of `valgrind/callgrind.h`.

use core::ffi::CStr;
use core::ptr;

const TOGGLE_COLLECT: usize = 0x4354_0002;
const DUMP_STATS_AT: usize = 0x4354_0003;
const START_INSTRUMENTATION: usize = 0x4354_0004;
const STOP_INSTRUMENTATION: usize = 0x4354_0005;

/// Begins to simulate, with empty caches.
pub fn start() {
    request(START_INSTRUMENTATION, ptr::null());
}

pub fn stop() {
    request(STOP_INSTRUMENTATION, ptr::null());
}

/// Begins to count, or ends.
#[inline(always)]
pub fn toggle() {
    request(TOGGLE_COLLECT, ptr::null());
}

/// Writes what was counted to a file of its own, with this title, and begins again with nothing.
pub fn dump(title: &CStr) {
    request(DUMP_STATS_AT, title.as_ptr().cast());
}

#[inline(always)]
fn request(number: usize, argument: *const u8) {
    let request = [number, argument.addr(), 0, 0, 0, 0];
    #[cfg(target_arch = "x86_64")]
    // SAFETY: rdi is turned by 128 bits in all, and rbx exchanged with itself; valgrind reads the request and writes to
    // rdx.
    unsafe {
        core::arch::asm!(
            "rol rdi, 3",
            "rol rdi, 13",
            "rol rdi, 61",
            "rol rdi, 51",
            "xchg rbx, rbx",
            in("rax") request.as_ptr(),
            inout("rdx") 0_usize => _,
            options(nostack),
        );
    }
    #[cfg(not(target_arch = "x86_64"))]
    core::hint::black_box(request);
}
