//! The allocator behind a lock, which can be a `#[global_allocator]`.

mod raw_cell;
#[cfg(feature = "critical-section")]
mod raw_critical_section;
#[cfg(feature = "spin")]
mod raw_spin;
mod static_heap;

use core::{
    alloc::{GlobalAlloc, Layout},
    mem, ptr,
};

pub use lock_api;
use lock_api::{Mutex, RawMutex};

pub use raw_cell::RawCell;
#[cfg(feature = "critical-section")]
pub use raw_critical_section::RawCriticalSection;
#[cfg(feature = "spin")]
pub use raw_spin::RawSpinLock;
#[cfg(feature = "spin")]
pub use static_heap::StaticHeap;
pub use static_heap::{LockedStatic, LockedStaticHeap};

use crate::{
    allocator::{
        Allocator, CHEAPLY_COPIED, DEFAULT_ALIGNMENT_SUB_BINS_AMOUNT, DEFAULT_SMALLBINS_AMOUNT,
        Resized,
    },
    error::InitError,
    heap::CheckError,
    stats::Stats,
    unlocked::Unlocked,
};

/// An allocator behind a lock of the user's choice: an [`Allocator`], as a
/// [`LockedAllocator`], or a [`TinyAllocator`](crate::TinyAllocator).
///
/// `R` is any [`lock_api::RawMutex`]. Each operation holds the lock for the
/// time that the allocator's takes, but not while it clears or copies more
/// than a kilobyte.
///
/// An interrupt handler must not use it, unless the lock masks interrupts: it
/// would wait for ever if it had interrupted the lock's holder.
///
/// | lock | |
/// |---|---|
/// | `RawSpinLock` | several CPUs, no interrupt handlers that allocate |
/// | `RawCriticalSection` | one CPU with interrupt handlers that allocate, or no atomics |
/// | [`RawCell`] | one thread |
/// | your own | for example one that masks interrupts and spins, or a fair one |
#[derive(Debug)]
pub struct Locked<R: RawMutex, T: Unlocked> {
    inner: Mutex<R, T>,
}

/// An [`Allocator`] behind a lock of the user's choice: see [`Locked`].
pub type LockedAllocator<
    R,
    const SMALLBINS_AMOUNT: usize = DEFAULT_SMALLBINS_AMOUNT,
    const ALIGNMENT_SUB_BINS_AMOUNT: usize = DEFAULT_ALIGNMENT_SUB_BINS_AMOUNT,
> = Locked<R, Allocator<SMALLBINS_AMOUNT, ALIGNMENT_SUB_BINS_AMOUNT>>;

/// An [`Allocator`] behind a spin lock.
///
/// # Example
///
/// ```
/// use good_memory_allocator::SpinLockedAllocator;
///
/// #[global_allocator]
/// static ALLOCATOR: SpinLockedAllocator = SpinLockedAllocator::empty();
///
/// # static mut REGION: [u64; 1 << 17] = [0; 1 << 17];
/// # // A doctest's own start allocates before `main`; a kernel's does not.
/// # #[used]
/// # #[cfg_attr(target_os = "linux", unsafe(link_section = ".init_array"))]
/// # static START: extern "C" fn() = start;
/// # extern "C" fn start() {
/// #     let region = &raw mut REGION;
/// #     let (heap_start, heap_size) = (region.expose_provenance(), size_of::<[u64; 1 << 17]>());
/// // Once, before the first allocation:
/// // SAFETY: nothing else uses the region.
/// unsafe { ALLOCATOR.init(heap_start, heap_size) };
/// # }
/// # fn main() {
/// # if cfg!(target_os = "linux") {
/// let numbers: Vec<u32> = (0..1000).collect();
/// assert!(ALLOCATOR.stats().live >= 4000);
/// # assert_eq!(numbers.len(), 1000);
/// # }
/// # }
/// ```
#[cfg(feature = "spin")]
pub type SpinLockedAllocator<
    const SMALLBINS_AMOUNT: usize = DEFAULT_SMALLBINS_AMOUNT,
    const ALIGNMENT_SUB_BINS_AMOUNT: usize = DEFAULT_ALIGNMENT_SUB_BINS_AMOUNT,
> = LockedAllocator<RawSpinLock, SMALLBINS_AMOUNT, ALIGNMENT_SUB_BINS_AMOUNT>;

// What the smallest one takes; in debug builds steps are counted in it.
#[cfg(all(feature = "spin", not(debug_assertions)))]
const _: () = assert!(crate::sync::MODEL || size_of::<SpinLockedAllocator<0>>() <= 128);

/// An [`Allocator`] behind a critical section, for one core whose interrupt
/// handlers allocate too, and for targets without atomics.
///
/// The program chooses the implementation of the critical section, as the
/// crate [`critical_section`] says; interrupts are masked for as long as an
/// operation of the allocator takes.
#[cfg(feature = "critical-section")]
pub type CriticalSectionAllocator<
    const SMALLBINS_AMOUNT: usize = DEFAULT_SMALLBINS_AMOUNT,
    const ALIGNMENT_SUB_BINS_AMOUNT: usize = DEFAULT_ALIGNMENT_SUB_BINS_AMOUNT,
> = LockedAllocator<RawCriticalSection, SMALLBINS_AMOUNT, ALIGNMENT_SUB_BINS_AMOUNT>;

/// An [`Allocator`] for one thread, which several owners can share: not
/// `Sync`, without atomics.
///
/// # Example
///
/// ```
/// use core::alloc::{GlobalAlloc, Layout};
/// use good_memory_allocator::UnsyncAllocator;
///
/// let mut region = [0u64; 512];
/// let allocator = UnsyncAllocator::<32>::empty();
/// let (one, other) = (&allocator, &allocator);
/// let layout = Layout::new::<[u32; 10]>();
/// // SAFETY: the region outlives the allocator and is used by nobody else;
/// // the block is freed once, with its layout.
/// unsafe {
///     allocator.try_init(region.as_mut_ptr().cast(), size_of_val(&region))?;
///     let block = one.alloc(layout);
///     assert!(!block.is_null());
///     other.dealloc(block, layout);
/// }
/// # Ok::<(), good_memory_allocator::InitError>(())
/// ```
pub type UnsyncAllocator<
    const SMALLBINS_AMOUNT: usize = DEFAULT_SMALLBINS_AMOUNT,
    const ALIGNMENT_SUB_BINS_AMOUNT: usize = DEFAULT_ALIGNMENT_SUB_BINS_AMOUNT,
> = LockedAllocator<RawCell, SMALLBINS_AMOUNT, ALIGNMENT_SUB_BINS_AMOUNT>;

impl<R: RawMutex, const SMALLBINS_AMOUNT: usize, const ALIGNMENT_SUB_BINS_AMOUNT: usize>
    LockedAllocator<R, SMALLBINS_AMOUNT, ALIGNMENT_SUB_BINS_AMOUNT>
{
    /// As [`empty`](Self::empty), but of an allocator that is
    /// [bounded](Allocator::bounded).
    pub const fn bounded() -> Self {
        Self::new(Allocator::bounded())
    }

    /// See [`Allocator::try_init_zeroed`].
    ///
    /// # Errors
    ///
    /// See [`InitError`].
    ///
    /// # Safety
    ///
    /// As for `Allocator::try_init_zeroed`.
    pub unsafe fn try_init_zeroed(&self, start: *mut u8, length: usize) -> Result<(), InitError> {
        // SAFETY: the caller's promise.
        unsafe { self.inner.lock().try_init_zeroed(start, length) }
    }
}

impl<R: RawMutex, T: Unlocked> Locked<R, T> {
    /// An allocator without memory, to which every request is in vain until
    /// it is given some.
    pub const fn empty() -> Self {
        Self::new(T::EMPTY)
    }

    const fn new(allocator: T) -> Self {
        Self {
            inner: Mutex::from_raw(R::INIT, allocator),
        }
    }

    /// See [`Allocator::init`].
    ///
    /// # Panics
    ///
    /// As `Allocator::init` does.
    ///
    /// # Safety
    ///
    /// As for `Allocator::init`.
    pub unsafe fn init(&self, heap_start: usize, heap_size: usize) {
        // SAFETY: the caller's promise.
        unsafe { self.inner.lock().init(heap_start, heap_size) }
    }

    /// See [`Allocator::try_init`].
    ///
    /// # Errors
    ///
    /// See [`InitError`].
    ///
    /// # Safety
    ///
    /// As for `Allocator::try_init`.
    pub unsafe fn try_init(&self, start: *mut u8, length: usize) -> Result<(), InitError> {
        // SAFETY: the caller's promise.
        unsafe { self.inner.lock().claim(start, length, false) }
    }

    /// Whether the allocator was given its region.
    pub fn was_initialized(&self) -> bool {
        self.inner.lock().was_initialized()
    }

    /// See [`Allocator::check`]. The lock is held for as long as it takes.
    ///
    /// # Errors
    ///
    /// The first invariant that does not hold.
    pub fn check(&self) -> Result<(), CheckError> {
        self.inner.lock().check()
    }

    /// See [`Allocator::stats`]. The lock is held for as long as it takes.
    pub fn stats(&self) -> Stats {
        self.inner.lock().stats()
    }

    /// Allocates; when that takes more than a parked block, `prepare` is
    /// called first.
    #[inline]
    fn alloc_with(&self, layout: Layout, prepare: impl FnOnce(&mut T)) -> *mut u8 {
        let Some(mut inner) = self.inner.try_lock() else {
            return self.alloc_contended(layout, prepare);
        };
        if let Some(block) = inner.alloc_parked(layout) {
            return block;
        }
        mem::forget(inner);
        // SAFETY: the lock is held by the guard that was forgotten.
        unsafe { self.alloc_locked(layout, prepare) }
    }

    /// `alloc_with` while another thread holds the lock. It is a function of
    /// its own, and called last, so that the short case saves no registers.
    #[cold]
    #[inline(never)]
    fn alloc_contended(&self, layout: Layout, prepare: impl FnOnce(&mut T)) -> *mut u8 {
        let mut inner = self.inner.lock();
        if let Some(block) = inner.alloc_parked(layout) {
            return block;
        }
        prepare(&mut inner);
        match inner.alloc_readily(layout) {
            Some(block) => block,
            None => inner.alloc_unparked(layout),
        }
    }

    /// What remains of `alloc_with`, out of the way of the short case.
    ///
    /// # Safety
    ///
    /// The lock is held by a guard that was forgotten.
    #[inline(never)]
    unsafe fn alloc_locked(&self, layout: Layout, prepare: impl FnOnce(&mut T)) -> *mut u8 {
        // SAFETY: the caller's promise.
        let mut inner = unsafe { self.inner.make_guard_unchecked() };
        prepare(&mut inner);
        if let Some(block) = inner.alloc_readily(layout) {
            return block;
        }
        mem::forget(inner);
        // SAFETY: the lock is held by the guard that was forgotten.
        unsafe { self.alloc_unready(layout) }
    }

    /// What remains of `alloc_locked`, likewise.
    ///
    /// # Safety
    ///
    /// The lock is held by a guard that was forgotten.
    #[inline(never)]
    unsafe fn alloc_unready(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        let mut inner = unsafe { self.inner.make_guard_unchecked() };
        inner.alloc_unparked(layout)
    }

    /// Allocates zeroed memory; `prepare` is called first.
    fn alloc_zeroed_with(&self, layout: Layout, prepare: impl FnOnce(&mut T)) -> *mut u8 {
        let mut inner = self.inner.lock();
        if let Some(block) = inner.alloc_parked(layout) {
            drop(inner);
            // SAFETY: the block is new, and nobody else knows of it.
            unsafe { block.write_bytes(0, layout.size()) };
            return block;
        }
        prepare(&mut inner);
        let new = inner.alloc_reporting(layout);
        drop(inner);
        // SAFETY: as above.
        unsafe { new.clear() };
        new.block
    }

    /// What remains of `dealloc`, out of the way of the short case.
    ///
    /// # Safety
    ///
    /// The lock is held by a guard that was forgotten; and as for
    /// [`Allocator::dealloc`].
    #[inline(never)]
    unsafe fn dealloc_locked(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        let mut inner = unsafe { self.inner.make_guard_unchecked() };
        inner.dealloc_unparked(block, layout);
    }

    /// `dealloc` while another thread holds the lock.
    ///
    /// # Safety
    ///
    /// As for [`Allocator::dealloc`].
    #[cold]
    #[inline(never)]
    unsafe fn dealloc_contended(&self, block: *mut u8, layout: Layout) {
        self.inner.lock().dealloc(block, layout);
    }
}

// SAFETY: the blocks are the allocator's, which is behind the lock; only
// blocks that the caller owns are touched without it.
unsafe impl<R: RawMutex, T: Unlocked> GlobalAlloc for Locked<R, T> {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.alloc_with(layout, |_| ())
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let Some(mut inner) = self.inner.try_lock() else {
            // SAFETY: the caller's promise.
            return unsafe { self.dealloc_contended(block, layout) };
        };
        if inner.park(block, layout) {
            return;
        }
        mem::forget(inner);
        // SAFETY: the lock is held by the guard that was forgotten; and the
        // caller's promise.
        unsafe { self.dealloc_locked(block, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        self.alloc_zeroed_with(layout, |_| ())
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        let mut inner = self.inner.lock();
        // SAFETY: the caller's promise.
        let new = match unsafe { inner.resize(block, layout, new_size) } {
            Resized::Here(block) => return block,
            Resized::Failed => return ptr::null_mut(),
            Resized::CopyTo(new) => new,
        };
        let kept = layout.size().min(new_size);
        if layout.size() > CHEAPLY_COPIED {
            drop(inner);
            // SAFETY: the new block is another one; both are the caller's.
            unsafe { new.copy_from_nonoverlapping(block, kept) };
            self.inner.lock().dealloc_moved(block, layout);
        } else {
            // SAFETY: as above.
            unsafe { new.copy_from_nonoverlapping(block, kept) };
            inner.dealloc(block, layout);
        }
        new
    }
}
