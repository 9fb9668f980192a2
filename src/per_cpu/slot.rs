//! A CPU's cache, and its outbox.

use core::alloc::Layout;

use lock_api::{Mutex, MutexGuard, RawMutex};

use super::{
    granted::Granted,
    outbox::Outbox,
    tally::{Step, Tally},
};
use crate::{
    allocator::Front,
    cache::Cache,
    heap::chunk::Span,
    lock::RawSpinLock,
    unit::{Granules, Offset},
};

/// A CPU's cache behind its lock, and what it puts out for others. Two of them
/// share no cache line, nor a pair of lines that are fetched together.
#[derive(Debug)]
#[repr(align(128))]
pub(super) struct Slot<const S: usize, const A: usize> {
    cache: Mutex<RawSpinLock, CpuCache<S, A>>,
    pub outbox: Outbox<S, A>,
}

/// A CPU's cache, with its lock held.
pub(super) type HeldCache<'a, const S: usize, const A: usize> =
    MutexGuard<'a, RawSpinLock, CpuCache<S, A>>;

/// A CPU's quick lists.
pub(super) type CpuCache<const S: usize, const A: usize> = Cache<S, A, Granted<S, A>>;

impl<const S: usize, const A: usize> Slot<S, A> {
    pub const fn empty() -> Self {
        Self {
            cache: Mutex::from_raw(RawSpinLock::INIT, Cache::empty()),
            outbox: Outbox::empty(),
        }
    }

    #[inline]
    pub fn try_lock(&self) -> Option<HeldCache<'_, S, A>> {
        self.cache.try_lock()
    }

    pub fn lock(&self) -> HeldCache<'_, S, A> {
        self.cache.lock()
    }

    /// # Safety
    ///
    /// The lock is held by a guard that was forgotten.
    #[inline]
    pub unsafe fn held(&self) -> HeldCache<'_, S, A> {
        // SAFETY: the caller's promise.
        unsafe { self.cache.make_guard_unchecked() }
    }

    /// The cache, which is held, with its outbox.
    pub fn front<'a>(
        &'a self,
        cache: &'a mut HeldCache<'_, S, A>,
        tally: Tally<'a>,
    ) -> Own<'a, S, A> {
        Own {
            cache,
            outbox: Some(&self.outbox),
            tally,
        }
    }
}

/// All that a CPU has in front of the heap.
pub(super) struct Own<'a, const S: usize, const A: usize> {
    cache: &'a mut CpuCache<S, A>,
    /// Until it is known to be empty.
    outbox: Option<&'a Outbox<S, A>>,
    tally: Tally<'a>,
}

impl<const S: usize, const A: usize> Front for Own<'_, S, A> {
    fn pop(&mut self, span: Span, layout: Layout) -> Option<Offset> {
        self.cache.pop(span, layout)
    }

    fn pop_any_aligned(&mut self, span: Span, layout: Layout) -> Option<Offset> {
        self.cache.pop_any_aligned(span, layout)
    }

    fn take_kept(&mut self, span: Span, size: Granules) -> Option<Offset> {
        self.cache.bounds.large.take(span, size)
    }

    /// The piece goes first, then large blocks and what is out: once there are
    /// none, the cache may go to sleep. As it is held, nobody puts anything out then.
    fn pop_any(&mut self, span: Span) -> Option<(Offset, Granules)> {
        let piece = self.cache.bounds.piece.take();
        if piece.is_some() {
            return piece;
        }
        let large = self.cache.bounds.large.take_any(span);
        if large.is_some() {
            return large;
        }
        if let Some(outbox) = self.outbox {
            let out = outbox.pop_any(span, self.tally);
            if out.is_some() {
                return out;
            }
            self.outbox = None;
        }
        let parked = self.cache.pop_any(span);
        self.tally.take(Step::List, &self.cache.looked);
        parked
    }
}
