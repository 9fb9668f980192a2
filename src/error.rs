//! Why a region cannot become a heap.

use core::fmt;

/// Why [`Allocator::try_init`](crate::Allocator::try_init) refused a region.
/// The allocator is as it was before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InitError {
    /// The region does not hold the heap's tables and one block besides, or
    /// begins at the null address.
    TooSmall {
        /// The region's first address.
        start: usize,
        /// The region's length in bytes.
        length: usize,
    },
    /// The region goes on beyond the end of the address space.
    WrapsAround {
        /// The region's first address.
        start: usize,
        /// The region's length in bytes.
        length: usize,
    },
    /// The allocator has a region already.
    AlreadyInitialized,
}

impl fmt::Display for InitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooSmall { start, length } => write!(
                f,
                "a region of {length} bytes at {start:#x} is too small for a heap: \
                 it must hold the heap's tables and at least one block of 8 bytes, \
                 and must not begin at address 0; give it 128 bytes or more"
            ),
            Self::WrapsAround { start, length } => write!(
                f,
                "a region of {length} bytes at {start:#x} goes beyond the end of the address \
                 space: check that its length is in bytes and counted from its start"
            ),
            Self::AlreadyInitialized => f.write_str(
                "the allocator was initialized before: call init once, and use was_initialized \
                 where it may have happened already",
            ),
        }
    }
}

impl core::error::Error for InitError {}
