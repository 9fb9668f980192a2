//! A spin lock that a handler may wait for.

use core::{
    hint,
    sync::atomic::{
        AtomicBool,
        Ordering::{Acquire, Relaxed, Release},
    },
};

use good_memory_allocator::lock_api::{GuardNoSend, RawMutex};

use crate::cpu;

/// A spin lock that masks interrupts while it is held. So no handler ever
/// interrupts the holder, and any handler may wait for it.
pub struct MaskingLock {
    held: AtomicBool,
    /// Whether the holder had let interrupts come. Only the holder uses it.
    unmask: AtomicBool,
}

/// Data behind such a lock.
pub type Mutex<T> = good_memory_allocator::lock_api::Mutex<MaskingLock, T>;

// SAFETY: `held` is set from a successful try_lock to its unlock, by whoever
// saw it unset last.
unsafe impl RawMutex for MaskingLock {
    const INIT: Self = Self {
        held: AtomicBool::new(false),
        unmask: AtomicBool::new(false),
    };

    /// The CPU that masked its interrupts has to unmask them.
    type GuardMarker = GuardNoSend;

    #[inline]
    fn lock(&self) {
        // Interrupts are masked only for the attempt, not while it waits.
        while !self.try_lock() {
            while self.held.load(Relaxed) {
                hint::spin_loop();
            }
        }
    }

    #[inline]
    fn try_lock(&self) -> bool {
        let unmask = cpu::let_interrupts(false);
        if self.held.swap(true, Acquire) {
            if unmask {
                cpu::let_interrupts(true);
            }
            return false;
        }
        self.unmask.store(unmask, Relaxed);
        true
    }

    #[inline]
    unsafe fn unlock(&self) {
        let unmask = self.unmask.load(Relaxed);
        self.held.store(false, Release);
        if unmask {
            cpu::let_interrupts(true);
        }
    }
}
