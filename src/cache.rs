//! Quick lists: freed small blocks, kept as they are for the next request of
//! their size (dlmalloc's fastbins, the 2022 crate's smallbins).
//!
//! There is a list for each size of a few granules and each small alignment.
//! A list's head, and the first granule of each block in it, is a [`Link`]:
//! the place of the next block, and how many granules are parked from there
//! on. So a list knows how much it holds without a count that every operation
//! would have to keep.
//!
//! ```text
//!   lists[alignment][size - 1]      block            block
//!   | at, 3 x size | ────────────> | at, 2 x size |  | at, size | ...
//! ```
//!
//! The heap takes a parked block for an allocated one.

use core::{alloc::Layout, convert::Infallible};

use crate::{
    heap::chunk::Span,
    steps::Counter,
    unit::{GRANULE, Granules, Offset},
};

/// The place of a block and the granules in the list from it on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link(pub u64);

/// Which list a layout's blocks are parked in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Class {
    /// The size in granules, less one.
    pub size: usize,
    /// The alignment's power above a granule's.
    pub alignment: usize,
}

/// A parked block, as [`Cache::try_for_each`] shows it.
pub(crate) struct Parked {
    pub block: Offset,
    pub size: Granules,
    /// What its list says of its alignment, as a power above a granule's.
    pub alignment_log2: usize,
    /// What its link says the list holds from it on, and what it does if the
    /// links before are right.
    pub amount: Granules,
    pub amount_left: Granules,
}

/// How much each list may hold.
pub(crate) trait Bounds {
    /// Nothing, for lists that are asleep.
    const NONE: Self;

    /// The granules at which a list is full.
    fn of(&self, class: Class) -> Granules;

    /// Whether it is known that nothing is parked. All bounds are zero then,
    /// so that the first block to come takes the long way and wakes the lists.
    fn are_asleep(&self) -> bool;

    /// Notes that nothing is parked.
    fn sleep(&mut self);
}

/// The quick lists of `SIZES` sizes and `ALIGNMENTS` alignments each.
#[derive(Debug)]
pub(crate) struct Cache<const SIZES: usize, const ALIGNMENTS: usize, B> {
    lists: [[Link; SIZES]; ALIGNMENTS],
    pub bounds: B,
    /// The list that is drained first.
    cursor: u32,
    /// Lists looked at for a block to drain.
    pub looked: Counter,
}

impl Parked {
    /// A block that is in no list.
    pub fn alone(block: Offset, size: Granules) -> Self {
        Self {
            block,
            size,
            alignment_log2: 0,
            amount: size,
            amount_left: size,
        }
    }
}

impl Link {
    pub const END: Self = Self(0);

    #[inline]
    pub fn new(block: Offset, amount: Granules) -> Self {
        Self(u64::from(block.0) << u32::BITS | u64::from(amount.0))
    }

    /// A link to a block in front of this chain, of blocks of its size.
    #[cfg(all(feature = "spin", target_has_atomic = "32"))]
    #[inline]
    pub fn with_first(self, span: Span, block: Offset, size: Granules) -> Self {
        span.set_link(block, self.0);
        Self::new(block, self.amount() + size)
    }

    /// A link to a block that is known by its address: its distance is
    /// shifted once, not right to an offset and then left.
    #[inline]
    fn to(span: Span, block: *mut u8, amount: Granules) -> Self {
        const SHIFT: u32 = u32::BITS - GRANULE.trailing_zeros();
        let distance = (block.addr() - span.address()) as u64;
        Self(distance << SHIFT | u64::from(amount.0))
    }

    #[inline]
    pub fn block(self) -> Offset {
        Offset((self.0 >> u32::BITS) as u32)
    }

    #[inline]
    pub fn amount(self) -> Granules {
        Granules(self.0 as u32)
    }
}

impl Class {
    /// The size of its blocks.
    #[inline]
    pub fn granules(self) -> Granules {
        Granules(self.size as u32 + 1)
    }
}

impl<const SIZES: usize, const ALIGNMENTS: usize, B: Bounds> Cache<SIZES, ALIGNMENTS, B> {
    pub const fn empty() -> Self {
        const {
            assert!(
                ALIGNMENTS >= 2,
                "ALIGNMENT_SUB_BINS_AMOUNT must be at least 2: one for blocks aligned to 8 bytes \
                 and one for all others"
            );
            assert!(
                ALIGNMENTS <= 64,
                "ALIGNMENT_SUB_BINS_AMOUNT must be at most 64"
            );
        }
        Self {
            lists: [[Link::END; SIZES]; ALIGNMENTS],
            bounds: B::NONE,
            cursor: 0,
            looked: Counter::new(),
        }
    }

    /// The place among the sizes of a layout's, if there are lists for it. A
    /// size of zero has none.
    #[inline]
    fn size(layout: Layout) -> Option<usize> {
        let size = layout.size().wrapping_sub(1) / GRANULE;
        (size < SIZES).then_some(size)
    }

    /// The place of a size's list for an alignment beyond a granule's.
    #[inline]
    fn larger_alignment(align: usize) -> usize {
        let doublings = align.trailing_zeros() - GRANULE.trailing_zeros();
        1 + (doublings as usize - 1).min(ALIGNMENTS - 2)
    }

    /// Takes the block that was parked last for such a layout.
    #[inline]
    pub fn pop(&mut self, span: Span, layout: Layout) -> Option<Offset> {
        let size = Self::size(layout)?;
        if layout.align() <= GRANULE {
            return self.pop_of(span, Class { size, alignment: 0 });
        }
        self.pop_aligned(span, size, layout.align())
    }

    /// Takes the block that was parked last, unless it is not aligned as it
    /// has to be: the last list of a size has blocks of its alignment and of
    /// all larger ones.
    fn pop_aligned(&mut self, span: Span, size: usize, align: usize) -> Option<Offset> {
        let alignment = Self::larger_alignment(align);
        let block = self.lists[alignment][size].block();
        if span.pointer_to(block).addr() & (align - 1) != 0 {
            return None;
        }
        self.pop_of(span, Class { size, alignment })
    }

    /// Takes the block that was parked last for an alignment beyond a
    /// granule's, even if it is not aligned as the layout asks for.
    pub fn pop_any_aligned(&mut self, span: Span, layout: Layout) -> Option<Offset> {
        let size = Self::size(layout)?;
        let alignment = Self::larger_alignment(layout.align());
        self.pop_of(span, Class { size, alignment })
    }

    /// Takes the block that was parked last in a list.
    #[inline]
    pub fn pop_of(&mut self, span: Span, class: Class) -> Option<Offset> {
        let head = &mut self.lists[class.alignment][class.size];
        let block = head.block();
        if block.is_none() {
            return None;
        }
        *head = Link(span.link(block));
        Some(block)
    }

    /// Which list such a layout's blocks are parked in, if there is one.
    #[cfg(all(feature = "spin", target_has_atomic = "32"))]
    #[inline]
    pub fn class_of(layout: Layout) -> Option<Class> {
        let size = Self::size(layout)?;
        let alignment = if layout.align() <= GRANULE {
            0
        } else {
            Self::larger_alignment(layout.align())
        };
        Some(Class { size, alignment })
    }

    /// The granules in a list.
    #[cfg(all(feature = "spin", target_has_atomic = "32"))]
    pub fn held_in(&self, class: Class) -> Granules {
        self.chain(class).amount()
    }

    /// Moves up to so many blocks of a list to the front of a chain, and gives
    /// that; up to the first that is not to be kept. The list's head is written
    /// once.
    #[cfg(all(feature = "spin", target_has_atomic = "32"))]
    #[inline]
    pub fn move_to(
        &mut self,
        span: Span,
        class: Class,
        count: u32,
        mut chain: Link,
        keep: impl Fn(Offset) -> bool,
    ) -> Link {
        let mut head = self.chain(class);
        for _ in 0..count {
            let block = head.block();
            if block.is_none() || !keep(block) {
                break;
            }
            head = Link(span.link(block));
            chain = chain.with_first(span, block, class.granules());
        }
        self.lists[class.alignment][class.size] = head;
        chain
    }

    /// A list as a chain.
    #[cfg(all(feature = "spin", target_has_atomic = "32"))]
    pub fn chain(&self, class: Class) -> Link {
        self.lists[class.alignment][class.size]
    }

    /// Makes a chain of linked blocks a list, instead of what that was.
    #[cfg(all(feature = "spin", target_has_atomic = "32"))]
    pub fn adopt(&mut self, class: Class, chain: Link) {
        self.lists[class.alignment][class.size] = chain;
    }

    /// Parks a block of such a layout, unless its list is full.
    #[inline]
    pub fn push(&mut self, span: Span, layout: Layout, block: *mut u8) -> bool {
        let Some(size) = Self::size(layout) else {
            return false;
        };
        if layout.align() <= GRANULE {
            return self.push_to(span, Class { size, alignment: 0 }, block);
        }
        let alignment = Self::larger_alignment(layout.align());
        self.push_to(span, Class { size, alignment }, block)
    }

    /// Parks a block in a list, unless that is full.
    #[inline]
    fn push_to(&mut self, span: Span, class: Class, block: *mut u8) -> bool {
        let bound = self.bounds.of(class);
        let head = &mut self.lists[class.alignment][class.size];
        if head.amount() >= bound {
            return false;
        }
        span.set_link_at(block, head.0);
        *head = Link::to(span, block, head.amount() + class.granules());
        true
    }

    /// Takes any parked block. Looks at each list once at the most, and at
    /// none if it did so before in vain.
    pub fn pop_any(&mut self, span: Span) -> Option<(Offset, Granules)> {
        if SIZES == 0 || self.bounds.are_asleep() {
            return None;
        }
        let places = (SIZES * ALIGNMENTS) as u32;
        for _ in 0..places {
            self.looked.step();
            let class = Class {
                size: self.cursor as usize / ALIGNMENTS,
                alignment: self.cursor as usize % ALIGNMENTS,
            };
            if let Some(block) = self.pop_of(span, class) {
                return Some((block, class.granules()));
            }
            self.cursor = self.cursor.checked_sub(1).unwrap_or(places - 1);
        }
        self.bounds.sleep();
        None
    }

    /// Calls `visit` with each parked block, as long as it succeeds.
    pub fn try_for_each<E>(
        &self,
        span: Span,
        mut visit: impl FnMut(Parked) -> Result<(), E>,
    ) -> Result<(), E> {
        for (alignment, lists) in self.lists.iter().enumerate() {
            for (size, &head) in lists.iter().enumerate() {
                walk(span, Class { size, alignment }, head, &mut visit)?;
            }
        }
        Ok(())
    }

    /// What all lists hold.
    pub fn parked(&self, span: Span) -> Granules {
        let mut parked = Granules::ZERO;
        let Ok(()) = self.try_for_each(span, |block| {
            parked += block.size;
            Ok::<(), Infallible>(())
        });
        parked
    }
}

/// Calls `visit` with each block of a list, as long as it succeeds. A list
/// that bad use has closed to a ring is left where it holds more than its head
/// says.
pub(crate) fn walk<E>(
    span: Span,
    class: Class,
    head: Link,
    mut visit: impl FnMut(Parked) -> Result<(), E>,
) -> Result<(), E> {
    let (mut link, mut amount_left) = (head, head.amount());
    while !link.block().is_none() {
        visit(Parked {
            block: link.block(),
            size: class.granules(),
            alignment_log2: class.alignment,
            amount: link.amount(),
            amount_left,
        })?;
        if amount_left < class.granules() {
            break;
        }
        amount_left -= class.granules();
        link = Link(span.link(link.block()));
    }
    Ok(())
}
