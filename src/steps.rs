//! The steps of an operation, which are bounded.
//!
//! In debug builds every loop of the library counts its rounds, and each
//! operation asserts at its end that it kept within the bounds that
//! `docs/design.md` states. In other builds nothing of this is left.

#[cfg(all(feature = "spin", target_has_atomic = "32"))]
mod sum;

#[cfg(debug_assertions)]
use core::cell::Cell;

#[cfg(all(feature = "spin", target_has_atomic = "32"))]
pub(crate) use sum::Sum;

/// Counts steps of one kind, in debug builds.
#[derive(Debug)]
#[cfg_attr(test, derive(Clone))]
pub(crate) struct Counter {
    #[cfg(debug_assertions)]
    steps: Cell<u32>,
}

/// A type is not to lose by debug assertions what it has without them.
#[cfg(debug_assertions)]
impl core::panic::RefUnwindSafe for Counter {}

impl Counter {
    pub const fn new() -> Self {
        Self {
            #[cfg(debug_assertions)]
            steps: Cell::new(0),
        }
    }

    /// Counts a step.
    #[inline(always)]
    pub fn step(&self) {
        #[cfg(debug_assertions)]
        self.add(1);
    }

    /// Counts steps.
    #[cfg(debug_assertions)]
    pub fn add(&self, steps: u32) {
        self.steps.set(self.steps.get().saturating_add(steps));
    }

    /// The steps since this was called last.
    #[cfg(debug_assertions)]
    pub fn take(&self) -> u32 {
        self.steps.take()
    }
}

/// An operation that has bounds of its own.
#[cfg(debug_assertions)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Alloc,
    Dealloc,
    Realloc,
}

/// The parked blocks that are drained for one request at the most.
#[cfg(debug_assertions)]
pub(crate) const DRAINED: u32 = 65;

/// As many more may be drained at last, if the allocator is bounded.
#[cfg(debug_assertions)]
pub(crate) const DRAINED_AT_LAST: u32 = 64;

/// What an operation did.
#[cfg(debug_assertions)]
#[derive(Debug, Default)]
pub(crate) struct Steps {
    /// Parked blocks given back.
    pub drained: u32,
    /// Lists looked at for them.
    pub lists: u32,
    /// How often the heap was asked for a block.
    pub tries: u32,
    /// Chunks looked at for one.
    pub looked: u32,
    /// Bins looked at, one after the other, at last.
    pub searched: u32,
    pub unlinked: u32,
    pub linked: u32,
    /// How often the last resort was taken.
    pub last: u32,
}

#[cfg(debug_assertions)]
impl Steps {
    /// Panics if this is more than an operation may do with an allocator that
    /// has so many lists and may be a bounded one.
    pub fn assert_bounded(&self, operation: Operation, lists: usize, bounded: bool) {
        use Operation::{Alloc, Dealloc, Realloc};

        let drained = self.drained;
        let expect = |steps: u32, bound: u32, of: &str| {
            assert!(
                steps <= bound,
                "{operation:?}: {steps} {of} instead of {bound} at most: {self:?}"
            );
        };
        let last = match self.last {
            0 => 0,
            _ if bounded => DRAINED_AT_LAST,
            _ => u32::MAX,
        };
        let (most_drained, tries, unlinked, linked) = match operation {
            Dealloc => (0, 0, 2, 1),
            Alloc => (DRAINED, 2, 3, 3),
            Realloc => (DRAINED, 3, 8, 4),
        };
        expect(drained, last.saturating_add(most_drained), "drained");
        let lists = u32::try_from(2 * lists).unwrap_or(u32::MAX);
        expect(self.lists, drained.saturating_add(lists), "lists");
        expect(self.last, 1, "last resorts");
        expect(self.tries, drained + tries + self.last, "tries");
        expect(self.looked, last.saturating_add(4 * self.tries), "chunks");
        expect(self.searched, last, "bins");
        expect(self.unlinked, 2 * drained + unlinked, "unlinked");
        expect(self.linked, drained + linked, "linked");
    }
}

#[cfg(test)]
mod tests;
