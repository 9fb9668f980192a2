//! Numbers that look random, for threads that each want their own.

/// Marsaglia's xorshift.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self((seed + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % end
    }

    /// A size of up to `most` bytes, more likely a small one.
    pub fn size(&mut self, most: usize) -> usize {
        let octave = most >> self.below(most.ilog2() as usize);
        1 + self.below(octave)
    }
}
