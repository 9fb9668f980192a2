//! A program with bugs, one of which it does when its name is given. Each is
//! one that a tool of scripts/sanitize has to report.

mod misuse;

use std::{
    alloc::{GlobalAlloc, Layout, System},
    env, hint, ptr,
    sync::Barrier,
    thread,
};

use good_memory_allocator::{
    LockedAllocator,
    lock_api::{GuardSend, RawMutex},
};

fn main() {
    let name = env::args().nth(1).unwrap_or_default();
    match &*name {
        "overflow" => overflow(),
        "uninitialized" => uninitialized(),
        "leak" => leak(),
        "race" => race(),
        _ => {
            let found = misuse::ALL.iter().find(|(misuse, _)| *misuse == name);
            let (_, misuse) = found.unwrap_or_else(|| panic!("no bug is called '{name}'"));
            misuse::plant(*misuse);
        }
    }
    println!("{name}: not found");
}

/// Writes one byte behind a block of the system's.
fn overflow() {
    let layout = Layout::new::<[u8; 24]>();
    // SAFETY: none, this is the bug.
    unsafe {
        let block = System.alloc(layout);
        block.add(hint::black_box(24)).write_volatile(1);
        System.dealloc(block, layout);
    }
}

/// Decides by a byte that was never written.
fn uninitialized() {
    let layout = Layout::new::<[u8; 24]>();
    // SAFETY: none, this is the bug.
    unsafe {
        let block = System.alloc(layout);
        if block.read_volatile() == 7 {
            println!("seven");
        }
        System.dealloc(block, layout);
    }
}

/// Forgets where a block is.
fn leak() {
    // SAFETY: the layout's size is not zero.
    let block = unsafe { System.alloc(Layout::new::<[u8; 24]>()) };
    hint::black_box(block.addr());
}

/// Uses a heap in two threads, with a lock that does not exclude.
fn race() {
    static HEAP: LockedAllocator<Unlocked> = LockedAllocator::empty();
    let mut region = vec![0_u64; 1 << 12];
    let (start, length) = (region.as_mut_ptr().expose_provenance(), 1 << 15);
    // SAFETY: the region outlives the heap's use.
    unsafe { HEAP.init(start, length) };
    let begin = Barrier::new(2);
    let work = || {
        begin.wait();
        let layout = Layout::new::<[u8; 24]>();
        // SAFETY: none, as the lock does not exclude.
        unsafe { ptr::write(HEAP.alloc(layout), 1) };
    };
    thread::scope(|scope| {
        scope.spawn(work);
        scope.spawn(work);
    });
}

/// A lock that everybody gets at once.
struct Unlocked;

// SAFETY: none, this is the bug.
unsafe impl RawMutex for Unlocked {
    const INIT: Self = Self;

    type GuardMarker = GuardSend;

    fn lock(&self) {}

    fn try_lock(&self) -> bool {
        true
    }

    unsafe fn unlock(&self) {}
}
