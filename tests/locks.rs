//! The raw locks: each is had once at a time.
#![cfg(feature = "locked")]

use std::panic::{self, AssertUnwindSafe};

use good_memory_allocator::{RawCell, lock_api::RawMutex};

/// Takes a lock in both ways, and gives it back.
fn is_had_once<R: RawMutex>() {
    let lock = R::INIT;
    assert!(!lock.is_locked());
    for _ in 0..2 {
        assert!(lock.try_lock());
        assert!(lock.is_locked());
        assert!(!lock.try_lock());
        assert!(lock.is_locked());
        // SAFETY: the lock is held by this thread.
        unsafe { lock.unlock() };
        assert!(!lock.is_locked());
        lock.lock();
        assert!(lock.is_locked());
        assert!(!lock.try_lock());
        // SAFETY: as above.
        unsafe { lock.unlock() };
    }
}

/// Takes a lock that would wait for itself.
fn panics_if_it_would_wait_for_ever<R: RawMutex>() {
    let lock = R::INIT;
    lock.lock();
    let again = panic::catch_unwind(AssertUnwindSafe(|| lock.lock()));
    assert!(again.is_err());
    assert!(lock.is_locked());
    // SAFETY: the lock is held by this thread.
    unsafe { lock.unlock() };
    assert!(!lock.is_locked());
}

#[test]
fn a_cell_is_had_once() {
    is_had_once::<RawCell>();
    panics_if_it_would_wait_for_ever::<RawCell>();
}

#[cfg(feature = "spin")]
#[test]
fn a_spin_lock_is_had_once() {
    is_had_once::<good_memory_allocator::RawSpinLock>();
}

#[cfg(feature = "critical-section")]
#[test]
fn a_critical_section_is_had_once() {
    use good_memory_allocator::RawCriticalSection;

    is_had_once::<RawCriticalSection>();
    panics_if_it_would_wait_for_ever::<RawCriticalSection>();
    // Others can enter it now.
    std::thread::scope(|scope| {
        scope.spawn(is_had_once::<RawCriticalSection>);
    });
}
