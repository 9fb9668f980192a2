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
//! An allocator's slots are in the region, beside the bins' sentinels; those of
//! a CPU's cache are in the cache. The heap takes a block in a slot for an
//! allocated one, as it does those in lists.

use core::alloc::Layout;

use crate::{
    cache::{Link, Parked},
    heap::{LARGE, chunk::Span},
    unit::{GRANULE, Granules, Offset},
};

/// The largest blocks that are kept: 64 KiB.
const LARGEST: Granules = Granules(1 << 13);

/// Where slots are: what each says of its block.
pub(crate) trait Places {
    fn read(&self, span: Span, number: u32) -> Link;

    fn write(&mut self, span: Span, number: u32, kept: Link);
}

/// Slots in the region, from a granule on, or none if that is none.
#[derive(Debug)]
pub(crate) struct InRegion {
    first: u16,
}

/// The slots, and which of them hold a block.
#[derive(Debug)]
pub(crate) struct Slots<P = InRegion> {
    places: P,
    /// A bit for each that holds a block.
    filled: u16,
}

/// Whether blocks of such a layout are kept, where the smallest are so large.
#[inline]
pub(crate) fn are_kept(layout: Layout, least: Granules) -> bool {
    (least.bytes()..=LARGEST.bytes()).contains(&layout.size()) && layout.align() <= GRANULE
}

impl InRegion {
    #[inline]
    fn place(&self, number: u32) -> Offset {
        Offset(u32::from(self.first) + number)
    }
}

impl Places for InRegion {
    #[inline]
    fn read(&self, span: Span, number: u32) -> Link {
        Link(span.link(self.place(number)))
    }

    #[inline]
    fn write(&mut self, span: Span, number: u32, kept: Link) {
        span.set_link(self.place(number), kept.0);
    }
}

impl Slots {
    /// How many there are, a granule each.
    pub const AMOUNT: u32 = u16::BITS;

    /// None at all.
    pub const NONE: Self = Self::at(InRegion { first: 0 });

    /// Empty ones from a granule on, or none if that is none.
    pub fn new(first: Offset) -> Self {
        debug_assert!(first.0 <= u32::from(u16::MAX));
        Self::at(InRegion {
            first: first.0 as u16,
        })
    }

    /// Whether blocks of such a layout are kept here.
    #[inline]
    pub fn keep(&self, layout: Layout) -> bool {
        are_kept(layout, LARGE) && self.places.first > 0
    }
}

impl<P> Slots<P> {
    /// Empty ones.
    pub const fn at(places: P) -> Self {
        Self { places, filled: 0 }
    }
}

impl<P: Places> Slots<P> {
    /// Which of the slots a size has: Knuth's multiplicative hash.
    #[inline]
    fn number(size: Granules) -> u32 {
        size.0.wrapping_mul(0x9E37_79B1) >> (u32::BITS - Slots::AMOUNT.ilog2())
    }

    #[inline]
    fn read(&self, span: Span, number: u32) -> (Offset, Granules) {
        let link = self.places.read(span, number);
        (link.block(), link.amount())
    }

    /// The block in the slot of a size, which may be of another.
    #[inline]
    pub fn at_size(&self, span: Span, size: Granules) -> Option<(Offset, Granules)> {
        let number = Self::number(size);
        (self.filled & 1 << number != 0).then(|| self.read(span, number))
    }

    /// Takes the block of a size, if there is one.
    #[inline]
    pub fn take(&mut self, span: Span, size: Granules) -> Option<Offset> {
        let (block, found) = self.at_size(span, size)?;
        if found != size {
            return None;
        }
        self.filled &= !(1 << Self::number(size));
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
        let driven_out = self.at_size(span, size);
        let number = Self::number(size);
        self.filled |= 1 << number;
        self.places.write(span, number, Link::new(block, size));
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
        (0..Slots::AMOUNT)
            .filter(|number| self.filled & 1 << number != 0)
            .map(move |number| {
                let (block, size) = self.read(span, number);
                Parked::alone(block, size)
            })
    }
}
