//! A spin lock.

use crate::sync::{AtomicBool, Ordering, spin_loop};

/// A lock that spins: one `swap` to take it, one store to give it back.
///
/// [`lock_api::RawMutex`] of the [`SpinLockedAllocator`](crate::SpinLockedAllocator).
#[derive(Debug)]
pub struct RawSpinLock {
    held: AtomicBool,
}

// SAFETY: `held` is set from a lock or successful try_lock to its unlock, by
// whoever saw it unset last.
unsafe impl lock_api::RawMutex for RawSpinLock {
    const INIT: Self = Self {
        held: AtomicBool::new(false),
    };

    type GuardMarker = lock_api::GuardSend;

    #[inline]
    fn lock(&self) {
        if self.held.swap(true, Ordering::Acquire) {
            self.lock_contended();
        }
    }

    #[inline]
    fn try_lock(&self) -> bool {
        !self.held.swap(true, Ordering::Acquire)
    }

    #[inline]
    unsafe fn unlock(&self) {
        self.held.store(false, Ordering::Release);
    }

    #[inline]
    fn is_locked(&self) -> bool {
        self.held.load(Ordering::Relaxed)
    }
}

impl RawSpinLock {
    #[cold]
    fn lock_contended(&self) {
        loop {
            while self.held.load(Ordering::Relaxed) {
                spin_loop();
            }
            if !self.held.swap(true, Ordering::Acquire) {
                return;
            }
        }
    }
}
