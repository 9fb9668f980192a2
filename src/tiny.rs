//! A heap for programs in which bytes of code matter more than time.
//!
//! Its free chunks are in one list, in the order of their places, and say in
//! their first granule how long they are. There is nothing else to look after:
//!
//! ```text
//!   first ──┐              ┌─────────────────────┐
//!           ▼              │                     ▼
//!   │ block │ next │ n │ … n granules … │ block │ END │ 1 │ block │
//! ```

mod chunks;

use core::alloc::Layout;

use chunks::{ANY, Chunks};

use crate::{
    allocator::Resized,
    error::InitError,
    heap::{CheckError, chunk::Span, region::Bounds},
    poison,
    stats::Stats,
    unit::{Granules, Offset},
    unlocked::{Operations, Unlocked},
};

/// A memory allocator over one region in as little code as possible, without a
/// lock: about a tenth of what [`Allocator`](crate::Allocator) takes.
///
/// It is for programs in which a kilobyte of code matters more than time, with
/// a heap of some KiB to some hundred KiB and few free chunks at a time:
/// WebAssembly modules that are downloaded often, boot loaders, the smallest
/// microcontrollers. What it gives up is speed: **every operation walks
/// through the list of free chunks**, so that the time that it takes is in
/// proportion to their number. Zeroed blocks are always cleared, and a block
/// that has no room to grow does not slide down into what is free before it.
///
/// What it does not give up: blocks have no header, and none of the region is
/// taken for tables; freed blocks coalesce at once, every alignment is served,
/// no request fails for which there is room, and blocks are resized where they
/// are if that is possible. It takes 24 bytes, and may be moved at any time.
///
/// `Locked` puts a lock before it, and `LockedStatic` gives it memory of its own
/// besides.
///
/// # Example
///
/// ```
/// use core::alloc::Layout;
/// use good_memory_allocator::TinyAllocator;
///
/// let mut region = [0u64; 64];
/// let mut allocator = TinyAllocator::empty();
/// let layout = Layout::new::<[u32; 10]>();
/// // SAFETY: the region outlives the allocator and is used by nobody else;
/// // the block is freed once, with its layout.
/// unsafe {
///     allocator.try_init(region.as_mut_ptr().cast(), size_of_val(&region))?;
///     let block = allocator.alloc(layout);
///     assert!(!block.is_null());
///     allocator.dealloc(block, layout);
/// }
/// # Ok::<(), good_memory_allocator::InitError>(())
/// ```
#[derive(Debug)]
pub struct TinyAllocator {
    chunks: Chunks,
    /// Bytes of the region that are beyond what a heap can span.
    ignored: usize,
}

impl TinyAllocator {
    /// An allocator without memory, to which every request is in vain until
    /// it is given some.
    pub const fn empty() -> Self {
        Self::EMPTY
    }

    /// Whether the allocator was given its region.
    pub fn was_initialized(&self) -> bool {
        Operations::was_initialized(self)
    }

    /// See [`Allocator::init`](crate::Allocator::init).
    ///
    /// # Panics
    ///
    /// As `Allocator::init` does.
    ///
    /// # Safety
    ///
    /// As for `Allocator::init`.
    pub unsafe fn init(&mut self, heap_start: usize, heap_size: usize) {
        // SAFETY: the caller's promise.
        unsafe { Operations::init(self, heap_start, heap_size) }
    }

    /// See [`Allocator::try_init`](crate::Allocator::try_init); 8 bytes are
    /// enough.
    ///
    /// # Errors
    ///
    /// See [`InitError`].
    ///
    /// # Safety
    ///
    /// As for `Allocator::try_init`.
    pub unsafe fn try_init(&mut self, start: *mut u8, length: usize) -> Result<(), InitError> {
        // SAFETY: the caller's promise.
        unsafe { self.claim(start, length, false) }
    }

    /// See [`Allocator::alloc`](crate::Allocator::alloc).
    ///
    /// # Safety
    ///
    /// As for `Allocator::alloc`.
    #[inline]
    pub unsafe fn alloc(&mut self, layout: Layout) -> *mut u8 {
        self.alloc_unparked(layout)
    }

    /// As [`alloc`](Self::alloc), with the block's first `layout.size()`
    /// bytes cleared.
    ///
    /// # Safety
    ///
    /// As for `alloc`.
    pub unsafe fn alloc_zeroed(&mut self, layout: Layout) -> *mut u8 {
        Operations::alloc_zeroed(self, layout)
    }

    /// See [`Allocator::dealloc`](crate::Allocator::dealloc).
    ///
    /// # Safety
    ///
    /// As for `Allocator::dealloc`.
    #[inline]
    pub unsafe fn dealloc(&mut self, block: *mut u8, layout: Layout) {
        self.dealloc_unparked(block, layout);
    }

    /// Resizes a block to `new_size` bytes at the same alignment, and gives
    /// where it then is: where it was if that is possible, or else elsewhere
    /// with its content copied. Gives null if there is room neither behind it
    /// nor elsewhere; the block is then as it was.
    ///
    /// # Safety
    ///
    /// As for [`Allocator::realloc`](crate::Allocator::realloc).
    #[inline]
    pub unsafe fn realloc(&mut self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller's promise.
        unsafe { Operations::realloc(self, block, layout, new_size) }
    }

    /// Walks through the free chunks, and proves that each is in the region
    /// and apart from the one before.
    ///
    /// # Errors
    ///
    /// The first invariant that does not hold.
    pub fn check(&self) -> Result<(), CheckError> {
        Operations::check(self)
    }

    /// What the heap holds, by a walk through its free chunks.
    pub fn stats(&self) -> Stats {
        Operations::stats(self)
    }
}

impl Unlocked for TinyAllocator {}

impl Operations for TinyAllocator {
    const EMPTY: Self = Self {
        chunks: Chunks::NONE,
        ignored: 0,
    };

    fn span(&self) -> Span {
        self.chunks.span
    }

    unsafe fn claim(&mut self, start: *mut u8, length: usize, _: bool) -> Result<(), InitError> {
        if self.was_initialized() {
            return Err(InitError::AlreadyInitialized);
        }
        let bounds = Bounds::new(start.addr(), length)?;
        // SAFETY: the padding lies in the region and aligns its start.
        let span = unsafe { Span::new(start.add(bounds.padding)) };
        poison::close(span.pointer_to(Offset(0)), bounds.limit.bytes());
        self.chunks = Chunks::none_of(span, bounds.limit);
        self.chunks.free(Offset(0), Granules(bounds.limit.0));
        self.ignored = bounds.ignored;
        Ok(())
    }

    #[inline]
    fn alloc_unparked(&mut self, layout: Layout) -> *mut u8 {
        let (size, align) = (layout.size(), layout.align());
        let block = self.chunks.take(Granules::wanted_for(size), align, ANY);
        if !block.is_null() {
            poison::give(block, size);
        }
        block
    }

    #[inline]
    fn dealloc_unparked(&mut self, block: *mut u8, layout: Layout) {
        poison::expect_open(block, layout.size());
        poison::take_back(block, layout.size());
        let at = self.chunks.span.offset_of(block);
        self.chunks.free(at, Granules::of_block(layout.size()));
    }

    #[inline]
    unsafe fn resize(&mut self, block: *mut u8, layout: Layout, new_size: usize) -> Resized {
        poison::expect_open(block, layout.size());
        let at = self.chunks.span.offset_of(block);
        let old = Granules::of_block(layout.size());
        let new = Granules::wanted_for(new_size);
        if new < old {
            self.chunks.free(at + new, old - new);
        }
        if new <= old || !self.chunks.take(new - old, 1, at + old).is_null() {
            poison::resize(block, layout.size(), new_size);
            return Resized::Here(block);
        }
        let moved = self.chunks.take(new, layout.align(), ANY);
        if moved.is_null() {
            return Resized::Failed;
        }
        poison::give(moved, new_size);
        Resized::CopyTo(moved)
    }

    fn check(&self) -> Result<(), CheckError> {
        self.chunks.walk(|_| ())
    }

    fn stats(&self) -> Stats {
        let (capacity, mut free, mut largest) = (self.chunks.limit.bytes(), 0, 0);
        // What is wrong, `check` tells.
        let _ = self.chunks.walk(|size| {
            free += size.bytes();
            largest = largest.max(size.bytes());
        });
        Stats {
            capacity,
            live: capacity - free,
            parked: 0,
            free,
            largest_free: largest,
            ignored: self.ignored,
        }
    }
}

/// The region may be used for something else then.
#[cfg(any(galloc_asan, galloc_valgrind))]
impl Drop for TinyAllocator {
    fn drop(&mut self) {
        poison::open(
            self.chunks.span.pointer_to(Offset(0)),
            self.chunks.limit.bytes(),
        );
    }
}

// SAFETY: an allocator is the only owner of the region that it points into.
unsafe impl Send for TinyAllocator {}

#[cfg(test)]
mod tests;
