//! The edge bitmap: one bit a granule, which tells whether a block's
//! neighbours are free.
//!
//! ```text
//!   free chunk    1 granule   2        3          4           n
//!   its bits      1           1 1      1 1 1      1 1 1 1     1 1 0 .. 0 1 1
//! ```
//!
//! Set are the first two and the last two granules of every free chunk, and
//! nothing else. Two, not one, so that a neighbour's second bit tells a chunk
//! of a single granule, which has no room for its length, from a longer one.
//! Free chunks never touch, so the bits of two cannot be mixed up.

use super::chunk::Span;
use crate::unit::{Granules, Offset};

const BITS: u32 = u32::BITS;

/// Where the bitmap lies in the span: the index of its first word.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Edges {
    first_word: u32,
}

/// What lies beside a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Neighbour {
    Taken,
    Single,
    Longer,
}

impl Edges {
    pub const EMPTY: Self = Self { first_word: 0 };

    pub const fn new(first_word: u32) -> Self {
        Self { first_word }
    }

    /// The words of a bitmap for `granules`, with the one beyond that a
    /// window at its end reads.
    pub const fn words_for(granules: u32) -> u32 {
        granules.div_ceil(BITS) + 1
    }

    /// Clears the bits of the granules from `start` up to `end`, rounded up
    /// to whole words: those before `start` are in use, those from it are not.
    #[inline]
    pub fn clear(self, span: Span, start: Offset, end: Offset) {
        let (from, to) = (Self::words_for(start.0), Self::words_for(end.0));
        if from != to {
            let first = self.first_word as usize;
            span.clear_words(first + from as usize, first + to as usize);
        }
    }

    /// Clears the bits of the granules before `end`.
    pub fn clear_first(self, span: Span, end: Offset) {
        let first = self.first_word as usize;
        span.clear_words(first, first + Self::words_for(end.0) as usize);
    }

    #[inline]
    pub fn before(self, span: Span, at: Offset) -> Neighbour {
        let bits = self.window(span, at.0 - 2) & 0b11;
        if bits & 0b10 == 0 {
            Neighbour::Taken
        } else if bits == 0b10 {
            Neighbour::Single
        } else {
            Neighbour::Longer
        }
    }

    #[inline]
    pub fn after(self, span: Span, end: Offset) -> Neighbour {
        let bits = self.window(span, end.0) & 0b11;
        if bits & 0b01 == 0 {
            Neighbour::Taken
        } else if bits == 0b01 {
            Neighbour::Single
        } else {
            Neighbour::Longer
        }
    }

    /// Marks a chunk free.
    #[inline]
    pub fn mark(self, span: Span, at: Offset, size: Granules) {
        self.change(span, at, size, |bits, mask| bits | mask);
    }

    /// Removes a free chunk's marks.
    #[inline]
    pub fn erase(self, span: Span, at: Offset, size: Granules) {
        self.change(span, at, size, |bits, mask| bits & !mask);
    }

    #[inline]
    fn change(self, span: Span, at: Offset, size: Granules, op: impl Fn(u64, u64) -> u64) {
        if size == Granules::ONE {
            self.update(span, at.0, 0b1, &op);
        } else {
            self.update(span, at.0, 0b11, &op);
            self.update(span, at.0 + size.0 - 2, 0b11, &op);
        }
    }

    /// Whether a granule's bit is set. For `check`.
    pub fn is_set(self, span: Span, at: Offset) -> bool {
        self.window(span, at.0) & 1 != 0
    }

    /// The first granule from `start` up to `end` whose bit is set. For
    /// `check`.
    pub fn next_set(self, span: Span, start: Offset, end: Offset) -> Option<Offset> {
        let mut at = start.0;
        while at < end.0 {
            let bits = self.window(span, at) as u32;
            if bits != 0 {
                let found = at + bits.trailing_zeros();
                return (found < end.0).then_some(Offset(found));
            }
            at = at.saturating_add(BITS);
        }
        None
    }

    /// The bits from `bit` on, at least 33 of them. Two words are read, so
    /// that no pair of bits is split; where unaligned loads exist they become
    /// one.
    #[inline]
    fn window(self, span: Span, bit: u32) -> u64 {
        let word = (self.first_word + bit / BITS) as usize;
        (u64::from(span.word(word)) | u64::from(span.word(word + 1)) << BITS) >> (bit % BITS)
    }

    #[inline]
    fn update(self, span: Span, bit: u32, mask: u64, op: &impl Fn(u64, u64) -> u64) {
        let word = (self.first_word + bit / BITS) as usize;
        let bits = u64::from(span.word(word)) | u64::from(span.word(word + 1)) << BITS;
        let bits = op(bits, mask << (bit % BITS));
        span.set_word(word, bits as u32);
        span.set_word(word + 1, (bits >> BITS) as u32);
    }
}
