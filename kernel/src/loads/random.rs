//! Numbers that look random.

use core::alloc::Layout;

/// Marsaglia's xorshift.
pub struct Random(u64);

impl Random {
    pub fn new(seed: usize) -> Self {
        Self((seed as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % end
    }

    /// A size of up to 8 KiB, more likely a small one.
    pub fn size(&mut self) -> usize {
        let octave = 8192 >> self.below(12);
        1 + self.below(octave)
    }

    /// A size as above; mostly aligned as collections are, and sometimes to a
    /// page.
    pub fn layout(&mut self) -> Layout {
        let align = if self.below(64) == 0 {
            4096
        } else {
            1 << self.below(5)
        };
        let layout = Layout::from_size_align(self.size(), align);
        layout.expect("the size and alignment are small")
    }
}
