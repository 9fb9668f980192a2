//! The policy between lists and heap.
//!
//! It is one number, the heap's [reserve]. While more than half of the region is
//! unused, freed blocks are parked and none is given back: the fastest way. Once
//! the gap has shrunk to the reserve, every step by which it shrinks further
//! first drains the lists, and lists become the shorter the less room there is:
//! the tightest way. A request fails only when everything that was parked has
//! been given back in vain.
//!
//! [reserve]: crate::heap::Heap::set_reserve

use super::{Allocator, Front};
use crate::{
    heap::Request,
    unit::{Granules, Offset},
};

/// The most granules that are parked in a list of the smallest blocks while
/// there is ample room.
pub(super) const LIST_IF_AMPLE: Granules = Granules(1 << 20);

/// The same when as much is free as is used; with what is free it shrinks.
pub(super) const LIST_AT_HALF: u64 = 1 << 4;

/// How many more parked blocks a [bounded](Allocator::bounded) allocator gives
/// back, and how many chunks it looks at, before it lets a request fail.
const BOUNDED_EFFORT: usize = 64;

/// The blocks that a request beyond the reserve drains.
fn drain_quota(size: Granules) -> u32 {
    16 + (size.0 / 32).min(48)
}

impl<const SMALLBINS_AMOUNT: usize, const ALIGNMENT_SUB_BINS_AMOUNT: usize>
    Allocator<SMALLBINS_AMOUNT, ALIGNMENT_SUB_BINS_AMOUNT>
{
    /// Takes a block from the gap. If less than the reserve would be left of
    /// it, drains quick lists first, and takes what that frees if it is
    /// enough.
    #[inline(never)]
    pub(super) fn take_beyond_reserve(
        &mut self,
        request: Request,
        front: &mut impl Front,
    ) -> Option<Offset> {
        if !self.was_initialized() {
            return None;
        }
        if Self::LISTS && self.heap.room_above_reserve() < request.size {
            let found = self.take_drained(request, front);
            if found.is_some() {
                return found;
            }
        }
        match self.heap.take_from_gap(request) {
            Some(block) => Some(block),
            None => self.take_at_last(request, front),
        }
    }

    /// Gives back some of what is parked, and takes what that frees if it is
    /// enough.
    #[inline]
    fn take_drained(&mut self, request: Request, front: &mut impl Front) -> Option<Offset> {
        for _ in 0..drain_quota(request.size) {
            let Some((block, size)) = self.pop_any(front) else {
                if !self.heap.is_hopeless(request.size) {
                    self.set_step(request.size);
                }
                break;
            };
            if self.heap.free(block, size) >= request.size {
                let found = self.heap.take(request);
                if found.is_some() {
                    return found;
                }
            }
        }
        None
    }

    /// Takes any parked block.
    #[inline]
    pub(super) fn pop_any(&mut self, front: &mut impl Front) -> Option<(Offset, Granules)> {
        let span = self.heap.span();
        let parked = if Self::LISTS {
            let kept = self.slots.take_any(span);
            kept.or_else(|| front.pop_any(span))
                .or_else(|| self.cache.pop_any(span))?
        } else {
            // Those in front may keep large blocks all the same.
            front.pop_any(span)?
        };
        self.drained.step();
        Some(parked)
    }

    /// Lets the gap shrink by a sixteenth of what is used before lists are
    /// drained again, and shortens the lists.
    pub(super) fn set_step(&mut self, size: Granules) {
        let (capacity, room) = (self.heap.capacity().0, self.heap.room().0);
        let used = capacity - room;
        let reserve = room.saturating_sub(size.0).saturating_sub(used / 16);
        self.heap.set_reserve(Granules(reserve));
        let limit = LIST_AT_HALF * u64::from(room) / u64::from(used.max(1));
        let limit = u32::try_from(limit).map_or(LIST_IF_AMPLE, Granules);
        self.cache.bounds.set_limit(limit.min(LIST_IF_AMPLE));
    }

    /// Forgets that room was scarce once three quarters of the heap are free.
    #[inline]
    pub(super) fn relax(&mut self) {
        if self.is_ample() {
            return;
        }
        let capacity = self.heap.capacity().0;
        let used = capacity - self.heap.free_granules().0;
        if used < capacity / 4 {
            self.set_ample();
        }
    }

    /// Whether room was not scarce of late.
    #[inline]
    pub(super) fn is_ample(&self) -> bool {
        !Self::LISTS || self.cache.bounds.limit() == LIST_IF_AMPLE
    }

    /// Lets lists be as long as they get, until the gap is down to half of
    /// the heap, or has shrunk by a sixteenth if it is below.
    pub(super) fn set_ample(&mut self) {
        if !Self::LISTS {
            return;
        }
        let (capacity, room) = (self.heap.capacity().0, self.heap.room().0);
        let reserve = (capacity / 2).min(room.saturating_sub(capacity / 16));
        self.heap.set_reserve(Granules(reserve));
        self.cache.bounds.set_limit(LIST_IF_AMPLE);
    }

    /// Gives back everything that is parked until the request can be served,
    /// or as much as a bounded allocator may.
    #[cold]
    fn take_at_last(&mut self, request: Request, front: &mut impl Front) -> Option<Offset> {
        self.last_resorts.step();
        let effort = if self.bounded {
            BOUNDED_EFFORT
        } else {
            usize::MAX
        };
        for _ in 0..effort {
            let Some((block, size)) = self.pop_any(front) else {
                break;
            };
            if self.heap.free(block, size) >= request.size {
                let found = self.take_coalesced(request);
                if found.is_some() {
                    return found;
                }
            }
        }
        if self.heap.retire_victim() {
            let found = self.take_coalesced(request);
            if found.is_some() {
                return found;
            }
        }
        if self.heap.is_hopeless(request.size) {
            return None;
        }
        self.heap.take_by_search(request, effort)
    }

    fn take_coalesced(&mut self, request: Request) -> Option<Offset> {
        match self.heap.take(request) {
            Some(block) => Some(block),
            None => self.heap.take_from_gap(request),
        }
    }
}
