//! The bytes of an input, and the operations they stand for. What a byte
//! decides is chosen so that short inputs already do much.

use std::{alloc::Layout, ops::RangeInclusive};

use crate::common::{Op, layout};

/// What is left of an input. At its end there are zeros.
pub struct Input<'a>(&'a [u8]);

/// An operation, to be done so many times.
pub struct Step {
    pub op: Op,
    pub times: usize,
}

impl<'a> Input<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn byte(&mut self) -> u8 {
        let Some((&first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        first
    }

    pub fn flag(&mut self) -> bool {
        self.byte() % 2 == 1
    }

    /// A number in a range, of as many bytes as that needs.
    pub fn number(&mut self, range: RangeInclusive<usize>) -> usize {
        let span = range.end() - range.start();
        let (mut number, mut left) = (0, span);
        while left > 0 {
            number = number << 8 | usize::from(self.byte());
            left >>= 8;
        }
        match span.checked_add(1) {
            Some(numbers) => range.start() + number % numbers,
            None => number,
        }
    }

    /// How many operations there are from one examination of a heap to the
    /// next. To examine a large one takes long.
    pub fn interval(&mut self, capacity: usize) -> usize {
        (1 << self.number(0..=8)).max(capacity >> 10)
    }

    /// Any operation on a heap of this capacity. Some are done many times, to
    /// fill lists and heaps.
    pub fn step(&mut self, capacity: usize) -> Step {
        let byte = self.byte();
        let op = match byte % 16 {
            0..=5 => Op::Alloc(self.layout(capacity)),
            6 => Op::AllocZeroed(self.layout(capacity)),
            7..=9 => Op::Realloc {
                block: self.block(),
                size: self.size(capacity),
            },
            _ => Op::Dealloc {
                block: self.block(),
            },
        };
        let again = byte >= 0xF0 && !matches!(op, Op::Realloc { .. });
        let times = if again { self.number(1..=64) } else { 1 };
        Step { op, times }
    }

    /// A block's number.
    pub fn block(&mut self) -> usize {
        self.byte().into()
    }

    /// Any layout, for a heap of this capacity.
    pub fn layout(&mut self, capacity: usize) -> Layout {
        let align = 1_usize << self.alignment_log2();
        let most = isize::MAX as usize + 1 - align;
        layout(self.size(capacity).min(most), align)
    }

    /// Sizes from nothing to too much, most of them small.
    fn size(&mut self, capacity: usize) -> usize {
        let most = isize::MAX as usize;
        let range = match self.byte() % 32 {
            0..=14 => 0..=64,
            15..=20 => 0..=1100,
            21..=25 => 0..=capacity / 16,
            26 | 27 => 0..=capacity / 2,
            28 => 0..=capacity,
            29 => 0..=5000,
            30 => capacity.saturating_sub(64)..=capacity + 16,
            _ => most - 64..=most,
        };
        self.number(range)
    }

    /// Alignments from 1 to 64 KiB, and seldom all there are.
    fn alignment_log2(&mut self) -> usize {
        match self.byte() {
            any @ 0..=159 => usize::from(any % 4),
            any @ 160..=223 => 4 + usize::from(any % 4),
            any @ 224..=247 => 4 + usize::from(any) % 13,
            _ => self.number(0..=usize::BITS as usize - 1),
        }
    }
}
