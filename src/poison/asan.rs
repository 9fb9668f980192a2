//! AddressSanitizer, by its interface `sanitizer/asan_interface.h`.

unsafe extern "C" {
    safe fn __asan_poison_memory_region(start: *const u8, bytes: usize);
    safe fn __asan_unpoison_memory_region(start: *const u8, bytes: usize);
    safe fn __asan_region_is_poisoned(start: *const u8, bytes: usize) -> *const u8;
}

/// Allows memory to be used.
pub fn open(start: *mut u8, bytes: usize) {
    __asan_unpoison_memory_region(start, bytes);
}

/// Allows memory to be used that has no content yet, of which this tool knows
/// nothing.
pub fn open_new(start: *mut u8, bytes: usize) {
    open(start, bytes);
}

/// Forbids memory to be used.
pub fn close(start: *mut u8, bytes: usize) {
    __asan_poison_memory_region(start, bytes);
}

/// Reports memory that is about to be freed if not all of it is open.
pub fn expect_open(start: *mut u8, bytes: usize) {
    let closed = __asan_region_is_poisoned(start, bytes);
    if !closed.is_null() {
        // SAFETY: the byte lies in a region that this heap owns, and is not
        // used; its being read is what is reported.
        unsafe { closed.cast::<core::mem::MaybeUninit<u8>>().read_volatile() };
    }
}
