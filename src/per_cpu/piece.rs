//! Free memory that a CPU has for itself, to cut blocks from.

use core::alloc::Layout;

use crate::{
    cache::{Class, Link, Parked},
    heap::chunk::Span,
    unit::{Granules, Offset},
};

/// A piece of the heap's gap, from which lists are filled without the heap's
/// lock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    pub start: Offset,
    pub size: Granules,
}

impl Piece {
    pub const NONE: Self = Self {
        start: Offset::NONE,
        size: Granules::ZERO,
    };

    /// Puts up to so many blocks for such a layout in front of a chain, and
    /// gives that. They come from the piece's end: what is left of it lies next
    /// to the gap.
    pub fn cut(
        &mut self,
        span: Span,
        class: Class,
        layout: Layout,
        count: u32,
        mut chain: Link,
    ) -> Link {
        let size = class.granules();
        let end = span.pointer_to(self.start + self.size).addr();
        if (end | size.bytes()) & (layout.align() - 1) != 0 {
            return chain;
        }
        let count = count.min(self.size.0 / size.0);
        self.size = Granules(self.size.0 - size.0 * count);
        // The last is used first, as if one block were cut at a time.
        let mut block = self.start + self.size;
        for _ in 0..count {
            chain = chain.with_first(span, block, size);
            block += size;
        }
        chain
    }

    /// What is left, as a parked block.
    pub fn as_parked(&self) -> Option<Parked> {
        (self.size > Granules::ZERO).then(|| Parked::alone(self.start, self.size))
    }

    /// Takes what is left.
    pub fn take(&mut self) -> Option<(Offset, Granules)> {
        let Self { start, size } = core::mem::replace(self, Self::NONE);
        (size > Granules::ZERO).then_some((start, size))
    }
}
