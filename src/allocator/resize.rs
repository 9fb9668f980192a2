//! Resizing: in place where that is cheaper than to copy, or else to where the
//! block can grow on.

use core::alloc::Layout;

use super::{Allocator, CHEAPLY_COPIED, Front};
#[cfg(debug_assertions)]
use crate::steps::Operation;
use crate::{
    poison,
    unit::{Granules, Offset, alignment_of},
};

/// What becomes of a block that is to change its size.
pub(crate) enum Resized {
    /// It has, and is here.
    Here(*mut u8),
    /// Its content must be copied to the new block here, and it be freed.
    CopyTo(*mut u8),
    /// It cannot.
    Failed,
}

impl<const SMALLBINS_AMOUNT: usize, const ALIGNMENT_SUB_BINS_AMOUNT: usize>
    Allocator<SMALLBINS_AMOUNT, ALIGNMENT_SUB_BINS_AMOUNT>
{
    /// Resizes a block where it is, or else finds a new one for its content.
    ///
    /// # Safety
    ///
    /// As for [`realloc`](Self::realloc).
    #[inline]
    pub(crate) unsafe fn resize(
        &mut self,
        block: *mut u8,
        layout: Layout,
        new_size: usize,
        front: &mut impl Front,
    ) -> Resized {
        match self.alloc_to_copy(layout, new_size, front) {
            Some(new) => Resized::CopyTo(new),
            // SAFETY: the caller's promise.
            None => unsafe { self.resize_unparked(block, layout, new_size, front) },
        }
    }

    /// A parked block for content that is cheaply copied.
    #[inline]
    fn alloc_to_copy(
        &mut self,
        layout: Layout,
        new_size: usize,
        front: &mut impl Front,
    ) -> Option<*mut u8> {
        let is_cheap = layout.size().max(new_size) <= CHEAPLY_COPIED && self.is_ample();
        if !is_cheap || Granules::of_block(new_size) == Granules::of_block(layout.size()) {
            return None;
        }
        let new_layout = Layout::from_size_align(new_size, layout.align()).ok()?;
        let parked = self.pop_for(new_layout, front)?;
        Some(self.give(parked, new_size))
    }

    /// Does what `resize` does where no parked block is copied to.
    ///
    /// # Safety
    ///
    /// As for [`realloc`](Self::realloc).
    unsafe fn resize_unparked(
        &mut self,
        block: *mut u8,
        layout: Layout,
        new_size: usize,
        front: &mut impl Front,
    ) -> Resized {
        // SAFETY: the caller's promise.
        let resized = unsafe { self.try_resize(block, layout, new_size, front) };
        #[cfg(debug_assertions)]
        self.assert_bounded(Operation::Realloc);
        resized
    }

    /// Does what `resize_unparked` does.
    ///
    /// # Safety
    ///
    /// As for [`realloc`](Self::realloc).
    #[inline]
    unsafe fn try_resize(
        &mut self,
        block: *mut u8,
        layout: Layout,
        new_size: usize,
        front: &mut impl Front,
    ) -> Resized {
        let Ok(new_layout) = Layout::from_size_align(new_size, layout.align()) else {
            return Resized::Failed;
        };
        let Some(new_granules) = Granules::holding(new_size) else {
            return Resized::Failed;
        };
        poison::expect_open(block, layout.size());
        let at = self.heap.span().offset_of(block);
        let granules = Granules::of_block(layout.size());
        let here = |block| {
            poison::resize(block, layout.size(), new_size);
            Resized::Here(block)
        };
        if new_granules == granules {
            return here(block);
        }
        if self.resize_in_place(at, granules, new_granules) {
            self.free_one_parked(new_layout, front);
            return here(block);
        }
        // What grows by jumps is not filled bit by bit.
        let grows_on = new_granules.0 / 2 <= granules.0;
        if let Some(new) = self.take_to_grow(new_layout, new_granules, grows_on, front) {
            return Resized::CopyTo(self.give(new, new_size));
        }
        // In vain, everything that was parked is free now.
        if self.heap.grow(at, granules, new_granules) {
            return here(block);
        }
        if alignment_of(layout) > 1 {
            return Resized::Failed;
        }
        // SAFETY: the caller's promise.
        match unsafe { self.heap.slide(at, granules, new_granules, layout.size()) } {
            Some(at) => here(self.heap.span().pointer_to(at)),
            None => Resized::Failed,
        }
    }

    /// Gives a block another size where it is, if that is possible; to a
    /// smaller one it always is.
    fn resize_in_place(&mut self, at: Offset, old: Granules, new: Granules) -> bool {
        if new > old {
            return self.heap.grow(at, old, new);
        }
        self.heap.free_rest(at + new, old - new);
        true
    }

    /// Frees a parked block of a size that another block just got where it is.
    /// Else a program whose blocks change their size would have more and more
    /// parked of the sizes that it frees, and cut anew those that it allocates.
    fn free_one_parked(&mut self, layout: Layout, front: &mut impl Front) {
        if let Some(parked) = self.pop_for(layout, front) {
            self.heap.free(parked, Granules::of_block(layout.size()));
        }
    }

    /// Takes a block for content that grew out of its own.
    pub(super) fn take_to_grow(
        &mut self,
        layout: Layout,
        size: Granules,
        grows_on: bool,
        front: &mut impl Front,
    ) -> Option<Offset> {
        let half_free = self.heap.free_granules().0 >= self.heap.capacity().0 / 2;
        let is_large = layout.size() > CHEAPLY_COPIED && alignment_of(layout) == 1;
        if half_free && is_large && grows_on {
            let roomy = self.heap.take_with_room(size);
            if roomy.is_some() {
                return roomy;
            }
        }
        match self.pop_for(layout, front) {
            Some(parked) => Some(parked),
            None => self.take(layout, front),
        }
    }

    /// Takes a parked block for content that is to move.
    #[inline]
    fn pop_for(&mut self, layout: Layout, front: &mut impl Front) -> Option<Offset> {
        let span = self.heap.span();
        front
            .pop(span, layout)
            .or_else(|| self.cache.pop(span, layout))
    }
}
