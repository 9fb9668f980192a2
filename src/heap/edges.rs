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

/// What bits become.
const SET: u64 = u64::MAX;
const CLEAR: u64 = 0;

/// The bitmap of a span, of which only the words at both ends are in use: the
/// heap rises from below and falls from above.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Edges {
    /// The index in the span of the word for granule 0, if there were one.
    first_word: u32,
    /// The words before this one are in use,
    low: u32,
    /// and so are those from this one on.
    high: u32,
}

/// What lies beside a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Neighbour {
    Taken,
    Single,
    Longer,
}

impl Edges {
    pub const EMPTY: Self = Self {
        first_word: 0,
        low: 0,
        high: 0,
    };

    /// A bitmap for the granules from `first` up to `limit`, none of it in
    /// use, whose words begin at `first_word`.
    pub const fn new(first_word: u32, first: Offset, limit: Offset) -> Self {
        let (low, high) = (first_bit(first) / BITS, limit.0.div_ceil(BITS) + 1);
        Self {
            first_word: first_word.wrapping_sub(low),
            low,
            high,
        }
    }

    /// The words that a bitmap takes for a region of `granules`, of which it
    /// and `other_words` take the first ones.
    pub const fn words_for(granules: u32, other_words: u32) -> u32 {
        // Each word serves 32 granules, which are 64 words, and is one itself.
        let words = (granules as u64 * 2).saturating_sub(other_words as u64);
        let words = words.div_ceil(2 * BITS as u64 + 1) as u32 + 2;
        // Where that was rounded so that one is missing, one more.
        let first = Offset((other_words + words).div_ceil(2));
        words + (words + first_bit(first) / BITS < granules / BITS + 2) as u32
    }

    /// Takes the words for all granules before `end` into use.
    pub fn use_below(&mut self, span: Span, end: Offset) {
        let low = (end.0.div_ceil(BITS) + 1).min(self.high).max(self.low);
        span.clear_words(self.word(self.low), self.word(low));
        self.low = low;
    }

    /// Takes the words for all granules from `start` on into use, and for the
    /// two before it, which a block at `start` asks for.
    pub fn use_above(&mut self, span: Span, start: Offset) {
        let high = ((start.0 - 2) / BITS).max(self.low).min(self.high);
        span.clear_words(self.word(high), self.word(self.high));
        self.high = high;
    }

    /// Takes all words into use, which are known to be zero.
    pub fn use_all(&mut self) {
        self.low = self.high;
    }

    #[inline]
    pub fn before(self, span: Span, at: Offset) -> Neighbour {
        let bits = self.window(span, at.0 - 2) & 0b11;
        if bits & 0b10 == 0 {
            return Neighbour::Taken;
        }
        if bits == 0b10 {
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
        self.change(span, at, size, SET);
    }

    /// Removes a free chunk's marks.
    #[inline]
    pub fn erase(self, span: Span, at: Offset, size: Granules) {
        self.change(span, at, size, CLEAR);
    }

    /// Removes the marks at the end of a free chunk that ends before `at`:
    /// what is in front of a chunk of one granule is taken and not marked.
    #[inline]
    pub fn erase_pair_before(self, span: Span, at: Offset) {
        self.update(span, at.0 - 2, 0b11, CLEAR);
    }

    /// Removes the marks at the start of the free chunk at `at`.
    #[inline]
    pub fn erase_pair_after(self, span: Span, at: Offset) {
        self.update(span, at.0, 0b11, CLEAR);
    }

    /// Moves a free chunk's marks when its first `size` granules are taken.
    #[inline]
    pub fn split(self, span: Span, at: Offset, found: Granules, size: Granules) {
        self.erase_pair_after(span, at);
        let end = at + found;
        match found.0 - size.0 {
            0 => self.erase_pair_before(span, end),
            1 => {
                self.erase_pair_before(span, end);
                self.mark(span, end - Granules::ONE, Granules::ONE);
            }
            _ => self.update(span, (at + size).0, 0b11, SET),
        }
    }

    #[inline]
    fn change(self, span: Span, at: Offset, size: Granules, value: u64) {
        if size == Granules::ONE {
            self.update(span, at.0, 0b1, value);
        } else {
            self.update(span, at.0, 0b11, value);
            self.update(span, at.0 + size.0 - 2, 0b11, value);
        }
    }

    /// Whether a granule's bit is set. For `check`.
    pub fn is_set(self, span: Span, at: Offset) -> bool {
        self.window(span, at.0) & 1 != 0
    }

    /// The first granule from `start` up to `end` whose bit is set. For
    /// `check`.
    pub fn next_set(self, span: Span, start: Offset, end: Offset) -> Option<Offset> {
        for at in (start.0..end.0).step_by(BITS as usize) {
            let bits = self.window(span, at) as u32;
            if bits != 0 {
                let found = at + bits.trailing_zeros();
                return (found < end.0).then_some(Offset(found));
            }
        }
        None
    }

    /// The index in the span of the bitmap's word for the granules from
    /// `word * 32` on.
    #[inline]
    fn word(self, word: u32) -> usize {
        self.first_word.wrapping_add(word) as usize
    }

    /// The bits from `bit` on, at least 33 of them.
    #[inline]
    fn window(self, span: Span, bit: u32) -> u64 {
        Self::pair(span, self.word(bit / BITS)) >> (bit % BITS)
    }

    /// Gives the bits of a mask, shifted to `bit`, the value `SET` or `CLEAR`.
    #[inline]
    fn update(self, span: Span, bit: u32, mask: u64, value: u64) {
        let (word, mask) = (self.word(bit / BITS), mask << (bit % BITS));
        let bits = Self::pair(span, word) & !mask | mask & value;
        span.set_word(word, bits as u32);
        span.set_word(word + 1, (bits >> BITS) as u32);
    }

    /// Two words, so that no pair of bits is split; where unaligned loads
    /// exist they become one.
    #[inline]
    fn pair(span: Span, word: usize) -> u64 {
        u64::from(span.word(word)) | u64::from(span.word(word + 1)) << BITS
    }
}

/// The first bit that is ever looked at: two before a block.
const fn first_bit(first: Offset) -> u32 {
    first.0 - 2
}

#[cfg(test)]
mod tests;
