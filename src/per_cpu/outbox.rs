//! Chains of blocks that a CPU puts out for any other to take.

use super::tally::{Step, Tally};
use crate::{
    cache::{Class, Link, Parked, walk},
    heap::chunk::Span,
    sync::{AtomicU32, AtomicUsize, Ordering},
    unit::{Granules, Offset},
};

/// A CPU's outbox: beside each of its lists a place for a chain, halves of the
/// list that were cut off when it was full (a magazine in a depot, as Bonwick
/// has it). A CPU whose list is empty takes the whole chain, by one swap,
/// without the heap's lock and without a look at each block.
///
/// Only who holds the CPU's cache puts something out, so that a place that is
/// empty stays so until then. Who takes something holds a cache, this one or
/// another: one who holds all of them sees all chains stay where they are.
#[derive(Debug)]
#[repr(align(128))]
pub(super) struct Outbox<const S: usize, const A: usize> {
    /// The place of each chain's first block; 0 if there is no chain.
    chains: [[AtomicU32; A]; S],
    /// The granules in all of them. It falls a little later than they do.
    amount: AtomicU32,
    /// The list whose chain is drained first.
    cursor: AtomicUsize,
}

impl<const S: usize, const A: usize> Outbox<S, A> {
    pub const fn empty() -> Self {
        Self {
            chains: [const { [const { AtomicU32::new(0) }; A] }; S],
            amount: AtomicU32::new(0),
            cursor: AtomicUsize::new(0),
        }
    }

    fn place(&self, class: Class) -> &AtomicU32 {
        &self.chains[class.size][class.alignment]
    }

    /// The granules that are out; exactly, for who holds all caches.
    pub fn amount(&self) -> Granules {
        Granules(self.amount.load(Ordering::Relaxed))
    }

    /// Whether a chain may be put out.
    fn has_room(&self, class: Class) -> bool {
        self.place(class).load(Ordering::Relaxed) == 0
    }

    /// Puts a chain out, where there is room.
    pub fn put(&self, class: Class, chain: Link) {
        debug_assert!(self.has_room(class), "a chain was lost");
        self.amount.fetch_add(chain.amount().0, Ordering::Relaxed);
        self.place(class).store(chain.block().0, Ordering::Release);
    }

    /// Takes a chain, if there is one. Only then is the span asked for: the
    /// heap may have been given its memory just before the chain was put out.
    pub fn take(
        &self,
        span: impl FnOnce() -> Span,
        class: Class,
        tally: Tally<'_>,
    ) -> Option<Link> {
        tally.step(Step::Outbox);
        if self.has_room(class) {
            return None;
        }
        let first = Offset(self.place(class).swap(0, Ordering::Acquire));
        if first.is_none() {
            return None;
        }
        let chain = head_of(span(), first, class);
        self.amount.fetch_sub(chain.amount().0, Ordering::Relaxed);
        Some(chain)
    }

    /// Takes any block that is out. Looks at each place once at the most, and
    /// at none if nothing is out. Only for who may put something out.
    pub fn pop_any(&self, span: Span, tally: Tally<'_>) -> Option<(Offset, Granules)> {
        let mut number = self.cursor.load(Ordering::Relaxed);
        if self.amount() == Granules::ZERO {
            return None;
        }
        for _ in 0..S * A {
            let class = Class {
                size: number / A,
                alignment: number % A,
            };
            if let Some(chain) = self.take(|| span, class, tally) {
                let block = chain.block();
                let rest = Link(span.link(block));
                if !rest.block().is_none() {
                    self.put(class, rest);
                }
                return Some((block, class.granules()));
            }
            number = (number + 1) % (S * A);
            self.cursor.store(number, Ordering::Relaxed);
        }
        None
    }

    /// Calls `visit` with each block that is out, as long as it succeeds. Only
    /// for who holds all caches.
    pub fn try_for_each<E>(
        &self,
        span: Span,
        mut visit: impl FnMut(Parked) -> Result<(), E>,
    ) -> Result<(), E> {
        for (size, places) in self.chains.iter().enumerate() {
            for (alignment, place) in places.iter().enumerate() {
                let first = Offset(place.load(Ordering::Acquire));
                if !first.is_none() {
                    let class = Class { size, alignment };
                    walk(span, class, head_of(span, first, class), &mut visit)?;
                }
            }
        }
        Ok(())
    }
}

/// The head of a list, of which the first block is known.
pub(super) fn head_of(span: Span, first: Offset, class: Class) -> Link {
    let behind = Link(span.link(first)).amount();
    Link::new(first, behind + class.granules())
}
