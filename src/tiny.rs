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

use core::{alloc::Layout, ptr};

use crate::{
    allocator::Resized,
    error::InitError,
    heap::{
        CheckError,
        chunk::{Field, Span},
        expect,
        region::Bounds,
    },
    poison,
    stats::Stats,
    unit::{GRANULE, Granules, Offset},
    unlocked::{Operations, Unlocked},
};

/// What is before the first chunk and after the last: larger than any place,
/// and no chunk ends there.
const END: Offset = Offset(u32::MAX);

/// Any chunk will do.
const ANY: Offset = END;

/// The word of a chunk's length.
const LENGTH: Field = Field::Previous;

/// A memory allocator over one region in as little code as possible, without a
/// lock: about a seventh of what [`Allocator`](crate::Allocator) takes.
///
/// It is for programs in which a kilobyte of code matters more than time, with
/// a heap of some KiB to some hundred KiB and few free chunks at a time:
/// WebAssembly modules that are downloaded often, boot loaders, the smallest
/// microcontrollers. What it gives up is speed: **every operation walks
/// through the list of free chunks**, so that the time that it takes is in
/// proportion to their number. There are no quick lists, and the heap is not
/// kept clear of memory that was never used.
///
/// What it does not give up: blocks have no header, and none of the region is
/// taken for tables; freed blocks coalesce at once, every alignment is served,
/// no request fails for which there is room, and blocks are resized where they
/// are if that is possible. It can be moved at any time. It takes 24 bytes.
///
/// Behind a lock it is a [`Locked`](crate::Locked) one, and with memory of its
/// own a [`LockedStatic`](crate::LockedStatic) one.
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
    span: Span,
    /// The first free chunk.
    first: Offset,
    limit: Offset,
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
    /// with its content copied. Gives null if there is no room; the block is
    /// then as it was.
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
        self.walk(|_| ())
    }

    /// What the heap holds, by a walk through its free chunks.
    pub fn stats(&self) -> Stats {
        Operations::stats(self)
    }

    /// The first chunk after another, or after [`END`] the first of all.
    fn after(&self, chunk: Offset) -> Offset {
        if chunk == END {
            self.first
        } else {
            self.next(chunk)
        }
    }

    fn set_after(&mut self, chunk: Offset, next: Offset) {
        if chunk == END {
            self.first = next;
        } else {
            self.span.set_field(chunk, Field::Next, next.0);
        }
    }

    fn next(&self, chunk: Offset) -> Offset {
        Offset(self.span.field(chunk, Field::Next))
    }

    fn size(&self, chunk: Offset) -> Granules {
        Granules(self.span.field(chunk, LENGTH))
    }

    fn set_size(&self, chunk: Offset, size: Granules) {
        self.span.set_field(chunk, LENGTH, size.0);
    }

    /// Makes free memory a chunk, which nothing leads to yet.
    fn write(&self, chunk: Offset, next: Offset, size: Granules) {
        self.span.set_field(chunk, Field::Next, next.0);
        self.set_size(chunk, size);
    }

    /// The last chunk before a place.
    fn last_before(&self, at: Offset) -> Offset {
        let mut previous = END;
        loop {
            let next = self.after(previous);
            if next >= at {
                return previous;
            }
            previous = next;
        }
    }

    /// Makes memory that is not free a chunk, or a part of those beside it.
    fn free(&mut self, mut at: Offset, mut size: Granules) {
        let previous = self.last_before(at);
        let mut next = self.after(previous);
        if at + size == next {
            size += self.size(next);
            next = self.next(next);
        }
        if previous != END && previous + self.size(previous) == at {
            at = previous;
            size += self.size(previous);
        } else {
            self.set_after(previous, at);
        }
        self.write(at, next, size);
    }

    /// Takes `size` granules at a multiple of `align` bytes out of the shortest
    /// chunk that has them, or just out of the `wanted` one. Gives null if
    /// there are none.
    fn take(&mut self, size: Granules, align: usize, wanted: Offset) -> *mut u8 {
        let (mut before_best, mut best, mut skipped) = (END, END, Granules::ZERO);
        let mut found = Granules(u32::MAX);
        let mut previous = END;
        loop {
            let chunk = self.after(previous);
            if chunk >= self.limit || found == size {
                break;
            }
            let address = self.span.pointer_to(chunk).addr();
            let skips = (address.wrapping_neg() & (align - 1)) / GRANULE;
            let length = self.size(chunk);
            let fits = length < found && skips + size.0 as usize <= length.0 as usize;
            if fits && (wanted == ANY || wanted == chunk) {
                (before_best, best, found) = (previous, chunk, length);
                skipped = Granules(skips as u32);
            }
            previous = chunk;
        }
        if best == END {
            return ptr::null_mut();
        }
        let (block, rest) = (best + skipped, found - skipped - size);
        let mut next = self.next(best);
        if rest > Granules::ZERO {
            self.write(block + size, next, rest);
            next = block + size;
        }
        if skipped > Granules::ZERO {
            self.set_size(best, skipped);
            before_best = best;
        }
        self.set_after(before_best, next);
        self.span.pointer_to(block)
    }

    /// Moves a block down into the chunk before it, if it then has the room
    /// that it wants.
    ///
    /// # Safety
    ///
    /// As for `realloc`.
    unsafe fn slide(
        &mut self,
        at: Offset,
        old: Granules,
        new: Granules,
        bytes: usize,
    ) -> Option<*mut u8> {
        let chunk = self.last_before(at);
        if chunk == END || chunk + self.size(chunk) != at {
            return None;
        }
        let before = at - chunk;
        let joined = before + old;
        if joined < new && self.take(new - joined, 1, at + old).is_null() {
            return None;
        }
        self.take(before, 1, chunk);
        // SAFETY: both are the block's now, and hold it.
        unsafe { self.span.move_down(at, chunk, bytes) };
        if joined > new {
            self.free(chunk + new, joined - new);
        }
        Some(self.span.pointer_to(chunk))
    }

    /// Does something with the size of each chunk, as far as all is well.
    fn walk(&self, mut each: impl FnMut(Granules)) -> Result<(), CheckError> {
        let (mut chunk, mut least) = (self.first, Offset(0));
        while chunk != END && self.was_initialized() {
            expect(
                chunk >= least,
                "a free chunk that is listed too late",
                chunk,
            )?;
            expect(chunk < self.limit, "a free chunk outside the heap", chunk)?;
            let (size, most) = (self.size(chunk), self.limit - chunk);
            expect(
                size > Granules::ZERO,
                "a free chunk without a length",
                chunk,
            )?;
            expect(size <= most, "a free chunk larger than the heap", chunk)?;
            each(size);
            // Those that touch are one.
            least = chunk + size + Granules::ONE;
            chunk = self.next(chunk);
        }
        Ok(())
    }
}

impl Unlocked for TinyAllocator {}

impl Operations for TinyAllocator {
    const EMPTY: Self = Self {
        // All bits are zero, so that it takes no room in a program's file.
        span: Span::EMPTY,
        first: Offset(0),
        limit: Offset(0),
        ignored: 0,
    };

    fn span(&self) -> Span {
        self.span
    }

    unsafe fn claim(&mut self, start: *mut u8, length: usize, _: bool) -> Result<(), InitError> {
        if self.was_initialized() {
            return Err(InitError::AlreadyInitialized);
        }
        let bounds = Bounds::new(start.addr(), length)?;
        // SAFETY: the padding lies in the region and aligns its start.
        self.span = unsafe { Span::new(start.add(bounds.padding)) };
        self.first = END;
        self.limit = bounds.limit;
        self.ignored = bounds.ignored;
        poison::close(self.span.pointer_to(Offset(0)), self.limit.bytes());
        self.free(Offset(0), Granules(self.limit.0));
        Ok(())
    }

    #[inline]
    fn alloc_unparked(&mut self, layout: Layout) -> *mut u8 {
        let (size, align) = (layout.size(), layout.align());
        let block = self.take(Granules::wanted_for(size), align, ANY);
        if !block.is_null() {
            poison::give(block, size);
        }
        block
    }

    #[inline]
    fn dealloc_unparked(&mut self, block: *mut u8, layout: Layout) {
        poison::expect_open(block, layout.size());
        poison::take_back(block, layout.size());
        let at = self.span.offset_of(block);
        self.free(at, Granules::of_block(layout.size()));
    }

    #[inline]
    unsafe fn resize(&mut self, block: *mut u8, layout: Layout, new_size: usize) -> Resized {
        poison::expect_open(block, layout.size());
        let at = self.span.offset_of(block);
        let old = Granules::of_block(layout.size());
        let new = Granules::wanted_for(new_size);
        let here = |block| {
            poison::resize(block, layout.size(), new_size);
            Resized::Here(block)
        };
        if new < old {
            self.free(at + new, old - new);
        }
        if new <= old || !self.take(new - old, 1, at + old).is_null() {
            return here(block);
        }
        let moved = self.take(new, layout.align(), ANY);
        if !moved.is_null() {
            poison::give(moved, new_size);
            return Resized::CopyTo(moved);
        }
        if layout.align() > GRANULE {
            return Resized::Failed;
        }
        // SAFETY: the caller's promise.
        match unsafe { self.slide(at, old, new, layout.size()) } {
            Some(block) => here(block),
            None => Resized::Failed,
        }
    }

    fn check(&self) -> Result<(), CheckError> {
        self.walk(|_| ())
    }

    fn stats(&self) -> Stats {
        let (capacity, mut free, mut largest) = (self.limit.bytes(), 0, 0);
        // What is wrong, `check` tells.
        let _ = self.walk(|size| {
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
        poison::open(self.span.pointer_to(Offset(0)), self.limit.bytes());
    }
}

// SAFETY: an allocator is the only owner of the region that it points into.
unsafe impl Send for TinyAllocator {}

#[cfg(test)]
mod tests;
