//! The unlocked allocator: quick lists and slots in front of a heap.
//!
//! How much is parked in them, and when it is given back, is for the
//! [reserve] to say.

mod front;
mod halving;
mod new_block;
mod reserve;
mod resize;
#[cfg(all(feature = "spin", target_has_atomic = "32"))]
mod spare;
mod unlocked;

use core::{alloc::Layout, ptr};

pub(crate) use front::{Alone, Front};
use halving::Halving;
pub(crate) use new_block::NewBlock;
pub(crate) use resize::Resized;
#[cfg(all(feature = "spin", target_has_atomic = "32"))]
pub(crate) use spare::LINE;

#[cfg(all(feature = "spin", target_has_atomic = "32"))]
use crate::steps::Sum;
#[cfg(debug_assertions)]
use crate::steps::{Operation, Steps};
use crate::{
    cache::{Bounds, Cache, Parked},
    error::InitError,
    heap::{CheckError, Heap, LARGE, NEVER_EXACT, Request},
    poison,
    slots::Slots,
    stats::Stats,
    steps::Counter,
    unit::{Granules, Offset, alignment_of},
    unlocked::Operations,
};

/// The amount of smallbins that an allocator has unless told otherwise: lists
/// for sizes of up to 4 KiB. The README has the table that it was chosen by.
pub const DEFAULT_SMALLBINS_AMOUNT: usize = 512;

/// The amount of sub-bins per smallbin that an allocator has unless told
/// otherwise: one for blocks aligned to 8 bytes, one for all others.
pub const DEFAULT_ALIGNMENT_SUB_BINS_AMOUNT: usize = 2;

/// Up to this many bytes are copied rather than a chunk is cut or joined, and
/// while a lock is held. A block that grows to more is moved to where it has
/// room to grow on, if there is such a place; and if its content outgrew it, it
/// is not parked: what grows from size to size seldom comes back to one.
pub(crate) const CHEAPLY_COPIED: usize = 1024;

/// A memory allocator over one region, without a lock.
///
/// `SMALLBINS_AMOUNT` is the number of sizes, in steps of 8 bytes, whose
/// freed blocks are kept in lists of their own for the next request of that
/// size. `ALIGNMENT_SUB_BINS_AMOUNT` is the number of lists per size, told
/// apart by alignment: 8, 16, 32, … bytes, the last one with all larger ones.
/// More of either is faster, and makes the struct larger: it takes
/// `SMALLBINS_AMOUNT * ALIGNMENT_SUB_BINS_AMOUNT * 8` bytes and about 120
/// more. Of larger sizes up to 64 KiB, the last freed blocks of about 16 are
/// kept too. With 0 smallbins nothing is ever parked and every freed block
/// coalesces at once. Fewer than 2 or more than 64 sub-bins do not compile.
///
/// It does not point into itself and may be moved at any time.
///
/// # Time complexity
///
/// [`dealloc`](Self::dealloc), and [`realloc`](Self::realloc) besides
/// copying, take a bounded time, whatever the heap holds: up to two chunks
/// are unlinked and one is linked. So does [`alloc`](Self::alloc), in which 65
/// parked blocks are given back at the most, except where a request is about
/// to fail: then all of them are, and the chunks that may be large enough are
/// looked at one by one. An allocator made by [`bounded`](Self::bounded) does
/// neither. The first time that memory is used, one bit for every 8 bytes of
/// it is cleared, unless the region was [zeroed](Self::try_init_zeroed).
///
/// # Example
///
/// ```
/// use core::alloc::Layout;
/// use good_memory_allocator::Allocator;
///
/// let mut region = [0u64; 512];
/// let mut allocator = Allocator::<32>::empty();
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
pub struct Allocator<
    const SMALLBINS_AMOUNT: usize = DEFAULT_SMALLBINS_AMOUNT,
    const ALIGNMENT_SUB_BINS_AMOUNT: usize = DEFAULT_ALIGNMENT_SUB_BINS_AMOUNT,
> {
    cache: Cache<SMALLBINS_AMOUNT, ALIGNMENT_SUB_BINS_AMOUNT, Halving>,
    heap: Heap,
    slots: Slots,
    /// Bytes of the region that are beyond what a heap can span.
    ignored: usize,
    bounded: bool,
    /// How often everything parked was to be given back.
    last_resorts: Counter,
    /// Parked blocks given back.
    drained: Counter,
    /// What was done for the CPU that has the lock.
    #[cfg(all(feature = "spin", target_has_atomic = "32"))]
    pub(crate) sum: Sum,
}

impl<const SMALLBINS_AMOUNT: usize, const ALIGNMENT_SUB_BINS_AMOUNT: usize>
    Allocator<SMALLBINS_AMOUNT, ALIGNMENT_SUB_BINS_AMOUNT>
{
    /// Whether there are quick lists. Without them the policy has nothing to
    /// decide, and its code is left out.
    const LISTS: bool = SMALLBINS_AMOUNT > 0;

    /// An allocator without memory, to which every request is in vain until
    /// it is given some.
    pub const fn empty() -> Self {
        Self {
            cache: Cache::empty(),
            heap: Heap::empty(),
            slots: Slots::NONE,
            ignored: 0,
            bounded: false,
            last_resorts: Counter::new(),
            drained: Counter::new(),
            #[cfg(all(feature = "spin", target_has_atomic = "32"))]
            sum: Sum::new(),
        }
    }

    /// As [`empty`](Self::empty), but of an allocator for hard real time: a
    /// request gives back at most 65 parked blocks, and before it fails 64
    /// more, and looks at most at 64 chunks for a place. It may thus fail
    /// although what is parked would make room for it; the next request goes
    /// on where it stopped.
    pub const fn bounded() -> Self {
        let mut allocator = Self::empty();
        allocator.bounded = true;
        allocator
    }

    /// Whether the allocator was given its region.
    #[inline]
    pub fn was_initialized(&self) -> bool {
        !self.heap.is_empty()
    }

    /// Gives the allocator its region: `heap_size` bytes at the address
    /// `heap_start`, of which at most 32 GiB are used; [`Stats::ignored`]
    /// tells if there were more.
    ///
    /// Where a pointer to the region exists, [`try_init`](Self::try_init) is
    /// better: it keeps the pointer's provenance and returns its errors.
    ///
    /// # Panics
    ///
    /// Panics, and leaves the allocator as it was, where `try_init` gives an
    /// error: if the allocator was initialized before, the region is too
    /// small for the heap's tables and a block, begins at address 0, or goes
    /// on beyond the end of the address space.
    ///
    /// # Safety
    ///
    /// The region is valid for reads and writes, its provenance was exposed,
    /// and nothing else uses it while the allocator or any of its blocks is
    /// in use.
    pub unsafe fn init(&mut self, heap_start: usize, heap_size: usize) {
        // SAFETY: the caller's promise.
        unsafe { Operations::init(self, heap_start, heap_size) }
    }

    /// Gives the allocator its region: `length` bytes at `start`, of which at
    /// most 32 GiB are used; [`Stats::ignored`] tells if there were more.
    /// Neither need be aligned. Little of the region is touched until it is
    /// used, however large it is.
    ///
    /// # Errors
    ///
    /// See [`InitError`]. The allocator is then as it was.
    ///
    /// # Safety
    ///
    /// The region is valid for reads and writes, and nothing else uses it
    /// while the allocator or any of its blocks is in use.
    pub unsafe fn try_init(&mut self, start: *mut u8, length: usize) -> Result<(), InitError> {
        // SAFETY: the caller's promise.
        unsafe { self.claim(start, length, false) }
    }

    /// As [`try_init`](Self::try_init), for a region all of whose bytes are
    /// zero: fresh pages of an operating system, for example. Then
    /// [`alloc_zeroed`](Self::alloc_zeroed) does not touch memory that was
    /// never used, and the heap need not clear its own tables.
    ///
    /// # Errors
    ///
    /// See [`InitError`]. The allocator is then as it was.
    ///
    /// # Safety
    ///
    /// As for `try_init`, and the region's bytes are zero.
    pub unsafe fn try_init_zeroed(
        &mut self,
        start: *mut u8,
        length: usize,
    ) -> Result<(), InitError> {
        // SAFETY: the caller's promise.
        unsafe { self.claim(start, length, true) }
    }

    /// Allocates a block of `layout.size()` bytes, rounded up to 8, at a
    /// multiple of `layout.align()`. A size of zero gets a block of 8 bytes.
    /// Gives null if there is no room, whatever size and alignment are asked
    /// for.
    ///
    /// # Safety
    ///
    /// None of its own; it is `unsafe` because [`GlobalAlloc`]'s is and the
    /// block must be treated accordingly.
    ///
    /// [`GlobalAlloc`]: core::alloc::GlobalAlloc
    #[inline]
    pub unsafe fn alloc(&mut self, layout: Layout) -> *mut u8 {
        Operations::alloc(self, layout)
    }

    /// As [`alloc`](Self::alloc), with the block's first `layout.size()`
    /// bytes zero.
    ///
    /// # Safety
    ///
    /// As for `alloc`.
    pub unsafe fn alloc_zeroed(&mut self, layout: Layout) -> *mut u8 {
        Operations::alloc_zeroed(self, layout)
    }

    /// Frees a block.
    ///
    /// # Safety
    ///
    /// The block was allocated by this allocator with this layout, or resized
    /// to its size, and was not freed since. Nothing uses it any more.
    #[inline]
    pub unsafe fn dealloc(&mut self, block: *mut u8, layout: Layout) {
        Operations::dealloc(self, block, layout);
    }

    /// Resizes a block to `new_size` bytes at the same alignment, and gives
    /// where it then is: where it was if that is possible, as it always is if
    /// the size shrinks, or else elsewhere with its content copied. From one
    /// size of up to 1 KiB to another, a parked block of the new size is
    /// preferred. Gives null if there is no room; the block is then as it was.
    ///
    /// # Safety
    ///
    /// As for [`dealloc`](Self::dealloc), except that the block may be used
    /// if it was not moved.
    pub unsafe fn realloc(&mut self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller's promise.
        unsafe { Operations::realloc(self, block, layout, new_size) }
    }

    /// Walks the whole heap, every free chunk and parked block, and proves
    /// that what it says of itself in several places agrees.
    ///
    /// It takes time in proportion to the heap's use and is meant for tests
    /// and for hunting down a program's misuse.
    ///
    /// # Errors
    ///
    /// The first invariant that does not hold.
    pub fn check(&self) -> Result<(), CheckError> {
        self.heap.check()?;
        self.check_cache(&self.cache)?;
        let mut kept = self.slots.all(self.heap.span());
        kept.try_for_each(|block| self.check_parked(block))
    }

    /// What the heap holds, by a walk over its free chunks and parked blocks.
    pub fn stats(&self) -> Stats {
        let span = self.heap.span();
        let mut parked = self.cache.parked(span);
        for block in self.slots.all(span) {
            parked += block.size;
        }
        let (capacity, free) = (self.heap.capacity(), self.heap.free_granules());
        let largest_free = self.heap.largest_free();
        // This is no operation that is bounded.
        #[cfg(debug_assertions)]
        self.steps();
        Stats {
            capacity: capacity.bytes(),
            live: Granules(capacity.0.saturating_sub(free.0).saturating_sub(parked.0)).bytes(),
            parked: parked.bytes(),
            free: free.bytes(),
            largest_free: largest_free.bytes(),
            ignored: self.ignored,
        }
    }

    /// The memory of the region.
    #[inline]
    pub(crate) fn span(&self) -> crate::heap::chunk::Span {
        self.heap.span()
    }

    /// As [`check`](Self::check), for quick lists in front of this allocator.
    pub(crate) fn check_cache<B: Bounds>(
        &self,
        cache: &Cache<SMALLBINS_AMOUNT, ALIGNMENT_SUB_BINS_AMOUNT, B>,
    ) -> Result<(), CheckError> {
        cache.try_for_each(self.heap.span(), |parked| self.check_parked(parked))
    }

    /// As [`check_cache`](Self::check_cache), for one parked block.
    pub(crate) fn check_parked(&self, parked: Parked) -> Result<(), CheckError> {
        self.heap.check_parked(parked)
    }

    /// Frees a block without parking it.
    #[inline(never)]
    pub(crate) fn free(&mut self, block: Offset, size: Granules) {
        self.heap.free(block, size);
        #[cfg(debug_assertions)]
        self.assert_bounded(Operation::Dealloc);
        self.relax();
    }

    /// A block from its quick list.
    #[inline]
    pub(crate) fn alloc_parked(&mut self, layout: Layout) -> Option<*mut u8> {
        // Read once: for all that the compiler knows, a list's new head may
        // have changed it.
        let span = self.heap.span();
        let block = span.pointer_to(self.cache.pop(span, layout)?);
        poison::give(block, layout.size());
        Some(block)
    }

    /// A small block from the heap, if it costs little, or a large one from its
    /// slot. Without lists, most small blocks are chunks of just their size, and
    /// this is in vain.
    #[inline(always)]
    pub(crate) fn alloc_readily(&mut self, layout: Layout) -> Option<*mut u8> {
        if !Self::LISTS || alignment_of(layout) > 1 {
            return None;
        }
        let block = if layout.size() < NEVER_EXACT.bytes() {
            self.heap.take_readily(Granules::of_block(layout.size()))
        } else {
            self.take_slotted(layout)
        }?;
        Some(self.give(block, layout.size()))
    }

    /// A large block from its slot.
    #[inline]
    fn take_slotted(&mut self, layout: Layout) -> Option<Offset> {
        if !self.slots.keep(layout) {
            return None;
        }
        let size = Granules::of_block(layout.size());
        self.slots.take(self.heap.span(), size)
    }

    /// A block from the heap, which is not to be had readily, or null.
    #[inline]
    pub(crate) fn alloc_unparked(&mut self, layout: Layout) -> *mut u8 {
        let taken =
            Request::of(layout).and_then(|request| self.take_unkept(layout, request, &mut Alone));
        #[cfg(debug_assertions)]
        self.assert_bounded(Operation::Alloc);
        match taken {
            Some(block) => self.give(block, layout.size()),
            None => ptr::null_mut(),
        }
    }

    /// The block at a place, for its new user.
    #[inline]
    fn give(&self, at: Offset, size: usize) -> *mut u8 {
        let block = self.heap.span().pointer_to(at);
        poison::give(block, size);
        block
    }

    /// Puts a block into its quick list, if there is one and it is not full.
    #[inline]
    pub(crate) fn park(&mut self, block: *mut u8, layout: Layout) -> bool {
        let span = self.heap.span();
        poison::expect_open(block, layout.size());
        let parks = self.cache.push(span, layout, block);
        if parks {
            poison::take_back(block, layout.size());
        }
        parks
    }

    /// Parks a block whose list was asleep or that has none, or frees it.
    #[inline]
    pub(crate) fn dealloc_unparked(&mut self, block: *mut u8, layout: Layout) {
        if Self::LISTS && self.cache.bounds.wake() && self.park(block, layout) {
            return;
        }
        if Self::LISTS && self.slots.keep(layout) && self.is_ample() {
            self.keep_block(block, layout);
        } else {
            self.free_block(block, layout);
        }
    }

    /// Frees a block whose content moved to another one: to the heap, unless
    /// it is small, so that its neighbours can grow into it.
    pub(crate) fn dealloc_moved(&mut self, block: *mut u8, layout: Layout) {
        if layout.size() > CHEAPLY_COPIED {
            self.free_block(block, layout);
        } else if !self.park(block, layout) {
            self.dealloc_unparked(block, layout);
        }
    }

    /// Frees a block to the heap.
    fn free_block(&mut self, block: *mut u8, layout: Layout) {
        let (at, size) = self.take_back(block, layout);
        self.free(at, size);
    }

    /// Where a block was and how long, which is nobody's from now on.
    #[inline]
    fn take_back(&self, block: *mut u8, layout: Layout) -> (Offset, Granules) {
        poison::take_back(block, layout.size());
        let at = self.heap.span().offset_of(block);
        (at, Granules::of_block(layout.size()))
    }

    /// Keeps a large block in its slot, and frees the one that was there.
    #[inline]
    fn keep_block(&mut self, block: *mut u8, layout: Layout) {
        let (at, size) = self.take_back(block, layout);
        if let Some((at, size)) = self.slots.replace(self.heap.span(), at, size) {
            self.free(at, size);
        }
    }

    /// Takes a block that was kept, or one from the heap.
    #[inline]
    fn take(&mut self, layout: Layout, front: &mut impl Front) -> Option<Offset> {
        let request = Request::of(layout)?;
        match self.take_kept(request, front) {
            Some(block) => Some(block),
            None => self.take_unkept(layout, request, front),
        }
    }

    /// Takes a large block from its slot. For an alignment, there is none.
    #[inline]
    fn take_kept(&mut self, request: Request, front: &mut impl Front) -> Option<Offset> {
        if !Self::LISTS || request.size < LARGE || request.alignment > 1 {
            return None;
        }
        let span = self.heap.span();
        front
            .take_kept(span, request.size)
            .or_else(|| self.slots.take(span, request.size))
    }

    /// Takes a block from the heap.
    #[inline]
    fn take_unkept(
        &mut self,
        layout: Layout,
        request: Request,
        front: &mut impl Front,
    ) -> Option<Offset> {
        if !self.heap.is_hopeless(request.size) {
            let spared = self.take_spared(layout, request, front);
            if spared.is_some() {
                return spared;
            }
        }
        self.take_beyond_reserve(request, front)
    }

    /// Takes a block from the heap if the reserve can spare it.
    #[inline]
    fn take_spared(
        &mut self,
        layout: Layout,
        request: Request,
        front: &mut impl Front,
    ) -> Option<Offset> {
        if Self::LISTS && request.alignment > 1 {
            self.free_misaligned(layout, front);
        }
        self.heap.take(request)
    }

    /// Frees the parked block that was too little aligned for a request: it
    /// would be so for the next one too, and more would come.
    #[inline(never)]
    fn free_misaligned(&mut self, layout: Layout, front: &mut impl Front) {
        let span = self.heap.span();
        let parked = front
            .pop_any_aligned(span, layout)
            .or_else(|| self.cache.pop_any_aligned(span, layout));
        if let Some(block) = parked {
            self.drained.step();
            self.heap.free(block, Granules::of_block(layout.size()));
        }
    }

    /// Asserts that an operation that ends here kept within its bounds.
    #[cfg(debug_assertions)]
    fn assert_bounded(&self, operation: Operation) {
        let lists = SMALLBINS_AMOUNT * ALIGNMENT_SUB_BINS_AMOUNT;
        let steps = self.steps();
        steps.assert_bounded(operation, lists, self.bounded);
        #[cfg(all(feature = "spin", target_has_atomic = "32"))]
        self.sum.add(operation, &steps);
    }

    /// What was done since this was called last.
    #[cfg(debug_assertions)]
    fn steps(&self) -> Steps {
        self.heap.steps(Steps {
            drained: self.drained.take(),
            lists: self.cache.looked.take(),
            last: self.last_resorts.take(),
            ..Steps::default()
        })
    }
}

// SAFETY: an allocator is the only owner of the region that it points into.
unsafe impl<const S: usize, const A: usize> Send for Allocator<S, A> {}

#[cfg(test)]
mod tests;
