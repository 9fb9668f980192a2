//! The bounds of `docs/many-cpus.md`, as code.

use super::{
    Operation::{self, Alloc, AllocZeroed, Dealloc, Realloc},
    Step, Work,
};
use crate::{
    per_cpu::{
        LOOKED_INTO, NEIGHBOURS, exchange::BATCH, granted::LOOKED_AT, shared::SETTLED_AT_ONCE,
    },
    steps::{DRAINED, DRAINED_AT_LAST},
};

/// The runs of which half a list is cut at the most, for blocks of 1 KiB, each
/// of which is one.
const RUNS: u32 = BATCH / 2;

/// How many new pieces are taken for a request, and old ones freed.
const PIECES: u32 = 1;

/// What the bounds depend on.
pub(in crate::per_cpu) struct Limits {
    pub cpus: usize,
    /// A cache's lists.
    pub lists: usize,
    pub bounded: bool,
}

/// How often each step was done.
#[derive(Clone, Copy, Debug)]
pub(in crate::per_cpu) struct Counts([u32; Step::ALL.len()]);

impl Work {
    /// What was done since this was called last.
    pub(in crate::per_cpu) fn taken(&self) -> Counts {
        Counts(self.counts.each_ref().map(|counter| counter.take()))
    }
}

impl Counts {
    /// Steps of one kind.
    pub fn of(&self, step: Step) -> u32 {
        self.0[step as usize]
    }

    /// Panics if this is more than an operation may do.
    pub fn assert_bounded(&self, operation: Operation, limits: &Limits) {
        // Most operations do next to nothing.
        for step in Step::ALL.into_iter().filter(|&step| self.of(step) > 0) {
            let (done, most) = (self.of(step), self.most(step, operation, limits));
            assert!(
                done <= most,
                "{operation:?}: {done} of {step:?} instead of {most} at most: {:?}",
                Step::ALL.map(|step| (step, self.of(step)))
            );
        }
    }

    /// How often a step may be done by an operation that did the others so
    /// often.
    fn most(&self, step: Step, operation: Operation, limits: &Limits) -> u32 {
        // One that moves a block does what is done to allocate and to free.
        let (allocs, frees) = match operation {
            Alloc | AllocZeroed => (1, 0),
            Dealloc => (0, 1),
            Realloc => (1, 1),
        };
        let zeroed = u32::from(operation == AllocZeroed);
        let resizes = u32::from(operation == Realloc);
        let reclaims = self.of(Step::Reclaim);
        // How often one CPU's lists are drained, the own ones or in turn.
        let cpus = limits.cpus as u32 * reclaims;
        let fronts = allocs + resizes + cpus;
        let requests = allocs + zeroed + resizes + reclaims;
        let (taken_back, all) = match reclaims {
            0 => (0, 0),
            _ => (self.of(Step::Returned), u32::MAX),
        };
        let lists = (2 * limits.lists as u32)
            .saturating_mul(fronts)
            .saturating_add(self.of(Step::Drained))
            .saturating_add(taken_back);
        let at_last = if limits.bounded {
            DRAINED_AT_LAST
        } else {
            u32::MAX
        };
        match step {
            Step::Cache => (1 + NEIGHBOURS as u32) * (allocs + frees) + resizes + cpus,
            Step::Hint => (LOOKED_INTO as u32 + 1) * allocs,
            Step::Outbox => lists.saturating_add((LOOKED_INTO as u32 + 2) * allocs + 2 * frees),
            Step::List => lists,
            Step::Grant => LOOKED_AT as u32 * (allocs + frees),
            Step::Moved => BATCH * (allocs + frees),
            Step::Returned => all.saturating_add(4 * BATCH * allocs + 5 * BATCH * frees),
            Step::Lock => {
                let in_turn = cpus + reclaims + taken_back / BATCH;
                2 * allocs + zeroed + frees + resizes + in_turn
            }
            Step::Settled => all.saturating_add(SETTLED_AT_ONCE as u32 * self.of(Step::Lock)),
            Step::Reclaim if limits.bounded => 0,
            Step::Reclaim => allocs + resizes,
            Step::Alloc => (PIECES + RUNS) * allocs + reclaims,
            Step::Free => {
                let given_back = self.of(Step::Returned) + self.of(Step::Settled);
                given_back + frees + PIECES * allocs
            }
            Step::Resize => (1 + reclaims) * resizes,
            Step::Drained => (DRAINED * requests)
                .saturating_add(at_last.saturating_mul(self.of(Step::LastResort))),
            Step::LastResort => requests,
        }
    }
}

#[cfg(test)]
mod tests;
