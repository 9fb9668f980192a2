//! Free chunks by size.
//!
//! Every octave of sizes is divided into the same number of ranges, a bin
//! each (Masmano et al.'s TLSF); sizes too small to be divided so have a bin
//! of their own. A bin is a ring: a doubly linked list that begins and ends
//! in the bin's *sentinel*, so that no link or unlink asks whether a chunk is
//! the first or the last.
//!
//! ```text
//!   sentinels  | map | 1 | 2 | 3 | …
//!                          ^
//!                          v
//!            .--> sentinel <-> chunk <-> chunk <--.
//!            '------------------------------------'
//! ```
//!
//! Sentinels lie at the region's start: bin `i`'s is granule `i`, linked as a
//! chunk there would be. How many there are depends on the region's size. The
//! map, a bit for each whose bin is not empty, is in granule 0, which is no
//! bin's, or if that is too small for it, behind the last one.

use super::chunk::{Field, Span};
use crate::{
    steps::Counter,
    unit::{Granules, Offset},
};

const BITS: u32 = u32::BITS;

const WORDS_PER_SENTINEL: u32 = 2;

/// The last bin of a region below 8 KiB, which has all chunks of 128 bytes and
/// more: there are few, and a sentinel costs as much as a block.
const LAST_OF_FEW: Bin = Bin(5);

/// Octaves are divided in two to this power at the most.
const MOST_RANGES_LOG2: u32 = 5;

/// Sizes from this on never have a bin of their own.
pub(crate) const NEVER_EXACT: Granules = Granules(2 << MOST_RANGES_LOG2);

/// How many chunks of a size's own bin are looked at for one that is large
/// enough before a larger bin's first is taken, which surely is.
const TRIES: usize = 2;

/// The bins of a region, their sentinels at the start of its span.
#[derive(Debug)]
#[cfg_attr(test, derive(Clone))]
pub(crate) struct Bins {
    /// Octaves are divided in two to this power.
    ranges_log2: u16,
    /// Sizes below this have a bin each.
    exact: Granules,
    /// The bin of the largest chunks.
    last: Bin,
    /// The index of the map's first word: like the power, no longer than it need
    /// be, as the smallest allocators have 128 bytes.
    map: u16,
    /// A bit for each word of the map that is not zero.
    summary: u32,
    /// The granules of all chunks.
    total: Granules,
    /// Chunks looked at, unlinked and linked.
    pub looked: Counter,
    pub unlinked: Counter,
    pub linked: Counter,
}

/// A bin, by the place of its sentinel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Bin(u32);

impl Bin {
    /// The bin of the next larger sizes.
    #[inline]
    pub fn after(self) -> Self {
        Self(self.0 + 1)
    }

    #[inline]
    pub fn sentinel(self) -> Offset {
        Offset(self.0)
    }
}

impl Bins {
    pub const fn empty() -> Self {
        Self {
            ranges_log2: 0,
            exact: Granules::ZERO,
            last: Bin(0),
            map: 0,
            summary: 0,
            total: Granules::ZERO,
            looked: Counter::new(),
            unlinked: Counter::new(),
            linked: Counter::new(),
        }
    }

    /// Bins for a region of `granules`: their sentinels take about two percent
    /// of a small region and a few kilobytes of a large one.
    pub fn for_region(granules: u32) -> Self {
        // From 8 KiB on, twice as many ranges for four times the region.
        let ranges_log2 = ((granules | 1).ilog2() / 2)
            .saturating_sub(4)
            .min(MOST_RANGES_LOG2);
        let mut bins = Self {
            ranges_log2: ranges_log2 as u16,
            exact: Granules(2 << ranges_log2),
            last: if ranges_log2 == 0 {
                LAST_OF_FEW
            } else {
                Bin(u32::MAX)
            },
            ..Self::empty()
        };
        bins.last = bins.bin_of(Granules(granules));
        if bins.last.0 >= WORDS_PER_SENTINEL * BITS {
            bins.map = bins.words() as u16;
        }
        bins
    }

    /// The words at the region's start that hold the sentinels and the map.
    pub fn words(&self) -> u32 {
        let sentinels = (self.last.0 + 1) * WORDS_PER_SENTINEL;
        sentinels.max(self.map_word(self.last) as u32 + 1)
    }

    /// Makes all bins empty.
    pub fn clear(&self, span: Span) {
        span.clear_words(self.map_word(Bin(0)), self.map_word(self.last) + 1);
        for bin in self.all() {
            let sentinel = bin.sentinel();
            span.set_field(sentinel, Field::Next, sentinel.0);
            span.set_field(sentinel, Field::Previous, sentinel.0);
        }
    }

    /// The granules of all chunks.
    #[inline]
    pub fn total(&self) -> Granules {
        self.total
    }

    /// Sizes below this have a bin each, if there are any bins.
    #[inline]
    pub fn exact(&self) -> Granules {
        self.exact
    }

    /// The bin of a size.
    #[inline]
    pub fn bin_of(&self, size: Granules) -> Bin {
        let ranges_log2 = u32::from(self.ranges_log2);
        let octave = (size.0 | 1 << ranges_log2).ilog2();
        let shift = octave - ranges_log2;
        Bin((shift << ranges_log2) + (size.0 >> shift)).min(self.last)
    }

    /// Adds a free chunk, whose size is written.
    #[inline]
    pub fn link(&mut self, span: Span, chunk: Offset, size: Granules) {
        debug_assert!(!chunk.is_none() && size > Granules::ZERO);
        self.linked.step();
        self.total += size;
        let bin = self.bin_of(size);
        let sentinel = bin.sentinel();
        let next = Self::next(span, sentinel);
        span.set_field(chunk, Field::Next, next.0);
        span.set_field(chunk, Field::Previous, sentinel.0);
        span.set_field(next, Field::Previous, chunk.0);
        span.set_field(sentinel, Field::Next, chunk.0);
        self.note(span, bin);
    }

    /// Removes a free chunk.
    #[inline]
    pub fn unlink(&mut self, span: Span, chunk: Offset, size: Granules) {
        self.unlinked.step();
        self.total -= size;
        let next = Self::next(span, chunk);
        let previous = Self::previous(span, chunk);
        span.set_field(previous, Field::Next, next.0);
        span.set_field(next, Field::Previous, previous.0);
        if next == previous {
            self.forget(span, Bin(next.0));
        }
    }

    /// A chunk of just this size, for which there is a bin of its own.
    #[inline]
    pub fn exact_fit(&self, span: Span, size: Granules) -> Option<Offset> {
        let bin = Bin(size.0);
        let chunk = Self::next(span, bin.sentinel());
        (chunk != bin.sentinel()).then_some(chunk)
    }

    /// The first bin with chunks larger than `size`, which has a bin of its
    /// own.
    #[inline]
    pub fn first_above(&self, span: Span, size: Granules) -> Option<Bin> {
        self.first_from(span, Bin(size.0).after())
    }

    /// A chunk of `size` or a little more, found in a bounded number of steps.
    #[inline]
    pub fn good_fit(&self, span: Span, size: Granules) -> Option<(Offset, Granules)> {
        let bin = self.bin_of(size);
        let mut tries = TRIES;
        self.search(span, bin, &mut tries, |chunk, found| {
            (found >= size).then_some((chunk, found))
        })
        .or_else(|| {
            let bin = self.first_from(span, bin.after())?;
            Some(self.first_of(span, bin))
        })
    }

    /// What `accept` makes of the first chunk of a bin that it accepts, among
    /// as many as `tries` leaves.
    #[inline]
    pub fn search<T>(
        &self,
        span: Span,
        bin: Bin,
        tries: &mut usize,
        mut accept: impl FnMut(Offset, Granules) -> Option<T>,
    ) -> Option<T> {
        // Where there is no region, there are no bins.
        if bin == Bin(0) {
            return None;
        }
        let mut chunk = Self::next(span, bin.sentinel());
        while chunk != bin.sentinel() && *tries > 0 {
            self.looked.step();
            let accepted = accept(chunk, self.size_in(span, bin, chunk));
            if accepted.is_some() {
                return accepted;
            }
            *tries -= 1;
            chunk = Self::next(span, chunk);
        }
        None
    }

    /// The first chunk of a bin that has some, with its size.
    #[inline]
    pub fn first_of(&self, span: Span, bin: Bin) -> (Offset, Granules) {
        self.looked.step();
        let chunk = Self::next(span, bin.sentinel());
        (chunk, self.size_in(span, bin, chunk))
    }

    /// The first bin from `bin` on that is not empty.
    #[inline]
    pub fn first_from(&self, span: Span, bin: Bin) -> Option<Bin> {
        if bin > self.last {
            return None;
        }
        let bits = span.word(self.map_word(bin)) & (u32::MAX << (bin.0 % BITS));
        if bits != 0 {
            return Some(Bin(bin.0 / BITS * BITS + bits.trailing_zeros()));
        }
        let later = self.summary & (u32::MAX << (bin.0 / BITS) << 1);
        if later == 0 {
            return None;
        }
        let first = Bin(later.trailing_zeros() * BITS);
        let bits = span.word(self.map_word(first));
        Some(Bin(first.0 + bits.trailing_zeros()))
    }

    /// The bins from `bin` on that are not empty.
    pub fn all_from(&self, span: Span, bin: Bin) -> impl Iterator<Item = Bin> {
        let first = self.first_from(span, bin);
        core::iter::successors(first, move |bin| self.first_from(span, bin.after()))
    }

    /// All bins, empty ones too.
    pub fn all(&self) -> impl Iterator<Item = Bin> + use<> {
        (1..=self.last.0).map(Bin)
    }

    /// Whether a bin is noted as one that has chunks.
    pub fn is_noted(&self, span: Span, bin: Bin) -> bool {
        self.first_from(span, bin) == Some(bin)
    }

    /// The chunk or sentinel after this one in its ring.
    #[inline]
    pub fn next(span: Span, chunk: Offset) -> Offset {
        Offset(span.field(chunk, Field::Next))
    }

    /// The chunk or sentinel before this one in its ring.
    #[inline]
    pub fn previous(span: Span, chunk: Offset) -> Offset {
        Offset(span.field(chunk, Field::Previous))
    }

    /// The size of the largest chunk, or zero, by a walk over the last bin
    /// that has any.
    pub fn largest(&self, span: Span) -> Granules {
        let mut largest = Granules::ZERO;
        if let Some(bin) = self.all_from(span, Bin(1)).last() {
            let mut tries = usize::MAX;
            self.search(span, bin, &mut tries, |_, found| {
                largest = largest.max(found);
                None::<()>
            });
        }
        largest
    }

    #[inline]
    fn size_in(&self, span: Span, bin: Bin, chunk: Offset) -> Granules {
        if bin.0 < self.exact.0 {
            Granules(bin.0)
        } else {
            span.size_from(chunk)
        }
    }

    #[inline]
    fn map_word(&self, bin: Bin) -> usize {
        usize::from(self.map) + (bin.0 / BITS) as usize
    }

    /// Notes that a bin is not empty.
    #[inline]
    fn note(&mut self, span: Span, bin: Bin) {
        let word = self.map_word(bin);
        span.set_word(word, span.word(word) | 1 << (bin.0 % BITS));
        self.summary |= 1 << (bin.0 / BITS);
    }

    /// Notes that a bin is empty.
    #[inline]
    fn forget(&mut self, span: Span, bin: Bin) {
        let word = self.map_word(bin);
        let bits = span.word(word) & !(1 << (bin.0 % BITS));
        span.set_word(word, bits);
        if bits == 0 {
            self.summary &= !(1 << (bin.0 / BITS));
        }
    }
}

#[cfg(test)]
mod tests;
