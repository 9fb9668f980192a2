//! locked
mod spin;
use core::alloc::{GlobalAlloc, Layout};
use lock_api::Mutex;
pub use spin::RawSpinLock;

use crate::allocator::{Allocator, DEFAULT_ALIGNMENT_SUB_BINS_AMOUNT, DEFAULT_SMALLBINS_AMOUNT, Resized};
use crate::error::InitError;
use crate::{heap::CheckError, stats::Stats};
mod static_heap;
pub use static_heap::StaticHeap;

/// An allocator behind a lock.
#[derive(Debug)]
pub struct LockedAllocator<R: lock_api::RawMutex, const S: usize = DEFAULT_SMALLBINS_AMOUNT, const A: usize = DEFAULT_ALIGNMENT_SUB_BINS_AMOUNT> {
    inner: Mutex<R, Allocator<S, A>>,
}

/// spin
pub type SpinLockedAllocator<
    const SMALLBINS_AMOUNT: usize = DEFAULT_SMALLBINS_AMOUNT,
    const ALIGNMENT_SUB_BINS_AMOUNT: usize = DEFAULT_ALIGNMENT_SUB_BINS_AMOUNT,
> = LockedAllocator<RawSpinLock, SMALLBINS_AMOUNT, ALIGNMENT_SUB_BINS_AMOUNT>;

const COPY_UNLOCKED: usize = 1024;

impl<R: lock_api::RawMutex, const S: usize, const A: usize> LockedAllocator<R, S, A> {
    /// empty
    pub const fn empty() -> Self {
        Self { inner: Mutex::from_raw(R::INIT, Allocator::empty()) }
    }
    /// init
    pub unsafe fn init(&self, heap_start: usize, heap_size: usize) {
        unsafe { self.inner.lock().init(heap_start, heap_size) }
    }
    /// try
    pub unsafe fn try_init(&self, start: *mut u8, length: usize) -> Result<(), InitError> {
        unsafe { self.inner.lock().try_init(start, length) }
    }
    /// try
    pub unsafe fn try_init_zeroed(&self, start: *mut u8, length: usize) -> Result<(), InitError> {
        unsafe { self.inner.lock().try_init_zeroed(start, length) }
    }
    /// check
    pub fn check(&self) -> Result<(), CheckError> {
        self.inner.lock().check()
    }
    /// stats
    pub fn stats(&self) -> Stats {
        self.inner.lock().stats()
    }
    /// was
    pub fn was_initialized(&self) -> bool {
        self.inner.lock().was_initialized()
    }
}

impl<R: lock_api::RawMutex, const S: usize, const A: usize> LockedAllocator<R, S, A> {
    /// Allocates; when that takes more than a parked block, `prepare` is
    /// called first.
    #[inline]
    fn alloc_with(&self, layout: Layout, prepare: impl FnOnce(&mut Allocator<S, A>)) -> *mut u8 {
        let mut inner = self.inner.lock();
        if let Some(block) = inner.alloc_parked(layout) {
            return block;
        }
        core::mem::forget(inner);
        // SAFETY: the lock is held by the guard that was forgotten.
        unsafe { self.alloc_locked(layout, prepare) }
    }

    /// # Safety
    ///
    /// The lock is held by a guard that was forgotten.
    #[inline(never)]
    unsafe fn alloc_locked(&self, layout: Layout, prepare: impl FnOnce(&mut Allocator<S, A>)) -> *mut u8 {
        // SAFETY: the caller's promise.
        let mut inner = unsafe { self.inner.make_guard_unchecked() };
        prepare(&mut inner);
        inner.alloc_unparked(layout)
    }

    /// # Safety
    ///
    /// The lock is held by a guard that was forgotten; and as for
    /// [`GlobalAlloc::dealloc`].
    #[inline(never)]
    unsafe fn dealloc_locked(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { self.inner.make_guard_unchecked().dealloc_unparked(ptr, layout) }
    }

    /// Allocates zeroed memory; `prepare` is called first.
    fn alloc_zeroed_with(&self, layout: Layout, prepare: impl FnOnce(&mut Allocator<S, A>)) -> *mut u8 {
        let (block, dirty) = {
            let mut inner = self.inner.lock();
            prepare(&mut inner);
            inner.alloc_reporting(layout)
        };
        if !block.is_null() {
            // SAFETY: the block is at least as large as the layout, and new.
            unsafe { block.write_bytes(0, dirty) };
        }
        block
    }
}

unsafe impl<R: lock_api::RawMutex, const S: usize, const A: usize> GlobalAlloc for LockedAllocator<R, S, A> {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.alloc_with(layout, |_| ())
    }
    #[inline]
    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        let mut inner = self.inner.lock();
        if inner.park(ptr, layout) {
            return;
        }
        core::mem::forget(inner);
        unsafe { self.dealloc_locked(ptr, layout) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        self.alloc_zeroed_with(layout, |_| ())
    }
    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        let mut inner = self.inner.lock();
        match unsafe { inner.resize(ptr, layout, new_size) } {
            Resized::Here(ptr) => ptr,
            Resized::Failed => core::ptr::null_mut(),
            Resized::CopyTo(new) => {
                if layout.size() > COPY_UNLOCKED {
                    drop(inner);
                    unsafe { new.copy_from_nonoverlapping(ptr, layout.size()) };
                    inner = self.inner.lock();
                } else {
                    unsafe { new.copy_from_nonoverlapping(ptr, layout.size()) };
                }
                unsafe { inner.dealloc(ptr, layout) };
                new
            }
        }
    }
}
