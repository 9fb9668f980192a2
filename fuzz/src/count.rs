//! A count of operations, printed when the program ends.

use std::sync::{
    Once,
    atomic::{AtomicUsize, Ordering},
};

static DONE: AtomicUsize = AtomicUsize::new(0);
static PRINTED_AT_EXIT: Once = Once::new();

/// Counts operations that were done.
pub fn add(operations: usize) {
    DONE.fetch_add(operations, Ordering::Relaxed);
    PRINTED_AT_EXIT.call_once(|| {
        // SAFETY: the function may be called at any time.
        unsafe { libc::atexit(print) };
    });
}

extern "C" fn print() {
    eprintln!("Did {} operations", DONE.load(Ordering::Relaxed));
}
