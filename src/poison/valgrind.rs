//! Valgrind's memcheck, by client requests: instructions that do nothing on a
//! processor and that valgrind takes for a call. Their numbers are those of
//! `valgrind/memcheck.h`.

use core::arch::asm;

#[cfg(not(target_arch = "x86_64"))]
compile_error!("good_memory_allocator: galloc_valgrind is for x86_64 only");

const MAKE_NO_ACCESS: usize = 0x4d43_0000;
const MAKE_UNDEFINED: usize = 0x4d43_0001;
const MAKE_DEFINED: usize = 0x4d43_0002;
const CHECK_IS_ADDRESSABLE: usize = 0x4d43_0004;

/// Allows memory to be used.
pub fn open(start: *mut u8, bytes: usize) {
    request(MAKE_DEFINED, start, bytes);
}

/// Allows memory to be used that has no content yet.
pub fn open_new(start: *mut u8, bytes: usize) {
    request(MAKE_UNDEFINED, start, bytes);
}

/// Forbids memory to be used.
pub fn close(start: *mut u8, bytes: usize) {
    request(MAKE_NO_ACCESS, start, bytes);
}

/// Reports memory that is about to be freed if not all of it is open.
pub fn expect_open(start: *mut u8, bytes: usize) {
    request(CHECK_IS_ADDRESSABLE, start, bytes);
}

fn request(number: usize, start: *mut u8, bytes: usize) {
    let request = [number, start.addr(), bytes, 0, 0, 0];
    // SAFETY: rdi is turned by 128 bits in all, and rbx exchanged with itself;
    // valgrind reads the request and writes to rdx.
    unsafe {
        asm!(
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
}
