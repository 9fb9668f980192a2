//! Large blocks that a CPU freed, kept for its next requests of their sizes.
//!
//! The slots are those of the plain allocator, the same code, but that each
//! keeps several blocks of its size, as a chain: a CPU that frees some before it
//! allocates as many again does so without the heap's lock.
//!
//! ```text
//!   size ── hash ──► | at, size | at, size |    …    |   in the CPU's cache
//!                        │
//!                     block ──► block ──► block          all of that size
//! ```

use core::alloc::Layout;

use super::{exchange::BATCH, outbox::head_of};
use crate::{
    cache::{Class, Link, Parked, walk},
    heap::{LARGE, chunk::Span},
    slots::{self, Places, Slots},
    sync::MODEL,
    unit::{Granules, Offset},
};

/// The smallest blocks that are kept.
const LEAST: Granules = if MODEL { Granules(3) } else { LARGE };

/// What part of what its lists may hold a CPU may keep of large blocks.
const LARGE_OF_BUDGET: u32 = if MODEL { 1 } else { 4 };

/// Slots in a CPU's cache.
#[derive(Debug)]
struct InCache([Link; Slots::AMOUNT as usize]);

/// The large blocks that a CPU keeps.
#[derive(Debug)]
pub(super) struct Large {
    slots: Slots<InCache>,
    /// The granules in all of them.
    amount: Granules,
}

/// How much may stay for a block that comes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    size: Granules,
    /// Of its size.
    alike: Granules,
    /// In all.
    all: Granules,
}

impl Places for InCache {
    #[inline]
    fn read(&self, _: Span, number: u32) -> Link {
        self.0[number as usize]
    }

    #[inline]
    fn write(&mut self, _: Span, number: u32, kept: Link) {
        self.0[number as usize] = kept;
    }
}

/// A size's chain, of which the first block is known.
fn chain(span: Span, first: Offset, size: Granules) -> Link {
    head_of(span, first, class(size))
}

fn class(size: Granules) -> Class {
    Class {
        size: size.0 as usize - 1,
        alignment: 0,
    }
}

/// What a CPU may keep of large blocks whose lists may hold so much.
pub(super) fn most_of(budget: Granules) -> Granules {
    Granules(budget.0 / LARGE_OF_BUDGET)
}

/// What may be kept of blocks of a size, where all may be so much: as many as
/// move at once.
fn most_alike(size: Granules, most: Granules) -> Granules {
    Granules(most.0.min(BATCH * size.0))
}

/// Whether a block of such a layout may have been kept.
#[inline]
pub(super) fn may_be_kept(layout: Layout) -> bool {
    slots::are_kept(layout, LEAST)
}

/// Whether a block of such a layout is kept, where that much may be: not one for
/// which all others would have to go.
#[inline]
pub(super) fn is_kept(layout: Layout, most: Granules) -> bool {
    layout.size() <= most.bytes() / 2 && may_be_kept(layout)
}

impl Large {
    pub const NONE: Self = Self {
        slots: Slots::at(InCache([Link::END; Slots::AMOUNT as usize])),
        amount: Granules::ZERO,
    };

    /// The granules that are kept.
    pub fn amount(&self) -> Granules {
        self.amount
    }

    /// Takes the block of a size that was kept last.
    pub fn take(&mut self, span: Span, size: Granules) -> Option<Offset> {
        let block = self.slots.take(span, size)?;
        self.leave(span, block, size);
        Some(block)
    }

    /// Takes any block that is kept.
    pub fn take_any(&mut self, span: Span) -> Option<(Offset, Granules)> {
        let (block, size) = self.slots.take_any(span)?;
        self.leave(span, block, size);
        Some((block, size))
    }

    /// Keeps what was behind a block that was taken out of its slot.
    fn leave(&mut self, span: Span, block: Offset, size: Granules) {
        self.amount -= size;
        let next = Link(span.link(block)).block();
        if !next.is_none() {
            self.slots.replace(span, next, size);
        }
    }

    /// Keeps a block if there is room for it as it is, where all may be so much.
    /// Gives whether there was.
    pub fn put(&mut self, span: Span, block: Offset, size: Granules, most: Granules) -> bool {
        let alike = match self.slots.at_size(span, size) {
            None => Link::END,
            Some((first, alike)) if alike == size => chain(span, first, size),
            Some(_) => return false,
        };
        if alike.amount() + size > most_alike(size, most) || self.amount + size > most {
            return false;
        }
        self.slots.replace(span, block, size);
        span.set_link(block, alike.0);
        self.amount += size;
        true
    }

    /// How much may stay for a block, where all may be so much: of its size half
    /// of the most, or all if the block has room then, and of others what it
    /// leaves.
    pub fn room(&self, span: Span, size: Granules, most: Granules) -> Room {
        let full = most_alike(size, most);
        let alike = match self.slots.at_size(span, size) {
            Some((first, alike)) if alike == size => chain(span, first, size).amount(),
            _ => Granules::ZERO,
        };
        let fits = alike + size <= full;
        Room {
            size,
            alike: if fits { full } else { Granules(full.0 / 2) },
            all: most - size,
        }
    }

    /// Takes a block that has to go for another: one of another size in its
    /// slot, or of its own, or any.
    pub fn take_excess(&mut self, span: Span, room: &Room) -> Option<(Offset, Granules)> {
        if let Some((first, size)) = self.slots.at_size(span, room.size) {
            let stays = size == room.size && chain(span, first, size).amount() <= room.alike;
            if !stays {
                self.take(span, size);
                return Some((first, size));
            }
        }
        if self.amount > room.all {
            return self.take_any(span);
        }
        None
    }

    /// Calls `visit` with each block that is kept, as long as it succeeds.
    pub fn try_for_each<E>(
        &self,
        span: Span,
        mut visit: impl FnMut(Parked) -> Result<(), E>,
    ) -> Result<(), E> {
        self.slots
            .all(span)
            .try_for_each(|Parked { block, size, .. }| {
                walk(span, class(size), chain(span, block, size), &mut visit)
            })
    }
}
