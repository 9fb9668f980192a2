//! A lock that is a critical section.

use core::cell::{Cell, UnsafeCell};

use critical_section::RestoreState;

/// A critical section in the place of a lock: of the crate
/// [`critical_section`], whose implementation the program chooses. On one core
/// that is to mask interrupts, and needs no atomics.
///
/// [`lock_api::RawMutex`] of the
/// [`CriticalSectionAllocator`](crate::CriticalSectionAllocator).
#[derive(Debug)]
pub struct RawCriticalSection {
    /// Whether the section was entered by this lock.
    held: Cell<bool>,
    restore: UnsafeCell<RestoreState>,
}

// SAFETY: both fields are touched inside the critical section only.
unsafe impl Sync for RawCriticalSection {}
// SAFETY: as above.
unsafe impl Send for RawCriticalSection {}

// SAFETY: a critical section excludes all others, and one inside of another
// finds `held` set.
unsafe impl lock_api::RawMutex for RawCriticalSection {
    #[allow(
        clippy::declare_interior_mutable_const,
        reason = "an initial value, as the trait wants it"
    )]
    const INIT: Self = Self {
        held: Cell::new(false),
        restore: UnsafeCell::new(RestoreState::invalid()),
    };

    /// A section is left where it was entered.
    type GuardMarker = lock_api::GuardNoSend;

    /// # Panics
    ///
    /// If it is held by whoever calls: it would never be released.
    #[inline]
    fn lock(&self) {
        assert!(self.try_lock(), "locked twice in one critical section");
    }

    #[inline]
    fn try_lock(&self) -> bool {
        // SAFETY: `unlock` leaves the section, or it is left here.
        let restore = unsafe { critical_section::acquire() };
        if self.held.replace(true) {
            // SAFETY: the section was entered above.
            unsafe { critical_section::release(restore) };
            return false;
        }
        // SAFETY: nobody else is in the section.
        unsafe { self.restore.get().write(restore) };
        true
    }

    #[inline]
    unsafe fn unlock(&self) {
        self.held.set(false);
        // SAFETY: the caller holds the lock, and so is in the section that
        // `try_lock` entered.
        unsafe { critical_section::release(self.restore.get().read()) }
    }

    #[inline]
    fn is_locked(&self) -> bool {
        critical_section::with(|_| self.held.get())
    }
}
