//! Slots: large blocks that were freed last, one of a size.
//!
//! Large blocks have too many sizes for a list each, and what is parked of
//! them takes much memory. But many programs free and allocate the same few
//! sizes all the time: a page and a header, the state of a compressor. So
//! sizes are hashed to a few slots, each of which keeps the last block that
//! was freed: one that comes drives out the one that was there.
//!
//! ```text
//!   size ── hash ──► | at, size | at, size |    …    |   a granule each
//! ```
//!
//! The slots are in the region, beside the bins' sentinels. The heap takes a
//! block in a slot for an allocated one, as it does those in lists.

use core::alloc::Layout;

use crate::{
    cache::{Link, Parked},
    heap::{LARGE, chunk::Span},
    unit::{GRANULE, Granules, Offset},
};

/// The largest blocks that are kept: 64 KiB.
const LARGEST: Granules = Granules(1 << 13);

/// Which slots there are, and which hold a block.
#[derive(Debug)]
pub(crate) struct Slots {
    /// The granule of the first one, or none.
    first: u16,
    /// A bit for each that holds a block.
    filled: u16,
}

impl Slots {
    /// How many there are, a granule each.
    pub const AMOUNT: u32 = u16::BITS;

    /// None at all.
    pub const NONE: Self = Self {
        first: 0,
        filled: 0,
    };

    /// Empty ones from a granule on, or none if that is none.
    pub fn new(first: Offset) -> Self {
        debug_assert!(first.0 <= u32::from(u16::MAX));
        Self {
            first: first.0 as u16,
            filled: 0,
        }
    }

    /// Whether blocks of such a layout are kept.
    #[inline]
    pub fn keep(&self, layout: Layout) -> bool {
        (LARGE.bytes()..=LARGEST.bytes()).contains(&layout.size())
            && layout.align() <= GRANULE
            && self.first > 0
    }

    /// Which of the slots a size has: Knuth's multiplicative hash.
    #[inline]
    fn number(size: Granules) -> u32 {
        size.0.wrapping_mul(0x9E37_79B1) >> (u32::BITS - Self::AMOUNT.ilog2())
    }

    #[inline]
    fn place(&self, number: u32) -> Offset {
        Offset(u32::from(self.first) + number)
    }

    #[inline]
    fn read(&self, span: Span, number: u32) -> (Offset, Granules) {
        let link = Link(span.link(self.place(number)));
        (link.block(), link.amount())
    }

    /// Takes the block of a size, if there is one.
    #[inline]
    pub fn take(&mut self, span: Span, size: Granules) -> Option<Offset> {
        let number = Self::number(size);
        if self.filled & 1 << number == 0 {
            return None;
        }
        let (block, found) = self.read(span, number);
        if found != size {
            return None;
        }
        self.filled &= !(1 << number);
        Some(block)
    }

    /// Keeps a block, and gives what was in its slot.
    #[inline]
    pub fn replace(
        &mut self,
        span: Span,
        block: Offset,
        size: Granules,
    ) -> Option<(Offset, Granules)> {
        let number = Self::number(size);
        let driven_out = (self.filled & 1 << number != 0).then(|| self.read(span, number));
        self.filled |= 1 << number;
        span.set_link(self.place(number), Link::new(block, size).0);
        driven_out
    }

    /// Takes any block that is kept.
    #[inline]
    pub fn take_any(&mut self, span: Span) -> Option<(Offset, Granules)> {
        if self.filled == 0 {
            return None;
        }
        let number = self.filled.trailing_zeros();
        self.filled &= self.filled - 1;
        Some(self.read(span, number))
    }

    /// The blocks that are kept.
    pub fn all(&self, span: Span) -> impl Iterator<Item = Parked> {
        (0..Self::AMOUNT)
            .filter(|number| self.filled & 1 << number != 0)
            .map(move |number| {
                let (block, size) = self.read(span, number);
                Parked::alone(block, size)
            })
    }
}
