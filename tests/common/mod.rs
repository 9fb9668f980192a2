//! What the tests share: memory for heaps, the operations, and a shadow of
//! what an allocator ought to have done with them.

#![allow(
    dead_code,
    unused_imports,
    reason = "each test file uses a part of this"
)]

pub mod block;
#[cfg(feature = "spin")]
pub mod cpu;
#[cfg(feature = "spin")]
pub mod front_end;
#[cfg(target_os = "linux")]
pub mod interrupts;
pub mod op;
pub mod pattern;
pub mod random;
pub mod region;
pub mod shadow;
pub mod subject;
#[cfg(feature = "spin")]
pub mod ticket;
pub mod worker;

pub use block::Block;
pub use op::Op;
pub use random::Random;
pub use region::Region;
pub use shadow::Shadow;
pub use subject::Subject;
pub use worker::Worker;

use std::alloc::Layout;

/// All is well, or what is not.
pub type Verdict = Result<(), String>;

/// Returns from a function that gives a [`Verdict`] unless a claim holds.
macro_rules! ensure {
    ($claim:expr, $($otherwise:tt)+) => {
        if !$claim {
            return Err(format!($($otherwise)+));
        }
    };
}
pub(crate) use ensure;

/// What every block is a multiple of, in place and size.
pub const GRANULE: usize = 8;

/// The bytes that a block of `size` bytes takes.
pub const fn footprint(size: usize) -> usize {
    if size == 0 {
        GRANULE
    } else {
        size.next_multiple_of(GRANULE)
    }
}

/// The layout of `size` bytes at a multiple of `align`.
#[track_caller]
pub fn layout(size: usize, align: usize) -> Layout {
    Layout::from_size_align(size, align).unwrap()
}
