//! Quick lists: freed small blocks, kept as they are for the next request of
//! their size (dlmalloc's fastbins, the 2022 crate's smallbins).
//!
//! There is a list for each size of a few granules and each small alignment.
//! A list's head, and the first granule of each block in it, is a [`Link`]:
//! the place of the next block, and how many follow. So a list knows its
//! length without a count that every operation would have to keep.
//!
//! ```text
//!   lists[size - 1][alignment]      block          block
//!   | at, 2 | ───────────────────> | at, 1 | ───> | none, 0 |
//! ```
//!
//! A block of a size or an alignment that has no list is put into its size's
//! *slot*, which has room for one.
//!
//! The heap takes a parked block for an allocated one.

use core::alloc::Layout;

use crate::{
    heap::chunk::Span,
    unit::{GRANULE, Granules, Offset},
};

/// What `realloc` cuts off a block is parked if it is not longer than this.
const LONGEST_REST: usize = 64;

/// The place of a block and the depth of the list from it on.
#[derive(Clone, Copy, Debug)]
struct Link(u64);

/// Which list a layout's blocks are parked in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Class {
    /// The size in granules, less one.
    size: usize,
    /// The alignment's power above a granule's.
    alignment: usize,
}

/// One block of a size that has no list.
#[derive(Clone, Copy, Debug)]
struct Slot {
    block: Offset,
    size: Granules,
}

impl Slot {
    const EMPTY: Self = Self {
        block: Offset::NONE,
        size: Granules::ZERO,
    };
}

/// A parked block, as [`Cache::try_for_each`] shows it.
pub(crate) struct Parked {
    pub block: Offset,
    pub size: Granules,
    /// What its list says of its alignment, as a power above a granule's.
    pub alignment_log2: usize,
    /// What its link says of the list's depth from it on, and what that is.
    pub depth: u32,
    pub depth_left: u32,
}

/// The quick lists of `SIZES` sizes and `ALIGNMENTS` alignments each.
#[derive(Debug)]
pub(crate) struct Cache<const SIZES: usize, const ALIGNMENTS: usize> {
    lists: [[Link; ALIGNMENTS]; SIZES],
    slots: [Slot; SIZES],
    /// The largest block that a slot takes.
    pub largest: Granules,
    /// The most blocks in a list.
    length: u32,
    /// The same, but zero while it is known that nothing is parked, so that
    /// the first block to come takes the long way and wakes the lists.
    bound: u32,
    /// Whether something may be parked.
    awake: bool,
    /// The list that is drained first.
    cursor: usize,
}

impl Link {
    const END: Self = Self(0);

    #[inline]
    fn new(block: Offset, depth: u32) -> Self {
        Self(u64::from(block.0) << u32::BITS | u64::from(depth))
    }

    #[inline]
    fn block(self) -> Offset {
        Offset((self.0 >> u32::BITS) as u32)
    }

    #[inline]
    fn depth(self) -> u32 {
        self.0 as u32
    }
}

impl<const SIZES: usize, const ALIGNMENTS: usize> Cache<SIZES, ALIGNMENTS> {
    pub const fn empty() -> Self {
        const {
            assert!(
                ALIGNMENTS >= 2,
                "ALIGNMENT_SUB_BINS_AMOUNT must be at least 2: one for blocks aligned to 8 bytes \
                 and one for blocks aligned to 16"
            );
            assert!(
                ALIGNMENTS <= 64,
                "ALIGNMENT_SUB_BINS_AMOUNT must be at most 64"
            );
        }
        Self {
            lists: [[Link::END; ALIGNMENTS]; SIZES],
            slots: [Slot::EMPTY; SIZES],
            largest: Granules::ZERO,
            length: 0,
            bound: 0,
            awake: false,
            cursor: 0,
        }
    }

    /// The list of a layout, if there is one for it. A size of zero has none.
    #[inline]
    pub fn class(layout: Layout) -> Option<Class> {
        let size = layout.size().wrapping_add(GRANULE - 1) / GRANULE;
        let size = size.wrapping_sub(1);
        if size >= SIZES {
            return None;
        }
        if layout.align() <= GRANULE {
            return Some(Class { size, alignment: 0 });
        }
        Self::aligned_class(size, layout.align())
    }

    /// The rarer case, laid out after the other: most layouts are satisfied
    /// with a granule's alignment.
    #[cold]
    #[inline]
    fn aligned_class(size: usize, align: usize) -> Option<Class> {
        let alignment = (align.trailing_zeros() - GRANULE.trailing_zeros()) as usize;
        (alignment < ALIGNMENTS).then_some(Class { size, alignment })
    }

    /// Takes the block that was parked last.
    #[inline]
    pub fn pop(&mut self, span: Span, class: Class) -> Option<Offset> {
        let head = &mut self.lists[class.size][class.alignment];
        let block = head.block();
        if block.is_none() {
            return None;
        }
        *head = Link(span.link(block));
        Some(block)
    }

    /// Parks a block, unless its list is full.
    #[inline]
    pub fn push(&mut self, span: Span, class: Class, block: Offset) -> bool {
        let head = &mut self.lists[class.size][class.alignment];
        let depth = head.depth();
        if depth >= self.bound {
            return false;
        }
        span.set_link(block, head.0);
        *head = Link::new(block, depth + 1);
        true
    }

    /// The most blocks in a list.
    #[inline]
    pub fn length(&self) -> u32 {
        self.length
    }

    /// Sets the most blocks in a list.
    pub fn set_length(&mut self, length: u32) {
        self.length = length;
        self.bound = if self.awake { length } else { 0 };
    }

    /// Wakes lists that were asleep, if they may have any length.
    #[inline]
    pub fn wake(&mut self) -> bool {
        let wakes = !self.awake && self.length > 0;
        if wakes {
            self.set_awake(true);
        }
        wakes
    }

    fn set_awake(&mut self, awake: bool) {
        self.awake = awake;
        self.set_length(self.length);
    }

    /// Parks a run that need not be a block that was asked for, unless there
    /// is no list for it or the list is full.
    pub fn push_run(&mut self, span: Span, at: Offset, size: Granules) -> bool {
        let size = size.0 as usize - 1;
        if size >= SIZES || size >= LONGEST_REST {
            return false;
        }
        self.wake();
        self.push(span, Class { size, alignment: 0 }, at)
    }

    /// The slot of a size, by Fibonacci hashing (Knuth).
    #[inline]
    fn slot(size: Granules) -> usize {
        (size.0.wrapping_mul(0x9E37_79B1) >> 16) as usize % SIZES
    }

    /// Takes a block of just this size from its slot, if `fits` it.
    #[inline]
    pub fn pop_slot(
        &mut self,
        size: Granules,
        fits: impl FnOnce(Offset) -> bool,
    ) -> Option<Offset> {
        if SIZES == 0 {
            return None;
        }
        let slot = &mut self.slots[Self::slot(size)];
        if slot.size != size || !fits(slot.block) {
            return None;
        }
        let block = slot.block;
        *slot = Slot::EMPTY;
        Some(block)
    }

    /// Puts a block into its size's slot, and gives back what must be freed.
    #[inline]
    pub fn push_slot(&mut self, block: Offset, size: Granules) -> Option<(Offset, Granules)> {
        if SIZES == 0 || size > self.largest {
            return Some((block, size));
        }
        self.set_awake(true);
        let slot = &mut self.slots[Self::slot(size)];
        let old = core::mem::replace(slot, Slot { block, size });
        (old.size > Granules::ZERO).then_some((old.block, old.size))
    }

    /// Takes any parked block. Looks at each list once at the most, and at
    /// none if it did so before in vain.
    pub fn pop_any(&mut self, span: Span) -> Option<(Offset, Granules)> {
        if !self.awake {
            return None;
        }
        let places = SIZES * (ALIGNMENTS + 1);
        for _ in 0..places {
            let (size, alignment) = (
                self.cursor / (ALIGNMENTS + 1),
                self.cursor % (ALIGNMENTS + 1),
            );
            let parked = if alignment == ALIGNMENTS {
                self.empty_slot(size)
            } else {
                self.pop(span, Class { size, alignment })
                    .map(|block| (block, Granules(size as u32 + 1)))
            };
            if parked.is_some() {
                return parked;
            }
            self.cursor = self.cursor.checked_sub(1).unwrap_or(places - 1);
        }
        self.set_awake(false);
        None
    }

    fn empty_slot(&mut self, index: usize) -> Option<(Offset, Granules)> {
        let slot = core::mem::replace(&mut self.slots[index], Slot::EMPTY);
        (slot.size > Granules::ZERO).then_some((slot.block, slot.size))
    }

    /// Calls `visit` with each parked block, as long as it succeeds. A list
    /// that bad use has closed to a ring is left one block after where its
    /// depth says it ends.
    pub fn try_for_each<E>(
        &self,
        span: Span,
        mut visit: impl FnMut(Parked) -> Result<(), E>,
    ) -> Result<(), E> {
        for slot in self.slots.iter().filter(|slot| slot.size > Granules::ZERO) {
            visit(Parked {
                block: slot.block,
                size: slot.size,
                alignment_log2: 0,
                depth: 1,
                depth_left: 1,
            })?;
        }
        for (size, lists) in self.lists.iter().enumerate() {
            for (alignment_log2, &head) in lists.iter().enumerate() {
                let mut link = head;
                for depth_left in (0..=head.depth()).rev() {
                    if link.block().is_none() {
                        break;
                    }
                    visit(Parked {
                        block: link.block(),
                        size: Granules(size as u32 + 1),
                        alignment_log2,
                        depth: link.depth(),
                        depth_left,
                    })?;
                    link = Link(span.link(link.block()));
                }
            }
        }
        Ok(())
    }
}
