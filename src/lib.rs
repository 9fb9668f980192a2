//! galloc
#![no_std]
#![deny(unsafe_op_in_unsafe_fn)]
#![cfg_attr(feature = "allocator", feature(allocator_api))]

mod allocator;
mod cache;
mod error;
mod heap;
mod stats;
mod unit;
#[cfg(feature = "spin")]
mod lock;

pub use allocator::{Allocator, DEFAULT_ALIGNMENT_SUB_BINS_AMOUNT, DEFAULT_SMALLBINS_AMOUNT};
pub use error::InitError;
pub use heap::CheckError;
pub use stats::Stats;
#[cfg(feature = "spin")]
pub use lock::{LockedAllocator, RawSpinLock, SpinLockedAllocator, StaticHeap};
