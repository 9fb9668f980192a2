//! Whoever is interrupted, wherever it holds a cache or the lock: the handler
//! does not wait for it.
//!
//! An interrupt comes where the heap's lock is taken and given back, as a call
//! of the handler from there.

use std::{
    cell::{Cell, RefCell},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use good_memory_allocator::{
    RawSpinLock,
    lock_api::{GuardSend, RawMutex},
};

use crate::{
    checker::{explore, thread, thread_local},
    cpu::in_interrupt,
    heap::{CPUS, Heap, PARKED},
};

thread_local! {
    static HANDLER: RefCell<Option<Box<dyn FnOnce()>>> = RefCell::new(None);
    /// How many chances the interrupt lets pass before it comes.
    static DELAY: Cell<usize> = Cell::new(0);
}

/// A lock whose user may be interrupted: also while it is held, unless it
/// masks interrupts.
struct Interrupted<const MASKS: bool>(RawSpinLock);

// SAFETY: it is the spin lock.
unsafe impl<const MASKS: bool> RawMutex for Interrupted<MASKS> {
    const INIT: Self = Self(RawSpinLock::INIT);

    type GuardMarker = GuardSend;

    fn lock(&self) {
        chance();
        self.0.lock();
        if !MASKS {
            chance();
        }
    }

    fn try_lock(&self) -> bool {
        chance();
        let taken = self.0.try_lock();
        if !(MASKS && taken) {
            chance();
        }
        taken
    }

    unsafe fn unlock(&self) {
        if !MASKS {
            chance();
        }
        // SAFETY: the caller's promise.
        unsafe { self.0.unlock() };
        chance();
    }
}

/// Here an interrupt may come.
fn chance() {
    if DELAY.with(Cell::get) > 0 {
        DELAY.with(|delay| delay.set(delay.get() - 1));
    } else if let Some(handler) = HANDLER.with(RefCell::take) {
        in_interrupt(handler);
    }
}

/// Does something that is interrupted after so many chances, and gives whether
/// there were so many. If not, the handler runs afterwards.
fn interrupted(delay: usize, handler: impl FnOnce() + 'static, act: impl FnOnce()) -> bool {
    HANDLER.with(|cell| cell.replace(Some(Box::new(handler))));
    DELAY.with(|cell| cell.set(delay));
    act();
    match HANDLER.with(RefCell::take) {
        Some(handler) => {
            handler();
            false
        }
        None => true,
    }
}

/// Explores a scenario with an interrupt at the first chance, then at the
/// second, and so on. The scenario gives whether it came.
fn at_each_chance(scenario: impl Fn(usize) -> bool + Send + Sync + Clone + 'static) {
    let came = Arc::new(AtomicBool::new(true));
    let mut delay = 0;
    while came.swap(false, Ordering::Relaxed) {
        let (scenario, came) = (scenario.clone(), Arc::clone(&came));
        explore(move || {
            if scenario(delay) {
                came.store(true, Ordering::Relaxed);
            }
        });
        delay += 1;
    }
    assert!(delay > 1, "no interrupt came");
}

/// A thread is interrupted while it gives its block back and takes one; the
/// handler does the same with another, and so does another thread.
fn run<const MASKS: bool>(room: usize, delay: usize, cpu_of_handler: usize) -> bool {
    let heap = Arc::new(Heap::<Interrupted<MASKS>, MASKS>::with_room_for(room));
    let mut blocks = heap.take_all();
    let [own, of_handler, of_other] = [0, 1, 2].map(|_| blocks.pop().unwrap());
    for block in blocks {
        heap.give(0, block);
    }
    heap.unpark_all();
    let other = thread::spawn({
        let heap = Arc::clone(&heap);
        move || {
            heap.give(0, of_other);
            heap.take(0).expect("null, though there is room")
        }
    });
    let handler = {
        let heap = Arc::clone(&heap);
        move || {
            heap.give(cpu_of_handler, of_handler);
            match heap.take(cpu_of_handler) {
                Some(block) => heap.give(cpu_of_handler, block),
                None => assert!(!MASKS, "null in a handler, though the heap has room"),
            }
        }
    };
    let mut block = None;
    let came = interrupted(delay, handler, || {
        heap.give(0, own);
        block = Some(heap.take(0).expect("null, though there is room"));
    });
    heap.finish(block.into_iter().chain([other.join().unwrap()]));
    came
}

#[test]
fn a_handler_waits_for_nothing() {
    for cpu_of_handler in [0, 1] {
        at_each_chance(move |delay| run::<false>(3, delay, cpu_of_handler));
    }
}

/// Three blocks are held, the caches may be full, and one more is left.
#[test]
fn a_handler_is_served_if_the_lock_masks_interrupts() {
    for cpu_of_handler in [0, 1] {
        at_each_chance(move |delay| run::<true>(3 + CPUS * PARKED + 1, delay, cpu_of_handler));
    }
}

/// A handler asks for more than there is, while the thread takes a block: what
/// is in that one's cache is not waited for. One thread is enough, as below.
#[cfg(feature = "loom")]
fn ask_for_too_much<const MASKS: bool>(delay: usize) -> bool {
    let heap = Arc::new(Heap::<Interrupted<MASKS>, MASKS>::with_room_for(2));
    let handler = {
        let heap = Arc::clone(&heap);
        move || heap.unpark_all()
    };
    let mut block = None;
    let came = interrupted(delay, handler, || {
        block = Some(heap.take(0).expect("null, though there is room"));
    });
    heap.finish(block);
    came
}

#[cfg(feature = "loom")]
#[test]
fn a_handler_that_gets_nothing_does_not_wait_for_it() {
    at_each_chance(ask_for_too_much::<false>);
    at_each_chance(ask_for_too_much::<true>);
}

/// More blocks than are freed by all that take the lock before a request fails,
/// 64 each. One thread is enough here, of which shuttle would complain.
#[cfg(feature = "loom")]
#[test]
fn what_a_handler_gives_back_is_had_however_much_it_is() {
    for cpu_of_handler in [0, 1] {
        at_each_chance(move |delay| {
            let heap = Arc::new(Heap::<Interrupted<false>>::with_room_for(300));
            let mut blocks = heap.take_all();
            // The own block is one more than the CPU may park.
            let own = blocks.pop().unwrap();
            for block in blocks.split_off(blocks.len() - PARKED) {
                heap.give(0, block);
            }
            let handler = {
                let heap = Arc::clone(&heap);
                move || {
                    blocks
                        .into_iter()
                        .for_each(|block| heap.give(cpu_of_handler, block))
                }
            };
            let came = interrupted(delay, handler, || heap.give(0, own));
            heap.finish([]);
            came
        });
    }
}
