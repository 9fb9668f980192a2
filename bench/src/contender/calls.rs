//! How a workload reaches a contender: by calls that are never inlined, as a global allocator is reached.

use core::alloc::{GlobalAlloc, Layout};

use super::Contender;

/// The four verbs of one contender. Workloads see this and nothing else, so each of them is compiled once and its
/// loop is the same machine code for every contender.
#[derive(Clone, Copy)]
pub struct Calls {
    alloc: Alloc,
    alloc_zeroed: Alloc,
    dealloc: Dealloc,
    realloc: Realloc,
}

pub type Alloc = unsafe fn(Layout) -> *mut u8;
pub type Dealloc = unsafe fn(*mut u8, Layout);
pub type Realloc = unsafe fn(*mut u8, Layout, usize) -> *mut u8;

impl Calls {
    /// Functions that together keep the contract of [`GlobalAlloc`].
    pub const fn new(
        alloc: Alloc,
        alloc_zeroed: Alloc,
        dealloc: Dealloc,
        realloc: Realloc,
    ) -> Self {
        Self {
            alloc,
            alloc_zeroed,
            dealloc,
            realloc,
        }
    }

    pub const fn of<C: Contender>() -> Self {
        Self {
            alloc: alloc::<C>,
            alloc_zeroed: alloc_zeroed::<C>,
            dealloc: dealloc::<C>,
            realloc: realloc::<C>,
        }
    }

    /// # Safety
    /// As [`GlobalAlloc::alloc`].
    #[inline(always)]
    pub unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the contract of `GlobalAlloc`.
        unsafe { (self.alloc)(layout) }
    }

    /// # Safety
    /// As [`GlobalAlloc::alloc_zeroed`].
    #[inline(always)]
    pub unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the contract of `GlobalAlloc`.
        unsafe { (self.alloc_zeroed)(layout) }
    }

    /// # Safety
    /// As [`GlobalAlloc::dealloc`].
    #[inline(always)]
    pub unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `GlobalAlloc`.
        unsafe { (self.dealloc)(block, layout) }
    }

    /// # Safety
    /// As [`GlobalAlloc::realloc`].
    #[inline(always)]
    pub unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller keeps the contract of `GlobalAlloc`.
        unsafe { (self.realloc)(block, layout, new_size) }
    }
}

#[inline(never)]
unsafe fn alloc<C: Contender>(layout: Layout) -> *mut u8 {
    // SAFETY: the caller keeps the contract of `GlobalAlloc`.
    unsafe { C::global().alloc(layout) }
}

#[inline(never)]
unsafe fn alloc_zeroed<C: Contender>(layout: Layout) -> *mut u8 {
    // SAFETY: the caller keeps the contract of `GlobalAlloc`.
    unsafe { C::global().alloc_zeroed(layout) }
}

#[inline(never)]
unsafe fn dealloc<C: Contender>(block: *mut u8, layout: Layout) {
    // SAFETY: the caller keeps the contract of `GlobalAlloc`.
    unsafe { C::global().dealloc(block, layout) }
}

#[inline(never)]
unsafe fn realloc<C: Contender>(block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
    // SAFETY: the caller keeps the contract of `GlobalAlloc`.
    unsafe { C::global().realloc(block, layout, new_size) }
}
