//! The allocators that are compared.
//!
//! To add one: implement [`Contender`] in a file of its own (about ten lines, see `talc.rs`) and add a line to [`ALL`].

mod buddy;
mod calls;
mod dlmalloc;
mod galloc;
mod galloc_2022;
#[cfg(feature = "jemalloc")]
mod jemalloc;
mod limit;
mod linked_list;
mod lock;
mod mimalloc;
mod noop;
mod picoalloc;
mod rlsf;
mod rusty_alloc;
#[cfg(simple_chunk)]
mod simple_chunk;
#[cfg(feature = "snmalloc")]
mod snmalloc;
mod stand;
mod system;
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

pub const ALL: &[Entry] = &both::<{ MAIN.len() + galloc::SETTINGS.len() }>(MAIN, galloc::SETTINGS);

const fn both<const N: usize>(first: &[Entry], second: &[Entry]) -> [Entry; N] {
    let mut entries = [first[0]; N];
    let mut at = 0;
    while at < N {
        entries[at] = if at < first.len() {
            first[at]
        } else {
            second[at - first.len()]
        };
        at += 1;
    }
    entries
}

const MAIN: &[Entry] = &[
    Entry::of::<galloc::default::Galloc>(),
    Entry::of::<galloc::none::Galloc>(),
    Entry::of::<galloc::few::Galloc>(),
    Entry::of::<galloc::many::Galloc>(),
    Entry::of::<galloc::tiny::Galloc>(),
    Entry::of::<galloc::per_cpu::Galloc>(),
    Entry::of::<galloc_2022::Galloc2022>(),
    Entry::of::<talc::Talc>(),
    Entry::of::<rlsf::Rlsf>(),
    Entry::of::<dlmalloc::Dlmalloc>(),
    Entry::of::<linked_list::LinkedList>(),
    Entry::of::<buddy::Buddy>(),
    #[cfg(simple_chunk)]
    Entry::of::<simple_chunk::SimpleChunk>(),
    Entry::of::<picoalloc::Picoalloc>(),
    Entry::of::<rusty_alloc::RustyAlloc>(),
    Entry::of::<system::SystemMalloc>(),
    Entry::of::<mimalloc::Mimalloc>(),
    #[cfg(feature = "jemalloc")]
    Entry::of::<jemalloc::Jemalloc>(),
    #[cfg(feature = "snmalloc")]
    Entry::of::<snmalloc::Snmalloc>(),
    Entry::of::<limit::Limit>(),
    Entry::of::<noop::Noop>(),
];

/// Who is not there, and why.
pub const LEFT_OUT: &[(&str, &str)] = &[
    #[cfg(not(simple_chunk))]
    (
        "simple-chunk",
        "all its versions are yanked; bench/prepare-simple-chunk.sh makes a copy that builds",
    ),
    #[cfg(not(feature = "jemalloc"))]
    (
        "jemalloc",
        "takes make and about a minute to build; --features jemalloc",
    ),
    #[cfg(not(feature = "snmalloc"))]
    ("snmalloc", "takes a C++20 compiler; --features snmalloc"),
    ("frusa", "builds with a nightly compiler only"),
];

pub fn named(name: &str) -> Option<&'static Entry> {
    ALL.iter().find(|entry| entry.name == name)
}
