//! The lock is not held while `realloc` copies a large block.
//!
//! The copy is stopped in its middle by a page of the block that cannot be
//! read. The handler of that fault, which interrupts the copy, lets another
//! thread allocate, and only then makes the page readable again.
#![cfg(all(feature = "spin", target_os = "linux"))]

use std::{
    alloc::{GlobalAlloc, Layout},
    iter, mem, ptr,
    sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering::SeqCst},
    thread,
    time::{Duration, Instant},
};

use good_memory_allocator::SpinLockedAllocator;

const PAGE: usize = 64 << 10;
const BLOCK: usize = 16 * PAGE;

static FORBIDDEN: AtomicPtr<u8> = AtomicPtr::new(ptr::null_mut());
static FAULTS: AtomicUsize = AtomicUsize::new(0);
static COPYING: AtomicBool = AtomicBool::new(false);
static ALLOCATED: AtomicBool = AtomicBool::new(false);
static ALLOCATED_MEANWHILE: AtomicBool = AtomicBool::new(false);

/// Waits a while until a flag is set.
fn wait_for(flag: &AtomicBool) -> bool {
    let start = Instant::now();
    while !flag.load(SeqCst) && start.elapsed() < Duration::from_secs(5) {
        thread::yield_now();
    }
    flag.load(SeqCst)
}

/// The handler of a fault: waits until the other thread allocated, and lets
/// the copy go on.
extern "C" fn on_fault(_signal: libc::c_int) {
    FAULTS.fetch_add(1, SeqCst);
    COPYING.store(true, SeqCst);
    ALLOCATED_MEANWHILE.store(wait_for(&ALLOCATED), SeqCst);
    protect(libc::PROT_READ | libc::PROT_WRITE);
}

/// Says what can be done with the page.
fn protect(access: libc::c_int) {
    let page = FORBIDDEN.load(SeqCst);
    // SAFETY: the page is mapped, and only its content is used, by the copy.
    if unsafe { libc::mprotect(page.cast(), PAGE, access) } != 0 {
        std::process::abort();
    }
}

#[test]
fn another_thread_allocates_while_realloc_copies() {
    let length = 8 * BLOCK;
    let access = libc::PROT_READ | libc::PROT_WRITE;
    let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: a new mapping, wherever the system likes.
    let region = unsafe { libc::mmap(ptr::null_mut(), length, access, kind, -1, 0) };
    assert_ne!(region, libc::MAP_FAILED);
    let heap = SpinLockedAllocator::<8, 2>::empty();
    let large = Layout::from_size_align(BLOCK, PAGE).unwrap();
    let small = Layout::new::<u64>();
    // SAFETY: the mapping is valid and this allocator's alone; blocks are
    // used as they were allocated; the handler is one that may be.
    unsafe {
        heap.try_init(region.cast(), length).unwrap();
        let mut blocks: Vec<_> = iter::repeat_with(|| heap.alloc(large))
            .take_while(|block| !block.is_null())
            .collect();
        blocks.sort();
        let (block, neighbour) = (blocks[0], blocks[1]);
        assert_eq!(neighbour, block.add(BLOCK), "so that growing means moving");
        blocks[2..]
            .iter()
            .for_each(|&other| heap.dealloc(other, large));
        block.write_bytes(0xAB, BLOCK);

        let mut action: libc::sigaction = mem::zeroed();
        action.sa_sigaction = on_fault as extern "C" fn(libc::c_int) as usize;
        libc::sigemptyset(&mut action.sa_mask);
        assert_eq!(libc::sigaction(libc::SIGSEGV, &action, ptr::null_mut()), 0);
        FORBIDDEN.store(block.add(BLOCK / 2), SeqCst);
        protect(libc::PROT_NONE);

        let moved = thread::scope(|scope| {
            scope.spawn(|| {
                assert!(wait_for(&COPYING), "nothing was copied");
                assert!(!heap.alloc(small).is_null());
                ALLOCATED.store(true, SeqCst);
            });
            heap.realloc(block, large, 2 * BLOCK)
        });
        assert!(!moved.is_null() && moved != block);
        assert_eq!(FAULTS.load(SeqCst), 1, "the copy was not interrupted");
        assert!(
            ALLOCATED_MEANWHILE.load(SeqCst),
            "the lock was held during the copy"
        );
        let copied = std::slice::from_raw_parts(moved, BLOCK);
        assert!(copied.iter().all(|&byte| byte == 0xAB));
        libc::signal(libc::SIGSEGV, libc::SIG_DFL);
        heap.check().unwrap();
        libc::munmap(region, length);
    }
}
