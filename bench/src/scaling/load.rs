//! What the CPUs do: the patterns of the workload `threads`, and sizes beyond its own.

use fastrand::Rng;

use super::design::{Class, class_of};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pattern {
    Private,
    Larson,
    Pipeline,
}

pub const PATTERNS: [Pattern; 3] = [Pattern::Private, Pattern::Larson, Pattern::Pipeline];

/// Of all blocks, how many are larger than those of `threads`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Load {
    /// 513 bytes to 4 KiB.
    pub medium: f64,
    /// Up to 16 KiB, for which there are no lists.
    pub large: f64,
    /// How many sizes these have; any, if that is 0.
    pub large_sizes: usize,
}

/// Blocks that each CPU has at a time.
pub const LIVE: usize = 1000;
/// Of `threads`.
pub const LARGEST: usize = 512;
const LARGEST_MEDIUM: usize = 4096;
pub const LARGEST_LARGE: usize = 16_384;

/// Pairs after which all blocks pass to the next CPU in `Larson`, as in a run at usual effort.
pub const PASS: u32 = 10_000;
/// Blocks in a batch of `Pipeline`, and batches that may wait.
pub const SENT: usize = 64;
pub const QUEUE: usize = 16;

impl Pattern {
    /// As `threads` calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Larson => "larson",
            Self::Pipeline => "producer to consumer",
        }
    }
}

impl Load {
    #[inline]
    pub fn class(&self, rng: &mut Rng) -> Class {
        if self.medium + self.large > 0.0 {
            let kind = rng.f64();
            if kind < self.large {
                return class_of(self.large_size(rng));
            }
            if kind < self.large + self.medium {
                return class_of(rng.usize(LARGEST + 1..=LARGEST_MEDIUM));
            }
        }
        class_of(rng.usize(1..=LARGEST))
    }

    fn large_size(&self, rng: &mut Rng) -> usize {
        let beyond = LARGEST_LARGE - LARGEST_MEDIUM;
        match self.large_sizes {
            0 => LARGEST_MEDIUM + rng.usize(1..=beyond),
            sizes => LARGEST_MEDIUM + beyond * rng.usize(1..=sizes) / sizes,
        }
    }
}
