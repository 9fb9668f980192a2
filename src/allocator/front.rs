//! Quick lists in front of an allocator.

use core::alloc::Layout;

use crate::{
    heap::chunk::Span,
    unit::{Granules, Offset},
};

/// Quick lists in front of an allocator's own, which are used and drained
/// before them.
pub(crate) trait Front {
    /// Takes the block that was parked last for such a layout.
    fn pop(&mut self, span: Span, layout: Layout) -> Option<Offset>;

    /// Takes the block that was parked last for an alignment beyond a
    /// granule's, even if it is not aligned as the layout asks for.
    fn pop_any_aligned(&mut self, span: Span, layout: Layout) -> Option<Offset>;

    /// Takes the large block of a size that was kept last.
    fn take_kept(&mut self, span: Span, size: Granules) -> Option<Offset>;

    /// Takes any parked block.
    fn pop_any(&mut self, span: Span) -> Option<(Offset, Granules)>;
}

/// No lists in front.
pub(crate) struct Alone;

impl Front for Alone {
    #[inline]
    fn pop(&mut self, _: Span, _: Layout) -> Option<Offset> {
        None
    }

    #[inline]
    fn pop_any_aligned(&mut self, _: Span, _: Layout) -> Option<Offset> {
        None
    }

    #[inline]
    fn take_kept(&mut self, _: Span, _: Granules) -> Option<Offset> {
        None
    }

    #[inline]
    fn pop_any(&mut self, _: Span) -> Option<(Offset, Granules)> {
        None
    }
}
