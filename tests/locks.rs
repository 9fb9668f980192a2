//! The raw locks, each of which is had once at a time, and how often one is
//! taken.
#![cfg(feature = "locked")]

mod common;

use std::{
    alloc::GlobalAlloc,
    cell::Cell,
    panic::{self, AssertUnwindSafe},
};

use common::{Region, layout};
use good_memory_allocator::{
    LockedAllocator, RawCell,
    lock_api::{GuardNoSend, RawMutex},
};

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

thread_local!(static TAKEN: Cell<usize> = const { Cell::new(0) });

/// A lock that counts how often it is taken.
struct Counting(RawCell);

// SAFETY: it is the other lock.
unsafe impl RawMutex for Counting {
    const INIT: Self = Self(RawCell::INIT);

    type GuardMarker = GuardNoSend;

    fn lock(&self) {
        assert!(self.try_lock());
    }

    fn try_lock(&self) -> bool {
        TAKEN.set(TAKEN.get() + 1);
        self.0.try_lock()
    }

    unsafe fn unlock(&self) {
        // SAFETY: the caller's promise.
        unsafe { self.0.unlock() };
    }
}

#[test]
fn more_than_a_kilobyte_is_copied_without_the_lock() {
    for (size, times) in [(64, 1), (1024, 1), (1032, 2), (5000, 2)] {
        let region = Region::new(0, 1 << 20);
        let heap = LockedAllocator::<Counting, 8, 2>::empty();
        // SAFETY: the region is valid, and this allocator's alone; the block
        // is live, and used no more.
        unsafe {
            heap.try_init(region.start(), region.len()).unwrap();
            let block = heap.alloc(layout(size, 8));
            // It cannot grow where it is.
            heap.alloc(layout(size, 8));
            TAKEN.set(0);
            let moved = heap.realloc(block, layout(size, 8), 10_000);
            assert!(!moved.is_null() && moved != block);
        }
        assert_eq!(TAKEN.get(), times, "{size}");
    }
}
