//! A heap that brings its own memory.

use core::{
    alloc::{GlobalAlloc, Layout},
    cell::UnsafeCell,
};

use lock_api::RawMutex;

use super::Locked;
use crate::{
    allocator::{Allocator, DEFAULT_ALIGNMENT_SUB_BINS_AMOUNT, DEFAULT_SMALLBINS_AMOUNT},
    heap::CheckError,
    stats::Stats,
    unlocked::Unlocked,
};

/// The fewest bytes that make a useful heap.
const LEAST_BYTES: usize = 256;

/// A heap of `BYTES` bytes, tables included, that brings its own memory: an
/// allocator behind a lock of the user's choice, as [`Locked`] says.
///
/// It is all zeros until it is used, so that it takes no room in a program's
/// file, and it knows that: unless it is a
/// [`TinyAllocator`](crate::TinyAllocator)'s,
/// [`alloc_zeroed`](GlobalAlloc::alloc_zeroed) does not clear what was never
/// used. Fewer than 256 bytes do not compile.
///
#[cfg_attr(feature = "spin", doc = "```")]
#[cfg_attr(not(feature = "spin"), doc = "```ignore")]
/// use good_memory_allocator::{LockedStatic, RawSpinLock, TinyAllocator};
///
/// #[global_allocator]
/// static HEAP: LockedStatic<RawSpinLock, { 64 << 10 }, TinyAllocator> = LockedStatic::new();
/// ```
#[derive(Debug)]
pub struct LockedStatic<R: RawMutex, const BYTES: usize, T: Unlocked> {
    allocator: Locked<R, T>,
    region: UnsafeCell<Region<BYTES>>,
}

/// An [`Allocator`] that brings its own memory, `BYTES` bytes, with a lock of
/// the user's choice: see [`LockedStatic`] and, behind the spin lock,
/// `StaticHeap`.
pub type LockedStaticHeap<
    R,
    const BYTES: usize,
    const SMALLBINS_AMOUNT: usize = DEFAULT_SMALLBINS_AMOUNT,
    const ALIGNMENT_SUB_BINS_AMOUNT: usize = DEFAULT_ALIGNMENT_SUB_BINS_AMOUNT,
> = LockedStatic<R, BYTES, Allocator<SMALLBINS_AMOUNT, ALIGNMENT_SUB_BINS_AMOUNT>>;

/// A heap of `BYTES` bytes, tables included, that brings its own memory behind
/// a spin lock: a `static` of one line, without a call to initialize it. More
/// of it at [`LockedStatic`].
///
/// ```
/// use good_memory_allocator::StaticHeap;
///
/// #[global_allocator]
/// static HEAP: StaticHeap<{ 4 << 20 }> = StaticHeap::new();
///
/// let words = vec!["on", "this", "heap"];
/// assert!(HEAP.stats().live >= size_of_val(&words[..]));
/// ```
#[cfg(feature = "spin")]
pub type StaticHeap<
    const BYTES: usize,
    const SMALLBINS_AMOUNT: usize = DEFAULT_SMALLBINS_AMOUNT,
    const ALIGNMENT_SUB_BINS_AMOUNT: usize = DEFAULT_ALIGNMENT_SUB_BINS_AMOUNT,
> = LockedStaticHeap<super::RawSpinLock, BYTES, SMALLBINS_AMOUNT, ALIGNMENT_SUB_BINS_AMOUNT>;

#[derive(Debug)]
#[repr(align(16))]
struct Region<const BYTES: usize>([u8; BYTES]);

// SAFETY: the region belongs to the allocator, which is behind a lock.
unsafe impl<R: RawMutex + Sync, const B: usize, T: Unlocked> Sync for LockedStatic<R, B, T> {}

impl<R: RawMutex, const B: usize, T: Unlocked> Default for LockedStatic<R, B, T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<R: RawMutex, const B: usize, T: Unlocked> LockedStatic<R, B, T> {
    /// The heap, for a `static`. Blocks lie in it, so that to allocate from a
    /// heap that is moved afterwards breaks the allocation's contract.
    pub const fn new() -> Self {
        const { assert!(B >= LEAST_BYTES, "a StaticHeap needs at least 256 bytes") }
        Self {
            allocator: Locked::empty(),
            region: UnsafeCell::new(Region([0; B])),
        }
    }

    /// See [`Allocator::check`].
    ///
    /// # Errors
    ///
    /// The first invariant that does not hold.
    pub fn check(&self) -> Result<(), CheckError> {
        let allocator = self.allocator.inner.lock();
        if self.is_home_of(&allocator) {
            allocator.check()
        } else {
            Ok(())
        }
    }

    /// See [`Allocator::stats`]. All zero for a heap that was moved.
    pub fn stats(&self) -> Stats {
        let mut allocator = self.allocator.inner.lock();
        self.claim(&mut allocator);
        if self.is_home_of(&allocator) {
            allocator.stats()
        } else {
            Stats::default()
        }
    }

    /// Whether the allocator's region is this heap's: not if the heap was
    /// moved since.
    fn is_home_of(&self, allocator: &T) -> bool {
        allocator.span().address() == self.region.get().addr()
    }

    /// Gives the allocator its region, unless it has it.
    fn claim(&self, allocator: &mut T) {
        if !allocator.was_initialized() {
            // SAFETY: the region is valid, zero since it was made, and used
            // by nobody but the allocator.
            let claimed = unsafe { allocator.claim(self.region.get().cast(), B, true) };
            debug_assert!(claimed.is_ok(), "{claimed:?}");
        }
    }
}

// SAFETY: all is done by the locked allocator; only that it may have to be
// given its region first.
unsafe impl<R: RawMutex, const B: usize, T: Unlocked> GlobalAlloc for LockedStatic<R, B, T> {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.allocator
            .alloc_with(layout, |allocator| self.claim(allocator))
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { self.allocator.dealloc(block, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        self.allocator
            .alloc_zeroed_with(layout, |allocator| self.claim(allocator))
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller's promise.
        unsafe { self.allocator.realloc(block, layout, new_size) }
    }
}
