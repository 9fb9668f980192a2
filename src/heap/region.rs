//! Claiming a region: what of it the heap's tables take, and where blocks
//! begin.
//!
//! ```text
//!   start   base                             first               limit    end
//!     |  ..  | sentinels | extra | edge bitmap | blocks …           |  ..  |
//!             ^ granule 0                                            ^
//! ```
//!
//! `base` and `limit` are `start` and `end` moved inwards to a granule's
//! boundary, which is all that is lost at odd bounds.

use super::{bins::Bins, edges::Edges};
use crate::{
    error::InitError,
    unit::{GRANULE, Offset},
};

/// The most granules that one heap spans, the last of which stays unused so
/// that every position and length fits in 32 bits: 32 GiB less 16 bytes.
const MOST_GRANULES: u32 = u32::MAX - 1;

const WORDS_PER_GRANULE: u32 = (GRANULE / size_of::<u32>()) as u32;

/// What of a region is whole granules.
pub(crate) struct Bounds {
    /// The bytes before granule 0.
    pub padding: usize,
    /// The granule at which blocks end.
    pub limit: Offset,
    /// The bytes at the region's end that are beyond what a heap can span.
    pub ignored: usize,
}

impl Bounds {
    /// The bounds of the region of `length` bytes at `address`, which hold a
    /// granule at least.
    #[inline]
    pub fn new(address: usize, length: usize) -> Result<Self, InitError> {
        let end = address.checked_add(length).ok_or(InitError::WrapsAround {
            start: address,
            length,
        })?;
        let too_small = InitError::TooSmall {
            start: address,
            length,
        };
        let base = address.checked_next_multiple_of(GRANULE).ok_or(too_small)?;
        if address == 0 {
            return Err(too_small);
        }
        let available = end.checked_sub(base).ok_or(too_small)? / GRANULE;
        if available == 0 {
            return Err(too_small);
        }
        let granules = u32::try_from(available)
            .unwrap_or(u32::MAX)
            .min(MOST_GRANULES);
        Ok(Self {
            padding: base - address,
            limit: Offset(granules),
            ignored: (available - granules as usize) * GRANULE,
        })
    }
}

/// How a region is laid out.
pub(crate) struct Plan {
    pub bounds: Bounds,
    pub bins: Bins,
    /// The first of the extra granules, if there are any.
    pub extra: Offset,
    pub edges: Edges,
    /// The first granule that a block can have.
    pub first: Offset,
}

impl Plan {
    /// Lays out the region of `length` bytes at `address`, with so many `extra`
    /// granules for the heap's user, unless they were more than a 512th of it.
    pub fn new(address: usize, length: usize, extra: u32) -> Result<Self, InitError> {
        let bounds = Bounds::new(address, length)?;
        let limit = bounds.limit;
        let bins = Bins::for_region(limit.0);
        let (extra, tables) = if extra > 0 && extra <= limit.0 / 512 {
            let start = bins.words().div_ceil(WORDS_PER_GRANULE);
            (Offset(start), (start + extra) * WORDS_PER_GRANULE)
        } else {
            (Offset::NONE, bins.words())
        };
        let words = tables + Edges::words_for(limit.0, tables);
        let first = Offset(words.div_ceil(WORDS_PER_GRANULE));
        if first >= limit {
            return Err(InitError::TooSmall {
                start: address,
                length,
            });
        }
        Ok(Self {
            edges: Edges::new(tables, first, limit),
            bins,
            extra,
            first,
            bounds,
        })
    }
}

#[cfg(test)]
mod tests;
