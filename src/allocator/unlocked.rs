//! The allocator as the front ends see it that put a lock before it.

use core::alloc::Layout;

use super::{Allocator, Alone, NewBlock, Resized};
use crate::{
    error::InitError,
    heap::{CheckError, chunk::Span, region::Plan},
    slots::Slots,
    stats::Stats,
    unlocked::{Operations, Unlocked},
};

impl<const S: usize, const A: usize> Unlocked for Allocator<S, A> {}

impl<const S: usize, const A: usize> Operations for Allocator<S, A> {
    const EMPTY: Self = Self::empty();

    #[inline]
    fn span(&self) -> Span {
        self.span()
    }

    unsafe fn claim(
        &mut self,
        start: *mut u8,
        length: usize,
        zeroed: bool,
    ) -> Result<(), InitError> {
        if self.was_initialized() {
            return Err(InitError::AlreadyInitialized);
        }
        let slots = if Self::LISTS { Slots::AMOUNT } else { 0 };
        let plan = Plan::new(start.addr(), length, slots)?;
        self.slots = Slots::new(plan.extra);
        self.ignored = plan.bounds.ignored;
        // SAFETY: the caller's promise, and the plan is this region's.
        unsafe { self.heap.claim(start, plan, zeroed) };
        self.set_ample();
        Ok(())
    }

    #[inline]
    fn alloc_parked(&mut self, layout: Layout) -> Option<*mut u8> {
        self.alloc_parked(layout)
    }

    #[inline(always)]
    fn alloc_readily(&mut self, layout: Layout) -> Option<*mut u8> {
        self.alloc_readily(layout)
    }

    #[inline]
    fn alloc_unparked(&mut self, layout: Layout) -> *mut u8 {
        self.alloc_unparked(layout)
    }

    fn alloc_reporting(&mut self, layout: Layout) -> NewBlock {
        self.alloc_reporting(layout)
    }

    #[inline]
    fn park(&mut self, block: *mut u8, layout: Layout) -> bool {
        self.park(block, layout)
    }

    #[inline]
    fn dealloc_unparked(&mut self, block: *mut u8, layout: Layout) {
        self.dealloc_unparked(block, layout);
    }

    #[inline]
    fn dealloc_moved(&mut self, block: *mut u8, layout: Layout) {
        self.dealloc_moved(block, layout);
    }

    #[inline]
    unsafe fn resize(&mut self, block: *mut u8, layout: Layout, new_size: usize) -> Resized {
        // SAFETY: the caller's promise.
        unsafe { self.resize(block, layout, new_size, &mut Alone) }
    }

    fn check(&self) -> Result<(), CheckError> {
        self.check()
    }

    fn stats(&self) -> Stats {
        self.stats()
    }
}
