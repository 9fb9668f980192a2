//! The allocators that are compared.
//!
//! To add one: implement [`Contender`] in a file of its own (about ten lines, see `talc.rs`) and add a line to [`ALL`].

mod calls;
mod galloc;
mod galloc_2022;
mod limit;
mod lock;
mod mimalloc;
mod noop;
mod rlsf;
mod stand;
mod talc;

use core::alloc::GlobalAlloc;

pub use calls::Calls;

use crate::machine::region::Region;

/// An allocator that stands in a `static`.
pub trait Contender: 'static {
    /// The name in tables and on the command line.
    const NAME: &'static str;

    /// Whether the allocator lives in the region that it is given. The yardsticks ask the system for memory.
    const BOUNDED: bool = true;

    /// Bytes of the allocator itself, outside the region. Unknown for those that keep their state elsewhere.
    const STATE: Option<usize>;

    fn global() -> &'static impl GlobalAlloc;

    /// Puts the allocator back into its first state, with `region` as its heap. False if it cannot live in that region.
    ///
    /// # Safety
    /// No other thread uses the contender, and all its blocks are forgotten.
    unsafe fn reset(region: Region) -> bool;
}

/// A contender as the rest of the suite sees it.
#[derive(Clone, Copy)]
pub struct Entry {
    pub name: &'static str,
    pub bounded: bool,
    pub state: Option<usize>,
    pub calls: Calls,
    reset: unsafe fn(Region) -> bool,
}

impl Entry {
    const fn of<C: Contender>() -> Self {
        Self {
            name: C::NAME,
            bounded: C::BOUNDED,
            state: C::STATE,
            calls: Calls::of::<C>(),
            reset: C::reset,
        }
    }

    /// # Safety
    /// As [`Contender::reset`].
    pub unsafe fn reset(&self, region: Region) -> bool {
        // SAFETY: the caller keeps the contract.
        unsafe { (self.reset)(region) }
    }
}

/// The name of the contender whose time is the cost of the loop.
pub const NOOP: &str = noop::Noop::NAME;

pub const ALL: &[Entry] = &[
    Entry::of::<galloc::Galloc>(),
    Entry::of::<galloc_2022::Galloc2022>(),
    Entry::of::<talc::Talc>(),
    Entry::of::<rlsf::Rlsf>(),
    Entry::of::<mimalloc::Mimalloc>(),
    Entry::of::<limit::Limit>(),
    Entry::of::<noop::Noop>(),
];

pub fn named(name: &str) -> Option<&'static Entry> {
    ALL.iter().find(|entry| entry.name == name)
}
