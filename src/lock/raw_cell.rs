//! No lock, for one thread.

use core::cell::Cell;

/// A flag in the place of a lock, for an allocator that one thread uses alone.
///
/// [`lock_api::RawMutex`] of the [`UnsyncAllocator`](crate::UnsyncAllocator).
/// It is not `Sync`, and neither is what it guards. Nothing waits: an
/// allocator never calls into itself, so that the flag is always found down.
#[derive(Debug)]
pub struct RawCell {
    held: Cell<bool>,
}

// SAFETY: `held` is set from a lock or successful try_lock to its unlock, by
// the only thread there is.
unsafe impl lock_api::RawMutex for RawCell {
    #[allow(
        clippy::declare_interior_mutable_const,
        reason = "an initial value, as the trait wants it"
    )]
    const INIT: Self = Self {
        held: Cell::new(false),
    };

    type GuardMarker = lock_api::GuardNoSend;

    /// # Panics
    ///
    /// If it is held: nobody could release it.
    #[inline]
    fn lock(&self) {
        assert!(self.try_lock(), "locked twice by one thread");
    }

    #[inline]
    fn try_lock(&self) -> bool {
        !self.held.replace(true)
    }

    #[inline]
    unsafe fn unlock(&self) {
        self.held.set(false);
    }

    #[inline]
    fn is_locked(&self) -> bool {
        self.held.get()
    }
}
