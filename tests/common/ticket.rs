//! A fair lock.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    thread,
};

use good_memory_allocator::lock_api::{GuardSend, RawMutex};

/// A ticket lock: who asks first is served first.
#[derive(Debug)]
pub struct Ticket {
    next: AtomicU32,
    served: AtomicU32,
}

// SAFETY: no two have the same ticket, and only one is served at a time.
unsafe impl RawMutex for Ticket {
    #[allow(clippy::declare_interior_mutable_const)]
    const INIT: Self = Self {
        next: AtomicU32::new(0),
        served: AtomicU32::new(0),
    };

    type GuardMarker = GuardSend;

    fn lock(&self) {
        let ticket = self.next.fetch_add(1, Ordering::Relaxed);
        while self.served.load(Ordering::Acquire) != ticket {
            thread::yield_now();
        }
    }

    fn try_lock(&self) -> bool {
        let served = self.served.load(Ordering::Acquire);
        self.next
            .compare_exchange(
                served,
                served.wrapping_add(1),
                Ordering::Acquire,
                Ordering::Relaxed,
            )
            .is_ok()
    }

    unsafe fn unlock(&self) {
        self.served.fetch_add(1, Ordering::Release);
    }
}
