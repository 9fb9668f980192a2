//! The unlocked allocator: quick lists in front of a heap, and the policy
//! between them.

use core::{alloc::Layout, ptr};

use crate::{
    cache::Cache,
    error::InitError,
    stats::Stats,
    heap::{CheckError, Heap, Request, region::Plan},
    unit::{Granules, Offset, alignment_of},
};

/// The amount of smallbins that an allocator has unless told otherwise.
pub const DEFAULT_SMALLBINS_AMOUNT: usize = 512;

/// The amount of sub-bins per smallbin that an allocator has unless told
/// otherwise.
pub const DEFAULT_ALIGNMENT_SUB_BINS_AMOUNT: usize = 2;

/// A memory allocator over one region, without a lock.
///
/// It does not borrow from itself and may be moved at any time.
#[derive(Debug)]
pub struct Allocator<
    const SMALLBINS_AMOUNT: usize = DEFAULT_SMALLBINS_AMOUNT,
    const ALIGNMENT_SUB_BINS_AMOUNT: usize = DEFAULT_ALIGNMENT_SUB_BINS_AMOUNT,
> {
    cache: Cache<SMALLBINS_AMOUNT, ALIGNMENT_SUB_BINS_AMOUNT>,
    heap: Heap,
    /// Before less of the gap is left, parked blocks are drained.
    reserve: Granules,
    /// Bytes of the region that are beyond what a heap can span.
    ignored: usize,
    bounded: bool,
}

/// What becomes of a block that is to change its size.
pub(crate) enum Resized {
    /// It has, and is here.
    Here(*mut u8),
    /// Its first bytes must be copied to the new block here, and it be freed.
    CopyTo(*mut u8),
    /// It cannot.
    Failed,
}

const GROWING: usize = 2048;

/// The blocks that a request for `size` granules beyond the mark drains.
fn drain_quota(size: Granules) -> u32 {
    16 + (size.0 / 32).min(48)
}

impl<const SMALLBINS_AMOUNT: usize, const ALIGNMENT_SUB_BINS_AMOUNT: usize>
    Allocator<SMALLBINS_AMOUNT, ALIGNMENT_SUB_BINS_AMOUNT>
{
    /// An allocator without memory, to which every request is in vain until
    /// it is given some.
    pub const fn empty() -> Self {
        Self {
            cache: Cache::empty(),
            heap: Heap::empty(),
            reserve: Granules::ZERO,
            ignored: 0,
            bounded: false,
        }
    }

    /// Whether the allocator was given its region.
    #[inline]
    pub fn was_initialized(&self) -> bool {
        !self.heap.is_empty()
    }

    pub unsafe fn init(&mut self, heap_start: usize, heap_size: usize) {
        let start = ptr::with_exposed_provenance_mut(heap_start);
        // SAFETY: the caller's promise.
        if let Err(error) = unsafe { self.try_init(start, heap_size) } {
            panic!("cannot initialize the heap: {error}");
        }
    }

    pub unsafe fn try_init(&mut self, start: *mut u8, length: usize) -> Result<(), InitError> {
        // SAFETY: the caller's promise.
        unsafe { self.claim(start, length, false) }
    }

    pub unsafe fn try_init_zeroed(&mut self, start: *mut u8, length: usize) -> Result<(), InitError> {
        // SAFETY: the caller's promise.
        unsafe { self.claim(start, length, true) }
    }

    unsafe fn claim(&mut self, start: *mut u8, length: usize, zeroed: bool) -> Result<(), InitError> {
        if self.was_initialized() {
            return Err(InitError::AlreadyInitialized);
        }
        let plan = Plan::new(start.addr(), length)?;
        // SAFETY: the caller's promise, and the plan is this region's.
        unsafe { self.heap.claim(start, &plan, zeroed) };
        self.cache.bound = u32::MAX;
        self.cache.largest = Granules((plan.capacity().0 / 1024).min(1024));
        self.reserve = Granules(plan.capacity().0 / 2);
        self.heap.set_reserve(self.reserve);
        self.ignored = plan.ignored;
        Ok(())
    }

    #[inline]
    pub unsafe fn alloc(&mut self, layout: Layout) -> *mut u8 {
        match self.alloc_parked(layout) {
            Some(block) => block,
            None => self.alloc_unparked(layout),
        }
    }

    pub unsafe fn alloc_zeroed(&mut self, layout: Layout) -> *mut u8 {
        let (block, dirty) = self.alloc_reporting(layout);
        if !block.is_null() {
            // SAFETY: the block is at least as large as the layout.
            unsafe { block.write_bytes(0, dirty) };
        }
        block
    }

    #[inline]
    pub unsafe fn dealloc(&mut self, block: *mut u8, layout: Layout) {
        if !self.park(block, layout) {
            self.dealloc_unparked(block, layout);
        }
    }

    #[inline]
    pub(crate) fn park(&mut self, block: *mut u8, layout: Layout) -> bool {
        let at = self.heap.span.offset_of(block);
        match Cache::<SMALLBINS_AMOUNT, ALIGNMENT_SUB_BINS_AMOUNT>::class(layout) {
            Some(class) => self.cache.push(self.heap.span, class, at),
            None => false,
        }
    }

    pub(crate) fn dealloc_unparked(&mut self, block: *mut u8, layout: Layout) {
        let at = self.heap.span.offset_of(block);
        self.dealloc_unparked_at(at, layout.size());
    }

    pub unsafe fn realloc(&mut self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller's promise.
        match unsafe { self.resize(block, layout, new_size) } {
            Resized::Here(block) => block,
            Resized::CopyTo(new) => {
                // SAFETY: the new block is another one, and larger, since a
                // smaller size never moves.
                unsafe {
                    new.copy_from_nonoverlapping(block, layout.size());
                    self.dealloc(block, layout);
                }
                new
            }
            Resized::Failed => ptr::null_mut(),
        }
    }

    pub fn check(&self) -> Result<(), CheckError> {
        self.heap.check()?;
        let mut broken = Ok(());
        self.cache.for_each(self.heap.span, |block, size, alignment| {
            let checked = self.heap.check_parked(block, size, alignment);
            broken = broken.and(checked);
        });
        broken
    }

    pub fn stats(&self) -> Stats {
        let mut parked = Granules::ZERO;
        self.cache.for_each(self.heap.span, |_, size, _| parked += size);
        let (capacity, free) = (self.heap.capacity(), self.heap.free_granules());
        Stats {
            capacity: capacity.bytes(),
            live: (capacity - free - parked).bytes(),
            parked: parked.bytes(),
            free: free.bytes(),
            largest_free: self.heap.largest_free().bytes(),
            ignored: self.ignored,
        }
    }

    /// A block from its quick list.
    #[inline]
    pub(crate) fn alloc_parked(&mut self, layout: Layout) -> Option<*mut u8> {
        let class = Cache::<SMALLBINS_AMOUNT, ALIGNMENT_SUB_BINS_AMOUNT>::class(layout)?;
        let block = self.cache.pop(self.heap.span, class)?;
        Some(self.heap.span.pointer_to(block))
    }

    /// A block from the heap, or null.
    #[inline]
    pub(crate) fn alloc_unparked(&mut self, layout: Layout) -> *mut u8 {
        match self.take(layout) {
            Some(block) => self.heap.span.pointer_to(block),
            None => ptr::null_mut(),
        }
    }

    /// A block, and how many of its first bytes may not be zero.
    pub(crate) fn alloc_reporting(&mut self, layout: Layout) -> (*mut u8, usize) {
        if let Some(block) = self.alloc_parked(layout) {
            return (block, layout.size());
        }
        let zero_run = self.heap.zero_run();
        let Some(block) = self.take(layout) else {
            return (ptr::null_mut(), 0);
        };
        let size = Granules::of_block(layout.size());
        let zero = zero_run.is_some_and(|(start, end)| block >= start && block + size <= end);
        (self.heap.span.pointer_to(block), if zero { 0 } else { layout.size() })
    }

    #[inline]
    pub(crate) fn dealloc_unparked_at(&mut self, block: Offset, size: usize) {
        let size = Granules::of_block(size);
        if let Some((block, size)) = self.cache.push_slot(block, size) {
            self.heap.free(block, size);
        }
    }

    /// Resizes a block where it is, or else finds a new one for its content.
    pub(crate) unsafe fn resize(&mut self, block: *mut u8, layout: Layout, new_size: usize) -> Resized {
        let Ok(new_layout) = Layout::from_size_align(new_size, layout.align()) else {
            return Resized::Failed;
        };
        // SAFETY: the caller's promise.
        if unsafe { self.resize_in_place(block, layout.size(), new_size) } {
            return Resized::Here(block);
        }
        if new_size >= GROWING && alignment_of(layout) == 1 {
            if let Some(at) = Granules::holding(new_size).and_then(|size| self.heap.take_with_room(size)) {
                return Resized::CopyTo(self.heap.span.pointer_to(at));
            }
        }
        // SAFETY: as above.
        let new = unsafe { self.alloc(new_layout) };
        if !new.is_null() {
            return Resized::CopyTo(new);
        }
        // SAFETY: as above. What was parked is free now.
        unsafe {
            if self.resize_in_place(block, layout.size(), new_size) {
                return Resized::Here(block);
            }
            self.slide(block, layout, new_size)
        }
    }

    /// Resizes a block where it is, if that is possible; to a smaller size it
    /// always is.
    pub(crate) unsafe fn resize_in_place(&mut self, block: *mut u8, old_size: usize, new_size: usize) -> bool {
        let Some(new) = Granules::holding(new_size) else {
            return false;
        };
        let old = Granules::of_block(old_size);
        let at = self.heap.span.offset_of(block);
        if new > old {
            return self.heap.grow(at, old, new);
        }
        if new < old {
            self.give_back(at + new, old - new);
        }
        true
    }

    /// Parks a run if there is a list for it that is not full, or else frees
    /// it.
    fn give_back(&mut self, at: Offset, size: Granules) {
        if !self.cache.push_run(self.heap.span, at, size) {
            self.heap.free(at, size);
        }
    }

    /// Moves a block down into the free chunk before it, as a last resort.
    unsafe fn slide(&mut self, block: *mut u8, layout: Layout, new_size: usize) -> Resized {
        let Some(new) = Granules::holding(new_size) else {
            return Resized::Failed;
        };
        if alignment_of(layout) > 1 {
            return Resized::Failed;
        }
        let at = self.heap.span.offset_of(block);
        // SAFETY: the caller's promise.
        match unsafe { self.heap.slide(at, Granules::of_block(layout.size()), new, layout.size()) } {
            Some(at) => Resized::Here(self.heap.span.pointer_to(at)),
            None => Resized::Failed,
        }
    }

    #[inline]
    fn take(&mut self, layout: Layout) -> Option<Offset> {
        let request = Request {
            size: Granules::holding(layout.size())?,
            alignment: alignment_of(layout),
        };
        if Cache::<SMALLBINS_AMOUNT, ALIGNMENT_SUB_BINS_AMOUNT>::has_slot(request.size) || request.alignment > 1 {
            let heap = &self.heap;
            if let Some(block) = self.cache.pop_slot(request.size, |block| heap.is_aligned(block, request.alignment)) {
                return Some(block);
            }
        }
        match self.heap.take(request) {
            Some(block) => Some(block),
            None => self.take_beyond(request),
        }
    }

    /// Takes a block from `top`, but drains quick lists first if `top` would
    /// rise past the mark.
    #[inline(never)]
    fn take_beyond(&mut self, request: Request) -> Option<Offset> {
        if !self.was_initialized() {
            return None;
        }
        if self.heap.room().0.saturating_sub(self.reserve.0) < request.size.0 {
            for _ in 0..drain_quota(request.size) {
                let Some((block, size)) = self.cache.pop_any(self.heap.span) else {
                    self.lower_reserve(request.size);
                    break;
                };
                if self.heap.free(block, size) >= request.size {
                    if let Some(block) = self.heap.take(request) {
                        return Some(block);
                    }
                }
            }
            if let Some(block) = self.heap.take(request) {
                return Some(block);
            }
        }
        self.heap.take_from_gap(request).or_else(|| self.take_at_last(request))
    }

    /// Lets the gap shrink by a sixteenth of what is used before lists are
    /// drained again.
    fn lower_reserve(&mut self, size: Granules) {
        let room = self.heap.room().0;
        let used = self.heap.capacity().0 - room;
        self.reserve = Granules(room.saturating_sub(size.0).saturating_sub(used / 16));
        self.heap.set_reserve(self.reserve);
        let ample = room > used;
        self.cache.bound = if ample { u32::MAX } else { ((32 * u64::from(room)) / u64::from(used.max(1))) as u32 + 2 };
        self.cache.largest = if ample { self.cache.largest } else { Granules::ZERO };
    }

    /// Gives back everything that is parked, until the request can be served.
    #[cold]
    fn take_at_last(&mut self, request: Request) -> Option<Offset> {
        while let Some((block, size)) = self.cache.pop_any(self.heap.span) {
            if self.heap.free(block, size) >= request.size {
                let found = self.heap.take(request).or_else(|| self.heap.take_from_gap(request));
                if found.is_some() {
                    return found;
                }
            }
        }
        self.heap.retire_victim();
        self.heap
            .take(request)
            .or_else(|| self.heap.take_from_gap(request))
            .or_else(|| self.heap.take_aligned_among(request, usize::MAX))
    }
}

// SAFETY: an allocator is the only owner of the region that it points into.
unsafe impl<const S: usize, const A: usize> Send for Allocator<S, A> {}
