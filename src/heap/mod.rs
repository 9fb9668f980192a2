//! A heap over one region that coalesces at once: allocate, resize, free.
//!
//! Free memory is in three places: in chunks, which the [bins] hold and
//! the [edges] mark; in the *victim*, the rest of the last chunk that
//! a small request split, out of which the next small ones are cut without
//! any bookkeeping; and in the *gap* between [`top`](Heap::top) and
//! [`roof`](Heap::roof), which is used when nothing else fits and not touched
//! before.
//!
//! ```text
//!   first             top           roof              limit
//!     │ blocks, chunks │     gap     │  blocks, chunks  │
//!        large ───────►               ◄─────── small
//! ```

pub(crate) mod bins;
mod check;
pub(crate) mod chunk;
pub(crate) mod edges;
pub(crate) mod region;

use core::alloc::Layout;

#[cfg(debug_assertions)]
use crate::steps::Steps;
use crate::{
    poison,
    steps::Counter,
    unit::{GRANULE, Granules, Offset, alignment_of},
};
pub(crate) use bins::NEVER_EXACT;
use bins::{Bin, Bins};
use chunk::Span;
use edges::{Edges, Neighbour};
use region::Plan;

pub use check::CheckError;
pub(crate) use check::expect;

/// How many chunks of its size's bin a request with an alignment looks at, for
/// one that happens to be aligned, before it takes one that is surely large
/// enough.
const ALIGNED_TRIES: usize = 1;

/// Blocks from this size on come from the gap's start.
pub(crate) const LARGE: Granules = Granules(256);

/// As the roof falls, this many granules are counted as used at once, or a
/// 64th of a small heap.
const FRESH_STEP: u32 = 2048;

/// The heap. Its methods take and give offsets; none of them fails otherwise
/// than by `None`.
#[derive(Debug)]
pub(crate) struct Heap {
    span: Span,
    edges: Edges,
    bins: Bins,
    victim: Victim,
    first: Offset,
    /// The gap's start, to which large blocks rise.
    top: Offset,
    /// The gap's end, to which small blocks fall.
    roof: Offset,
    limit: Offset,
    /// The memory between these two was never used.
    fresh: (Offset, Offset),
    /// Down to here the roof falls without further ado.
    floor: Offset,
    /// What of the gap is taken only when the heap is told to.
    reserve: Granules,
    /// No chunk is so long, nor the victim or the gap, as far as is known.
    hopeless: Granules,
    /// Whether memory that was never used is known to be zero.
    zeroed: bool,
    /// Tries to take a block, and bins searched for one.
    tries: Counter,
    searched: Counter,
}

/// What is asked of the heap: `size` granules at a multiple of `alignment`
/// granules.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request {
    pub size: Granules,
    pub alignment: usize,
}

impl Request {
    /// What a layout asks for, if any heap could have it.
    #[inline]
    pub fn of(layout: Layout) -> Option<Self> {
        Some(Self {
            size: Granules::holding(layout.size())?,
            alignment: alignment_of(layout),
        })
    }
}

/// A run of free granules that no bin knows and no edge marks.
#[derive(Clone, Copy, Debug)]
struct Victim {
    at: Offset,
    size: Granules,
}

impl Victim {
    const NONE: Self = Self {
        at: Offset::NONE,
        size: Granules::ZERO,
    };
}

impl Heap {
    pub const fn empty() -> Self {
        Self {
            span: Span::EMPTY,
            edges: Edges::EMPTY,
            bins: Bins::empty(),
            victim: Victim::NONE,
            first: Offset::NONE,
            top: Offset::NONE,
            limit: Offset::NONE,
            roof: Offset::NONE,
            fresh: (Offset::NONE, Offset::NONE),
            floor: Offset::NONE,
            reserve: Granules::ZERO,
            hopeless: Granules::MAX,
            zeroed: false,
            tries: Counter::new(),
            searched: Counter::new(),
        }
    }

    /// Makes an empty heap one over a region.
    ///
    /// # Safety
    ///
    /// `start` is where the region begins that the plan was made for; it is
    /// valid for reads and writes and nobody else uses it while the heap
    /// lives. If `zeroed`, all its bytes are zero.
    pub unsafe fn claim(&mut self, start: *mut u8, plan: Plan, zeroed: bool) {
        // SAFETY: the padding lies in the region and aligns its start.
        self.span = unsafe { Span::new(start.add(plan.bounds.padding)) };
        self.edges = plan.edges;
        self.bins = plan.bins;
        self.first = plan.first;
        self.top = plan.first;
        self.limit = plan.bounds.limit;
        self.roof = plan.bounds.limit;
        self.floor = plan.bounds.limit;
        self.fresh = (plan.first, plan.bounds.limit);
        self.hopeless = Granules::MAX;
        self.zeroed = zeroed;
        poison::close(self.span.pointer_to(Offset::NONE), self.limit.bytes());
        self.bins.clear(self.span);
        if zeroed {
            self.edges.use_all();
        }
        self.edges.use_below(self.span, self.first);
        self.edges.use_above(self.span, self.limit);
    }

    /// Adds what this and the bins have counted since this was called last.
    #[cfg(debug_assertions)]
    pub fn steps(&self, others: Steps) -> Steps {
        Steps {
            tries: self.tries.take(),
            searched: self.searched.take(),
            looked: self.bins.looked.take(),
            unlinked: self.bins.unlinked.take(),
            linked: self.bins.linked.take(),
            ..others
        }
    }

    /// The memory of the region.
    #[inline]
    pub fn span(&self) -> Span {
        self.span
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.span.is_empty()
    }

    /// Sets what of the gap is to be kept.
    pub fn set_reserve(&mut self, reserve: Granules) {
        self.reserve = reserve;
        self.set_floor();
    }

    /// The run that is known to be zero, if any is.
    #[inline]
    pub fn zero_run(&self) -> Option<(Offset, Offset)> {
        self.zeroed.then_some(self.fresh)
    }

    /// The granules that blocks can have.
    pub fn capacity(&self) -> Granules {
        self.limit - self.first
    }

    /// The granules in the gap.
    #[inline]
    pub fn room(&self) -> Granules {
        self.roof - self.top
    }

    /// What of the gap can be taken before the reserve is touched.
    #[inline]
    pub fn room_above_reserve(&self) -> Granules {
        Granules(self.room().0.saturating_sub(self.reserve.0))
    }

    /// The largest request, aligned to a granule, that can be served.
    pub fn largest_free(&self) -> Granules {
        self.bins
            .largest(self.span)
            .max(self.room())
            .max(self.run_of_victim())
    }

    /// The length of the free run that the victim is part of.
    fn run_of_victim(&self) -> Granules {
        let Victim { at, size } = self.victim;
        if size == Granules::ZERO {
            return size;
        }
        let end = at + size;
        let before = if at == self.roof {
            self.room()
        } else {
            self.free_before(at).unwrap_or(Granules::ZERO)
        };
        let after = if end == self.top {
            self.room()
        } else {
            self.free_after(end).unwrap_or(Granules::ZERO)
        };
        before + size + after
    }

    /// All that is free and not parked.
    #[inline]
    pub fn free_granules(&self) -> Granules {
        self.bins.total() + self.victim.size + self.room()
    }

    /// Takes a block from a chunk or the victim, or if it is small and the
    /// reserve allows it, from the gap.
    #[inline]
    pub fn take(&mut self, request: Request) -> Option<Offset> {
        self.tries.step();
        if request.alignment == 1 {
            self.take_any(request.size)
        } else {
            self.take_aligned(request)
        }
    }

    /// Takes a block from the gap: a large one from its start, where it can
    /// grow, a small one from its end.
    pub fn take_from_gap(&mut self, request: Request) -> Option<Offset> {
        if request.size < LARGE {
            self.take_from_roof(request)
        } else {
            self.take_from_top(request)
        }
    }

    fn take_from_top(&mut self, request: Request) -> Option<Offset> {
        let top = self.top;
        let padding = self.padding_before(top, self.room(), request)?;
        self.raise_top(padding + request.size);
        if padding > Granules::ZERO {
            self.insert(top, padding);
        }
        Some(top + padding)
    }

    /// Takes a block from the gap's end.
    #[inline]
    pub fn take_from_roof(&mut self, request: Request) -> Option<Offset> {
        let roof = self.roof;
        let room = self.room().0.checked_sub(request.size.0)?;
        let highest = roof - request.size;
        let padding = self.granule(highest) & (request.alignment - 1);
        if padding > room as usize {
            return None;
        }
        let block = highest - Granules(padding as u32);
        self.lower_roof(block);
        if padding > 0 {
            self.insert(block + request.size, Granules(padding as u32));
        }
        Some(block)
    }

    fn take_any(&mut self, size: Granules) -> Option<Offset> {
        if size < self.bins.exact() {
            return self.take_small(size);
        }
        match self.bins.good_fit(self.span, size) {
            Some((chunk, found)) => {
                self.take_front(chunk, found, size);
                Some(chunk)
            }
            None => self
                .take_from_victim(size)
                .or_else(|| self.take_above_reserve(size)),
        }
    }

    /// Takes a block of a size that has a bin of its own: a chunk of just
    /// this size, or else the victim's start, or else that of a larger chunk,
    /// whose rest becomes the victim, or else the gap's end.
    #[inline]
    fn take_small(&mut self, size: Granules) -> Option<Offset> {
        if let Some(chunk) = self.bins.exact_fit(self.span, size) {
            self.remove(chunk, size);
            return Some(chunk);
        }
        match self.take_unlinked(size) {
            Ok(block) => Some(block),
            Err(bin) => Some(self.take_for_victim(bin?, size)),
        }
    }

    /// Takes a small block as [`take`](Self::take) does, if that unlinks no
    /// chunk.
    #[inline]
    pub fn take_readily(&mut self, size: Granules) -> Option<Offset> {
        if size >= self.bins.exact() || self.bins.exact_fit(self.span, size).is_some() {
            return None;
        }
        self.take_unlinked(size).ok()
    }

    /// Takes a small block, for which there is no chunk of just its size, from
    /// the victim or the gap's end, or gives the bin of a larger chunk that
    /// comes before the gap.
    #[inline]
    fn take_unlinked(&mut self, size: Granules) -> Result<Offset, Option<Bin>> {
        if let Some(block) = self.take_from_victim(size) {
            return Ok(block);
        }
        match self.bins.first_above(self.span, size) {
            Some(bin) => Err(Some(bin)),
            None => self.take_above_floor(size).ok_or(None),
        }
    }

    /// Takes the start of a chunk of a bin that has some, whose rest becomes
    /// the victim.
    #[inline(never)]
    fn take_for_victim(&mut self, bin: Bin, size: Granules) -> Offset {
        let (chunk, found) = self.bins.first_of(self.span, bin);
        self.remove(chunk, found);
        self.retire_victim();
        self.victim = Victim {
            at: chunk + size,
            size: found - size,
        };
        chunk
    }

    /// Takes a small block from the gap's end if nothing need be done for it.
    #[inline]
    fn take_above_floor(&mut self, size: Granules) -> Option<Offset> {
        if self.roof.0.saturating_sub(self.floor.0) < size.0 {
            return None;
        }
        self.roof = self.roof - size;
        Some(self.roof)
    }

    /// Takes a block from the gap if the reserve is left.
    fn take_above_reserve(&mut self, size: Granules) -> Option<Offset> {
        if self.room_above_reserve() < size {
            return None;
        }
        self.take_from_gap(Request { size, alignment: 1 })
    }

    /// Takes a block that has room to double: the front of a chunk, or else
    /// from the gap if much of that is left.
    pub fn take_with_room(&mut self, size: Granules) -> Option<Offset> {
        self.tries.step();
        let double = Granules(size.0.checked_mul(2)?);
        match self.bins.good_fit(self.span, double) {
            Some((chunk, found)) => {
                self.take_front(chunk, found, size);
                Some(chunk)
            }
            None => self.take_apart(size, double),
        }
    }

    /// Takes a block from the gap's start, apart from the block before it: that
    /// one has room for as much then, and this one has the gap. A part of the
    /// gap is left, so that a heap that is just large enough does not lose it.
    fn take_apart(&mut self, size: Granules, double: Granules) -> Option<Offset> {
        let left = self.capacity().0 / 4;
        if self.room().0.saturating_sub(left) < double.0 {
            return None;
        }
        let room = self.top;
        self.raise_top(double);
        self.insert(room, size);
        Some(room + size)
    }

    #[inline]
    fn take_from_victim(&mut self, size: Granules) -> Option<Offset> {
        if self.victim.size < size {
            return None;
        }
        let block = self.victim.at;
        self.victim.at += size;
        self.victim.size -= size;
        Some(block)
    }

    fn take_aligned(&mut self, request: Request) -> Option<Offset> {
        let own = self.bins.bin_of(request.size);
        let mut tries = ALIGNED_TRIES;
        self.take_aligned_of(own, request, &mut tries).or_else(|| {
            let slack = u32::try_from(request.alignment - 1).ok()?;
            let surely = Granules(request.size.0.checked_add(slack)?);
            let (chunk, found) = self.bins.good_fit(self.span, surely)?;
            let padding = self.padding_before(chunk, found, request)?;
            Some(self.take_inner(chunk, found, padding, request.size))
        })
    }

    /// Takes a block from a chunk of one bin that can hold it, if one of the
    /// first `tries` does.
    #[inline]
    fn take_aligned_of(&mut self, bin: Bin, request: Request, tries: &mut usize) -> Option<Offset> {
        let fit = |chunk, found| self.fit(chunk, found, request);
        let (chunk, found, padding) = self.bins.search(self.span, bin, tries, fit)?;
        Some(self.take_inner(chunk, found, padding, request.size))
    }

    /// A chunk, its length and how far into it a request's block begins, if it
    /// can hold that.
    #[inline]
    fn fit(
        &self,
        chunk: Offset,
        found: Granules,
        request: Request,
    ) -> Option<(Offset, Granules, Granules)> {
        let padding = self.padding_before(chunk, found, request)?;
        Some((chunk, found, padding))
    }

    /// Takes a block from any chunk that can hold it, if one of the first
    /// `tries` of those that might does. If there is none, requests as long
    /// as that are [hopeless](Self::is_hopeless) from now on.
    pub fn take_by_search(&mut self, request: Request, mut tries: usize) -> Option<Offset> {
        let mut longest = (request.size - Granules::ONE)
            .max(self.room())
            .max(self.victim.size);
        let mut bin = self.bins.bin_of(request.size);
        while let Some(next) = self.bins.first_from(self.span, bin) {
            self.searched.step();
            let found = self
                .bins
                .search(self.span, next, &mut tries, |chunk, found| {
                    longest = longest.max(found);
                    self.fit(chunk, found, request)
                });
            if let Some((chunk, found, padding)) = found {
                return Some(self.take_inner(chunk, found, padding, request.size));
            }
            if tries == 0 {
                return None;
            }
            bin = next.after();
        }
        self.hopeless = longest + Granules::ONE;
        None
    }

    /// Whether it is known that no chunk is so long, nor the victim or the gap.
    #[inline]
    pub fn is_hopeless(&self, size: Granules) -> bool {
        size >= self.hopeless
    }

    /// Notes that a run of so many granules is free.
    #[inline]
    fn note_free(&mut self, size: Granules) {
        if self.is_hopeless(size) {
            self.hopeless = Granules::MAX;
        }
    }

    /// Frees the run of `size` granules at `at`, and gives the length of the
    /// free run that it became part of.
    pub fn free(&mut self, at: Offset, size: Granules) -> Granules {
        debug_assert!(
            at >= self.first
                && at + size <= self.limit
                && (at + size <= self.top || at >= self.roof),
            "a block outside the heap"
        );
        let (at, size) = self.coalesce_before(at, size);
        self.free_taken_before(at, size)
    }

    /// Frees what a block no longer needs: the run of `size` granules at `at`,
    /// before which is the rest of the block.
    pub fn free_rest(&mut self, at: Offset, size: Granules) {
        self.free_taken_before(at, size);
    }

    /// Frees a run before which nothing is free.
    #[inline(always)]
    fn free_taken_before(&mut self, at: Offset, size: Granules) -> Granules {
        let (at, size) = self.coalesce_after(at, size);
        if at + size == self.top || at == self.roof {
            return self.join_gap(at, size);
        }
        self.note_free(size);
        self.insert(at, size);
        size
    }

    /// Makes a run beside the gap a part of it.
    #[inline(never)]
    fn join_gap(&mut self, at: Offset, size: Granules) -> Granules {
        // Those of chunks that were joined to it.
        self.edges.erase(self.span, at, size);
        if at == self.roof {
            self.roof = at + size;
        } else {
            self.top = at;
        }
        self.note_free(self.room());
        self.room()
    }

    /// Joins the free chunk after a run, which is taken from its bin, to it.
    #[inline]
    fn coalesce_after(&mut self, at: Offset, size: Granules) -> (Offset, Granules) {
        let end = at + size;
        let Some(after) = self.free_after(end) else {
            return (at, size);
        };
        self.bins.unlink(self.span, end, after);
        self.edges.erase_pair_after(self.span, end);
        (at, size + after)
    }

    /// Joins the free chunk before a run, which is taken from its bin, to it.
    #[inline]
    fn coalesce_before(&mut self, at: Offset, size: Granules) -> (Offset, Granules) {
        let Some(before) = self.free_before(at) else {
            return (at, size);
        };
        let start = at - before;
        self.bins.unlink(self.span, start, before);
        self.edges.erase_pair_before(self.span, at);
        (start, size + before)
    }

    /// Grows the block of `size` granules at `at` into what follows it.
    pub fn grow(&mut self, at: Offset, size: Granules, to: Granules) -> bool {
        let (end, more) = (at + size, to - size);
        if self.take_at(end, more) {
            return true;
        }
        let follows = if end == self.top {
            self.roof
        } else {
            end + self.free_after(end).unwrap_or(Granules::ZERO)
        };
        if self.victim.at != follows || self.victim.size == Granules::ZERO {
            return false;
        }
        self.retire_victim();
        self.take_at(end, more)
    }

    /// Takes the run of `size` granules at `at` if it is free.
    fn take_at(&mut self, at: Offset, size: Granules) -> bool {
        if at == self.top {
            let fits = self.room() >= size;
            if fits {
                self.raise_top(size);
            }
            return fits;
        }
        if at == self.victim.at && self.victim.size >= size {
            self.take_from_victim(size);
            return true;
        }
        match self.free_after(at) {
            Some(found) if found >= size => {
                self.take_front(at, found, size);
                true
            }
            _ => false,
        }
    }

    /// Moves the block of `size` granules at `at`, of whose content the first
    /// `bytes` bytes count, to the start of the free chunk before it, if that
    /// and what follows the block make up `to` granules. Gives the new place.
    ///
    /// # Safety
    ///
    /// The block is one that this heap gave out, of at least `bytes` bytes,
    /// and nobody else uses it.
    pub unsafe fn slide(
        &mut self,
        at: Offset,
        size: Granules,
        to: Granules,
        bytes: usize,
    ) -> Option<Offset> {
        let before = self.free_before(at)?;
        let start = at - before;
        let joined = before + size;
        if joined < to && !self.grow(at, size, to - before) {
            return None;
        }
        self.remove(start, before);
        // SAFETY: both are runs that belong to the block now, and hold it.
        unsafe { self.span.move_down(at, start, bytes) };
        if joined > to {
            self.free(start + to, joined - to);
        }
        Some(start)
    }

    /// Gives the victim back to the bins, if there is one.
    pub fn retire_victim(&mut self) -> bool {
        let Victim { at, size } = core::mem::replace(&mut self.victim, Victim::NONE);
        if size > Granules::ZERO {
            self.free(at, size);
        }
        size > Granules::ZERO
    }

    /// The length of the free chunk that ends before `at`.
    #[inline]
    fn free_before(&self, at: Offset) -> Option<Granules> {
        match self.edges.before(self.span, at) {
            Neighbour::Taken => None,
            Neighbour::Single => Some(Granules::ONE),
            Neighbour::Longer => Some(self.span.size_before(at)),
        }
    }

    /// The length of the free chunk that begins at `end`.
    #[inline]
    fn free_after(&self, end: Offset) -> Option<Granules> {
        match self.edges.after(self.span, end) {
            Neighbour::Taken => None,
            Neighbour::Single => Some(Granules::ONE),
            Neighbour::Longer => Some(self.span.size_from(end)),
        }
    }

    /// The number of a position's granule, counted from address 0.
    #[inline]
    fn granule(&self, at: Offset) -> usize {
        self.span.address() / GRANULE + at.0 as usize
    }

    /// How far into a run of `found` granules a request's block begins, if
    /// there is one.
    #[inline]
    fn padding_before(&self, run: Offset, found: Granules, request: Request) -> Option<Granules> {
        debug_assert!(request.alignment.is_power_of_two());
        let padding = self.granule(run).wrapping_neg() & (request.alignment - 1);
        let spare = found.0.checked_sub(request.size.0)?;
        (padding <= spare as usize).then_some(Granules(padding as u32))
    }

    #[inline]
    fn raise_top(&mut self, size: Granules) {
        self.top += size;
        if self.top > self.fresh.0 {
            self.fresh.0 = self.top;
            self.edges.use_below(self.span, self.top);
        }
        self.set_floor();
    }

    fn lower_roof(&mut self, to: Offset) {
        self.roof = to;
        if to < self.fresh.1 {
            let step = FRESH_STEP.min(self.capacity().0 / 64);
            let fresh = Offset(to.0.saturating_sub(step)).max(self.top);
            self.fresh.1 = fresh;
            self.edges.use_above(self.span, fresh);
        }
        self.set_floor();
    }

    /// Makes the floor such that above it neither the reserve nor unused
    /// words of the bitmap are met.
    fn set_floor(&mut self) {
        self.floor = Offset(self.top.0.saturating_add(self.reserve.0)).max(self.fresh.1);
    }

    /// Makes a run a free chunk.
    #[inline]
    fn insert(&mut self, at: Offset, size: Granules) {
        self.span.set_size(at, size);
        self.edges.mark(self.span, at, size);
        self.bins.link(self.span, at, size);
    }

    /// Makes a free chunk a run that nothing knows of.
    #[inline]
    fn remove(&mut self, chunk: Offset, size: Granules) {
        self.bins.unlink(self.span, chunk, size);
        self.edges.erase(self.span, chunk, size);
    }

    /// Takes the first `size` granules of a chunk of `found`.
    #[inline]
    fn take_front(&mut self, chunk: Offset, found: Granules, size: Granules) {
        self.bins.unlink(self.span, chunk, found);
        self.edges.split(self.span, chunk, found, size);
        if found > size {
            let (rest, size) = (chunk + size, found - size);
            self.span.set_size(rest, size);
            self.bins.link(self.span, rest, size);
        }
    }

    /// Takes the block that begins `padding` granules into a chunk of `found`.
    fn take_inner(
        &mut self,
        chunk: Offset,
        found: Granules,
        padding: Granules,
        size: Granules,
    ) -> Offset {
        if padding == Granules::ZERO {
            self.take_front(chunk, found, size);
            return chunk;
        }
        self.remove(chunk, found);
        self.insert(chunk, padding);
        let block = chunk + padding;
        let rest = found - padding - size;
        if rest > Granules::ZERO {
            self.insert(block + size, rest);
        }
        block
    }
}

/// The region may be used for something else then.
#[cfg(any(galloc_asan, galloc_valgrind))]
impl Drop for Heap {
    fn drop(&mut self) {
        poison::open(self.span.pointer_to(Offset::NONE), self.limit.bytes());
    }
}

#[cfg(test)]
mod tests;
