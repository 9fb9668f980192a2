//! A CPU's cache.

use lock_api::{Mutex, MutexGuard, RawMutex};

use super::granted::Granted;
use crate::{cache::Cache, lock::RawSpinLock};

/// A CPU's cache behind its lock. Two of them share no cache line, nor a pair
/// of lines that are fetched together.
#[derive(Debug)]
#[repr(align(128))]
pub(super) struct Slot<const S: usize, const A: usize>(Mutex<RawSpinLock, CpuCache<S, A>>);

/// A CPU's cache, with its lock held.
pub(super) type HeldCache<'a, const S: usize, const A: usize> =
    MutexGuard<'a, RawSpinLock, CpuCache<S, A>>;

/// A CPU's quick lists.
pub(super) type CpuCache<const S: usize, const A: usize> = Cache<S, A, Granted<S, A>>;

impl<const S: usize, const A: usize> Slot<S, A> {
    pub const fn empty() -> Self {
        Self(Mutex::from_raw(RawSpinLock::INIT, Cache::empty()))
    }

    #[inline]
    pub fn try_lock(&self) -> Option<HeldCache<'_, S, A>> {
        self.0.try_lock()
    }

    pub fn lock(&self) -> HeldCache<'_, S, A> {
        self.0.lock()
    }

    /// # Safety
    ///
    /// The lock is held by a guard that was forgotten.
    #[inline]
    pub unsafe fn held(&self) -> HeldCache<'_, S, A> {
        // SAFETY: the caller's promise.
        unsafe { self.0.make_guard_unchecked() }
    }
}
