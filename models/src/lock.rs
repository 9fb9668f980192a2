//! The spin lock excludes, and what one did under it the next one sees.

use std::sync::Arc;

use good_memory_allocator::{RawSpinLock, lock_api::Mutex};

use crate::checker::{explore, thread};

#[cfg(feature = "loom")]
type Cell = loom::cell::UnsafeCell<usize>;
#[cfg(feature = "shuttle")]
type Cell = std::cell::UnsafeCell<usize>;

fn increment(cell: &Cell) {
    #[cfg(feature = "loom")]
    let add = |value: *mut usize| {
        // SAFETY: the lock is held.
        unsafe { *value += 1 }
    };
    #[cfg(feature = "loom")]
    cell.with_mut(add);
    #[cfg(feature = "shuttle")]
    {
        // SAFETY: the lock is held.
        let value = unsafe { *cell.get() };
        thread::yield_now();
        // SAFETY: as above.
        unsafe { *cell.get() = value + 1 };
    }
}

#[test]
fn those_who_wait_and_those_who_do_not_take_turns() {
    explore(|| {
        let counter = Arc::new(Mutex::<RawSpinLock, _>::new(Cell::new(0)));
        // Loom wants the atomic to be used before threads share it.
        drop(counter.lock());
        let other = thread::spawn({
            let counter = Arc::clone(&counter);
            move || {
                increment(&counter.lock());
                counter.try_lock().map(|cell| increment(&cell)).is_some()
            }
        });
        let tried = counter.try_lock().map(|cell| increment(&cell)).is_some();
        increment(&counter.lock());
        let done = 2 + usize::from(tried) + usize::from(other.join().unwrap());
        let counter = Arc::into_inner(counter).unwrap();
        assert_eq!(counter.into_inner().into_inner(), done);
    });
}
