//! What an operation of a `PerCpuAllocator` does, over all that it comes to:
//! caches, outboxes, the deferred list, the heap.
//!
//! In debug builds each operation counts its steps on its own stack, where
//! nobody else counts, and asserts at its end that it kept within the bounds
//! that `docs/many-cpus.md` states. In other builds nothing of this is left.

#[cfg(debug_assertions)]
pub(super) mod bounds;

#[cfg(not(debug_assertions))]
use core::marker::PhantomData;

#[cfg(debug_assertions)]
pub(super) use bounds::Limits;

use crate::steps::{Counter, Sum};

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A cache tried, or waited for.
    Cache,
    /// A bit looked at that tells whose outbox may have something.
    Hint,
    /// A place in an outbox looked into.
    Outbox,
    /// A list of a cache looked at for any block.
    List,
    /// A list looked at for a grant to revoke.
    Grant,
    /// A block put into a list, or moved from one to a chain, in a batch.
    Moved,
    /// A block of a list or a chain given back.
    Returned,
    /// The heap's lock taken.
    Lock,
    /// A deferred block freed.
    Settled,
    /// All caches taken back.
    Reclaim,
    /// The heap asked for a block or a run.
    Alloc,
    /// A block freed to the heap.
    Free,
    /// The heap asked to resize a block.
    Resize,
    /// A parked block that the heap drained.
    Drained,
    /// The heap's last resort.
    LastResort,
}

#[cfg(debug_assertions)]
impl Step {
    const ALL: [Self; 15] = [
        Self::Cache,
        Self::Hint,
        Self::Outbox,
        Self::List,
        Self::Grant,
        Self::Moved,
        Self::Returned,
        Self::Lock,
        Self::Settled,
        Self::Reclaim,
        Self::Alloc,
        Self::Free,
        Self::Resize,
        Self::Drained,
        Self::LastResort,
    ];
}

/// An operation that has bounds of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Alloc,
    AllocZeroed,
    Dealloc,
    Realloc,
}

/// What an operation did so far.
#[derive(Debug)]
pub(super) struct Work {
    #[cfg(debug_assertions)]
    counts: [Counter; Step::ALL.len()],
}

/// Where an operation's steps are counted.
#[derive(Clone, Copy)]
pub(super) struct Tally<'a> {
    #[cfg(debug_assertions)]
    work: Option<&'a Work>,
    #[cfg(not(debug_assertions))]
    work: PhantomData<&'a Work>,
}

impl Work {
    #[inline(always)]
    pub fn new() -> Self {
        Self {
            #[cfg(debug_assertions)]
            counts: [const { Counter::new() }; Step::ALL.len()],
        }
    }

    #[inline(always)]
    pub fn tally(&self) -> Tally<'_> {
        Tally {
            #[cfg(debug_assertions)]
            work: Some(self),
            #[cfg(not(debug_assertions))]
            work: PhantomData,
        }
    }
}

impl Tally<'_> {
    /// Of what is no operation that is bounded.
    pub const NONE: Self = Self {
        #[cfg(debug_assertions)]
        work: None,
        #[cfg(not(debug_assertions))]
        work: PhantomData,
    };

    /// Counts a step.
    #[inline(always)]
    pub fn step(self, step: Step) {
        self.steps(step, 1);
    }

    /// Counts several steps.
    #[inline(always)]
    pub fn steps(self, step: Step, count: u32) {
        #[cfg(debug_assertions)]
        self.add(step, count);
        let _ = (step, count);
    }

    /// Takes over what a list or a heap has counted.
    #[inline(always)]
    pub fn take(self, step: Step, counter: &Counter) {
        #[cfg(debug_assertions)]
        self.add(step, counter.take());
        let _ = (step, counter);
    }

    /// Takes over what the heap has done.
    #[inline(always)]
    pub fn take_sum(self, sum: &Sum) {
        self.take(Step::Alloc, &sum.allocs);
        self.take(Step::Free, &sum.frees);
        self.take(Step::Resize, &sum.resizes);
        self.take(Step::Drained, &sum.drained);
        self.take(Step::LastResort, &sum.last);
    }

    #[cfg(debug_assertions)]
    fn add(self, step: Step, steps: u32) {
        if let Some(work) = self.work {
            work.counts[step as usize].add(steps);
        }
    }
}
