//! Tells AddressSanitizer or valgrind what memory is nobody's, so that they
//! report a program that uses it.
//!
//! Of a heap's region everything is closed but what live blocks were asked to
//! hold. For the heap itself a granule is opened while it reads or writes it,
//! all of which [`Span`](crate::heap::chunk::Span) does. Without
//! `--cfg galloc_asan` or `--cfg galloc_valgrind` nothing is left of this.

#[cfg_attr(galloc_asan, path = "asan.rs")]
#[cfg_attr(all(galloc_valgrind, not(galloc_asan)), path = "valgrind.rs")]
#[cfg_attr(not(any(galloc_asan, galloc_valgrind)), path = "off.rs")]
mod tool;

pub(crate) use tool::{close, expect_open, open};

use crate::unit::Granules;

/// Opens a new block, as far as it was asked for.
#[inline(always)]
pub(crate) fn give(block: *mut u8, size: usize) {
    tool::open_new(block, size);
}

/// Opens or closes what a block grew or shrank by.
#[inline(always)]
pub(crate) fn resize(block: *mut u8, old: usize, new: usize) {
    if new > old {
        tool::open_new(block.wrapping_add(old), new - old);
    } else {
        let end = Granules::of_block(old).bytes();
        tool::close(block.wrapping_add(new), end.saturating_sub(new));
    }
}

/// Closes a block that was freed.
#[inline(always)]
pub(crate) fn take_back(block: *mut u8, size: usize) {
    tool::close(block, Granules::of_block(size).bytes());
}
