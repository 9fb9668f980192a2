//! Records every allocation of the program into which it is preloaded (`LD_PRELOAD`), in order, without the contents.
//!
//! It stands in front of the C library's `malloc` and its relatives, passes every call on, and appends an [`event`] for
//! each block that comes or goes to a file in the folder that `GALLOC_RECORD` names, one for each program that a process
//! runs. A child records from when it runs a program of its own.

mod event;
mod recorder;

use core::ffi::{c_int, c_void};
use core::ptr;

use event::Event;
use recorder::recorded;

unsafe extern "C" {
    fn __libc_malloc(size: usize) -> *mut c_void;
    fn __libc_calloc(count: usize, size: usize) -> *mut c_void;
    fn __libc_realloc(block: *mut c_void, size: usize) -> *mut c_void;
    fn __libc_memalign(align: usize, size: usize) -> *mut c_void;
    fn __libc_free(block: *mut c_void);
}

/// What a plain malloc is recorded with.
const PLAIN: usize = 8;

/// # Safety
/// As the C library's `malloc`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn malloc(size: usize) -> *mut c_void {
    recorded(|| {
        // SAFETY: the arguments are the caller's.
        let block = unsafe { __libc_malloc(size) };
        (block, Event::alloc(block, size, PLAIN))
    })
}

/// # Safety
/// As the C library's `calloc`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn calloc(count: usize, size: usize) -> *mut c_void {
    recorded(|| {
        // SAFETY: the arguments are the caller's.
        let block = unsafe { __libc_calloc(count, size) };
        (
            block,
            Event::alloc_zeroed(block, count.saturating_mul(size), PLAIN),
        )
    })
}

/// # Safety
/// As the C library's `realloc`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn realloc(block: *mut c_void, size: usize) -> *mut c_void {
    recorded(|| {
        // SAFETY: the arguments are the caller's.
        let moved = unsafe { __libc_realloc(block, size) };
        let event = match (block.is_null(), moved.is_null()) {
            (true, _) => Event::alloc(moved, size, PLAIN),
            // The C library frees a block that is to have no bytes.
            (false, true) if size == 0 => Event::free(block),
            (false, true) => Event::NONE,
            (false, false) => Event::realloc(block, moved, size),
        };
        (moved, event)
    })
}

/// # Safety
/// As the C library's `reallocarray`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn reallocarray(
    block: *mut c_void,
    count: usize,
    size: usize,
) -> *mut c_void {
    match count.checked_mul(size) {
        // SAFETY: the arguments are the caller's.
        Some(size) => unsafe { realloc(block, size) },
        None => ptr::null_mut(),
    }
}

/// # Safety
/// As the C library's `free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn free(block: *mut c_void) {
    recorded(|| {
        // SAFETY: the arguments are the caller's.
        unsafe { __libc_free(block) };
        ((), Event::free(block))
    });
}

/// # Safety
/// As the C library's `memalign`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memalign(align: usize, size: usize) -> *mut c_void {
    recorded(|| {
        // SAFETY: the arguments are the caller's.
        let block = unsafe { __libc_memalign(align, size) };
        (block, Event::alloc(block, size, align))
    })
}

/// # Safety
/// As the C library's `aligned_alloc`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aligned_alloc(align: usize, size: usize) -> *mut c_void {
    // SAFETY: the arguments are the caller's.
    unsafe { memalign(align, size) }
}

/// # Safety
/// As the C library's `posix_memalign`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn posix_memalign(
    result: *mut *mut c_void,
    align: usize,
    size: usize,
) -> c_int {
    if !align.is_power_of_two() || align < size_of::<usize>() {
        return libc::EINVAL;
    }
    // SAFETY: the arguments are the caller's, and the alignment is one that `memalign` takes.
    let block = unsafe { memalign(align, size) };
    if block.is_null() {
        return libc::ENOMEM;
    }
    // SAFETY: the caller passes a place for the result.
    unsafe { *result = block };
    0
}
