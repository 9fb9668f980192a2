//! What the allocators without a lock have in common, for the front ends that
//! put one before them.

use core::{alloc::Layout, ptr};

use crate::{
    allocator::{NewBlock, Resized},
    error::InitError,
    heap::{CheckError, chunk::Span},
    stats::Stats,
};

/// An allocator without a lock: an [`Allocator`](crate::Allocator) or a
/// [`TinyAllocator`](crate::TinyAllocator). There can be no others.
#[allow(private_bounds, reason = "so that there can be no others")]
pub trait Unlocked: Operations {}

/// What an [`Unlocked`] allocator does. Where safety is asked for, it is that
/// of the methods of [`Allocator`](crate::Allocator).
pub(crate) trait Operations: Sized {
    const EMPTY: Self;

    /// The memory of the region.
    fn span(&self) -> Span;

    /// Gives the allocator its region, which may be known to be zero.
    unsafe fn claim(
        &mut self,
        start: *mut u8,
        length: usize,
        zeroed: bool,
    ) -> Result<(), InitError>;

    /// A block from where freed ones wait, if they do.
    #[inline]
    fn alloc_parked(&mut self, _layout: Layout) -> Option<*mut u8> {
        None
    }

    /// A block from elsewhere, if it costs little.
    #[inline]
    fn alloc_readily(&mut self, _layout: Layout) -> Option<*mut u8> {
        None
    }

    /// A block from elsewhere, where it was looked for in vain by the two above,
    /// or null.
    fn alloc_unparked(&mut self, layout: Layout) -> *mut u8;

    /// A block from elsewhere, and what of it may not be zero.
    fn alloc_reporting(&mut self, layout: Layout) -> NewBlock {
        NewBlock::dirty(self.alloc_unparked(layout), layout.size())
    }

    /// Lets a freed block wait, if there is where it can.
    #[inline]
    fn park(&mut self, _block: *mut u8, _layout: Layout) -> bool {
        false
    }

    /// Frees a block that was not parked.
    fn dealloc_unparked(&mut self, block: *mut u8, layout: Layout);

    /// Frees a block whose content moved to another one.
    #[inline]
    fn dealloc_moved(&mut self, block: *mut u8, layout: Layout) {
        self.dealloc_unparked(block, layout);
    }

    /// Resizes a block where it is, or else finds a new one for its content.
    unsafe fn resize(&mut self, block: *mut u8, layout: Layout, new_size: usize) -> Resized;

    fn check(&self) -> Result<(), CheckError>;

    fn stats(&self) -> Stats;

    #[inline]
    fn was_initialized(&self) -> bool {
        !self.span().is_empty()
    }

    unsafe fn init(&mut self, heap_start: usize, heap_size: usize) {
        let start = ptr::with_exposed_provenance_mut(heap_start);
        // SAFETY: the caller's promise.
        if let Err(error) = unsafe { self.claim(start, heap_size, false) } {
            panic!("cannot initialize the heap: {error}");
        }
    }

    #[inline]
    fn alloc(&mut self, layout: Layout) -> *mut u8 {
        if let Some(block) = self.alloc_parked(layout) {
            return block;
        }
        match self.alloc_readily(layout) {
            Some(block) => block,
            None => self.alloc_unparked(layout),
        }
    }

    #[inline]
    fn alloc_zeroed(&mut self, layout: Layout) -> *mut u8 {
        let new = match self.alloc_parked(layout) {
            Some(block) => NewBlock::dirty(block, layout.size()),
            None => self.alloc_reporting(layout),
        };
        // SAFETY: the block is new, and at least as large as the layout.
        unsafe { new.clear() };
        new.block
    }

    #[inline]
    fn dealloc(&mut self, block: *mut u8, layout: Layout) {
        if !self.park(block, layout) {
            self.dealloc_unparked(block, layout);
        }
    }

    #[inline]
    unsafe fn realloc(&mut self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller's promise.
        match unsafe { self.resize(block, layout, new_size) } {
            Resized::Here(block) => block,
            Resized::CopyTo(new) => {
                // SAFETY: the new block is another one.
                unsafe { new.copy_from_nonoverlapping(block, layout.size().min(new_size)) };
                self.dealloc_moved(block, layout);
                new
            }
            Resized::Failed => ptr::null_mut(),
        }
    }
}
