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
//! The heap takes a parked block for an allocated one.

use core::alloc::Layout;

use crate::{
    heap::chunk::Span,
    unit::{GRANULE, Granules, Offset},
};

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

/// The quick lists of `SIZES` sizes and `ALIGNMENTS` alignments each.
#[derive(Debug)]
pub(crate) struct Cache<const SIZES: usize, const ALIGNMENTS: usize> {
    lists: [[Link; ALIGNMENTS]; SIZES],
    /// The most blocks in a list.
    pub bound: u32,
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
            assert!(ALIGNMENTS <= 64, "ALIGNMENT_SUB_BINS_AMOUNT must be at most 64");
        }
        Self {
            lists: [[Link::END; ALIGNMENTS]; SIZES],
            bound: 0,
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
        let alignment = (layout.align().trailing_zeros() - GRANULE.trailing_zeros()) as usize;
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

    /// Takes any parked block. Looks at each list once at the most.
    pub fn pop_any(&mut self, span: Span) -> Option<(Offset, Granules)> {
        for _ in 0..SIZES * ALIGNMENTS {
            let class = Class { size: self.cursor / ALIGNMENTS, alignment: self.cursor % ALIGNMENTS };
            if let Some(block) = self.pop(span, class) {
                return Some((block, Granules(class.size as u32 + 1)));
            }
            self.cursor = self.cursor.checked_sub(1).unwrap_or(SIZES * ALIGNMENTS - 1);
        }
        None
    }

    /// Calls `visit` with the place, size and alignment's power of each
    /// parked block.
    pub fn for_each(&self, span: Span, mut visit: impl FnMut(Offset, Granules, usize)) {
        for (size, lists) in self.lists.iter().enumerate() {
            for (alignment, &head) in lists.iter().enumerate() {
                let mut link = head;
                while !link.block().is_none() {
                    visit(link.block(), Granules(size as u32 + 1), alignment);
                    link = Link(span.link(link.block()));
                }
            }
        }
    }
}
