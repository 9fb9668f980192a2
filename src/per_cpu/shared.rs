//! The heap that all CPUs share.

use core::{
    alloc::Layout,
    ops::{Deref, DerefMut},
};

use lock_api::{Mutex, MutexGuard, RawMutex};

use super::{
    deferred::{Chain, Deferred},
    tally::{Step, Tally},
};
use crate::{
    allocator::Allocator,
    cache::Link,
    heap::chunk::Span,
    poison,
    sync::{AtomicU32, AtomicUsize, Ordering},
    unit::{Granules, Offset},
};

/// The most deferred blocks that are freed by one who took the lock for
/// something else.
pub(super) const SETTLED_AT_ONCE: usize = 64;

/// An allocator behind a lock, and what can be done without the lock.
#[derive(Debug)]
#[repr(align(128))]
pub(super) struct Shared<R: RawMutex, const S: usize, const A: usize> {
    owned: Mutex<R, Owned<S, A>>,
    deferred: Deferred,
    notices: Notices,
}

/// What all CPUs read, and seldom anybody writes: apart from the lock, whose
/// line is always on its way.
#[derive(Debug)]
#[repr(align(128))]
struct Notices {
    /// How many are taking back what the CPUs' caches hold.
    reclaiming: AtomicUsize,
    /// The granules that each CPU's cache may hold.
    budget: AtomicU32,
    /// The granules of large blocks that it may hold besides.
    large: AtomicU32,
}

/// What the lock guards.
#[derive(Debug)]
pub(super) struct Owned<const S: usize, const A: usize> {
    allocator: Allocator<S, A>,
    /// Blocks that were deferred and taken over, and are still to be freed.
    backlog: Offset,
}

/// The allocator, with the lock held.
pub(super) struct Held<'a, R: RawMutex, const S: usize, const A: usize>(
    MutexGuard<'a, R, Owned<S, A>>,
    Tally<'a>,
);

/// While it lives, caches are taken back: none may be filled.
pub(super) struct Reclaim<'a>(&'a AtomicUsize);

impl<R: RawMutex, const S: usize, const A: usize> Shared<R, S, A> {
    pub const fn new(lock: R, allocator: Allocator<S, A>) -> Self {
        Self {
            owned: Mutex::from_raw(lock, Owned::new(allocator)),
            deferred: Deferred::empty(),
            notices: Notices {
                reclaiming: AtomicUsize::new(0),
                budget: AtomicU32::new(0),
                large: AtomicU32::new(0),
            },
        }
    }

    /// Waits for the lock.
    pub fn lock<'a>(&'a self, tally: Tally<'a>) -> Held<'a, R, S, A> {
        self.settled(self.owned.lock(), tally)
    }

    /// Takes the lock if it is free.
    pub fn try_lock<'a>(&'a self, tally: Tally<'a>) -> Option<Held<'a, R, S, A>> {
        let owned = self.owned.try_lock()?;
        Some(self.settled(owned, tally))
    }

    /// Frees some deferred blocks, which mostly are none.
    #[inline]
    fn settled<'a>(
        &'a self,
        owned: MutexGuard<'a, R, Owned<S, A>>,
        tally: Tally<'a>,
    ) -> Held<'a, R, S, A> {
        tally.step(Step::Lock);
        let mut held = Held(owned, tally);
        if !(held.0.backlog.is_none() && self.deferred.is_empty()) {
            self.settle(&mut held, SETTLED_AT_ONCE);
        }
        held
    }

    /// What each CPU's cache may hold, as it was said last.
    pub fn budget(&self) -> Granules {
        Granules(self.notices.budget.load(Ordering::Relaxed))
    }

    /// What it may hold of large blocks, as it was said last.
    pub fn most_large(&self) -> Granules {
        Granules(self.notices.large.load(Ordering::Relaxed))
    }

    /// Says what each CPU's cache may hold, and what of large blocks.
    pub fn set_budget(&self, budget: Granules, large: Granules) {
        if budget != self.budget() {
            self.notices.budget.store(budget.0, Ordering::Relaxed);
        }
        if large != self.most_large() {
            self.notices.large.store(large.0, Ordering::Relaxed);
        }
    }

    /// Frees a block without the lock: whoever takes it next does the rest.
    pub fn defer(&self, span: Span, block: *mut u8, layout: Layout) {
        let size = Granules::of_block(layout.size());
        poison::take_back(block, layout.size());
        self.defer_chain(span, Chain::of_one(span.offset_of(block), size));
    }

    /// As [`defer`](Self::defer), for several blocks.
    pub fn defer_chain(&self, span: Span, blocks: Chain) {
        self.deferred.push(span, blocks);
    }

    /// Frees deferred blocks, so many at the most.
    #[cold]
    #[inline(never)]
    fn settle(&self, held: &mut Held<'_, R, S, A>, most: usize) {
        let (owned, tally) = (&mut *held.0, held.1);
        if owned.backlog.is_none() {
            owned.backlog = self.deferred.take_all();
        }
        owned.settle(most, tally);
    }

    /// Frees all blocks whose deferral is over by now.
    pub fn settle_all(&self, held: &mut Held<'_, R, S, A>) {
        let (owned, tally) = (&mut *held.0, held.1);
        owned.settle(usize::MAX, tally);
        owned.backlog = self.deferred.take_all();
        owned.settle(usize::MAX, tally);
    }

    /// Says that caches are to be taken back, until the answer is dropped.
    pub fn reclaim(&self) -> Reclaim<'_> {
        self.notices.reclaiming.fetch_add(1, Ordering::Relaxed);
        Reclaim(&self.notices.reclaiming)
    }

    /// Whether caches are being taken back. One who holds a cache that was
    /// taken back already, and is woken by nobody else, sees that they are:
    /// the cache's lock orders this after [`reclaim`](Self::reclaim).
    pub fn is_reclaiming(&self) -> bool {
        self.notices.reclaiming.load(Ordering::Relaxed) != 0
    }
}

impl Drop for Reclaim<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Release);
    }
}

impl<const S: usize, const A: usize> Owned<S, A> {
    const fn new(allocator: Allocator<S, A>) -> Self {
        Self {
            allocator,
            backlog: Offset::NONE,
        }
    }

    #[inline]
    fn settle(&mut self, most: usize, tally: Tally<'_>) {
        for _ in 0..most {
            let block = self.backlog;
            if block.is_none() {
                return;
            }
            tally.step(Step::Settled);
            let link = Link(self.allocator.span().link(block));
            self.backlog = link.block();
            self.allocator.free(block, link.amount());
        }
    }
}

impl<R: RawMutex, const S: usize, const A: usize> Drop for Held<'_, R, S, A> {
    #[inline]
    fn drop(&mut self) {
        self.1.take_sum(&self.sum);
    }
}

impl<R: RawMutex, const S: usize, const A: usize> Deref for Held<'_, R, S, A> {
    type Target = Allocator<S, A>;

    #[inline]
    fn deref(&self) -> &Self::Target {
        &self.0.allocator
    }
}

impl<R: RawMutex, const S: usize, const A: usize> DerefMut for Held<'_, R, S, A> {
    #[inline]
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0.allocator
    }
}
