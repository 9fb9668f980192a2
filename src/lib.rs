//! A memory allocator for `no_std` programs: kernels, hypervisors,
//! unikernels, firmware, WebAssembly. It turns a range of memory into a heap
//! that is fast and wastes little.
//!
//! ```text
//!   SpinLockedAllocator, StaticHeap,        front ends: a lock, a trait,
//!   PerCpuAllocator, …                      quick lists for each CPU
//!                 │
//!             Allocator                     policy: park, drain, split, copy
//!            ╱         ╲
//!   quick lists          heap               freed blocks as they are │ coalesced
//!                          │
//!            bins, edge bitmap, region      by size │ by neighbour │ by place
//! ```
//!
//! An allocated block has no header: `dealloc` is told its layout. Freed
//! small blocks wait in lists for the next request of their size, so that most
//! operations are a push or a pop. Behind the lists is a heap that coalesces
//! at once and finds a good fit in bounded time. A bitmap of one bit for
//! every 8 bytes, 1.6 % of the region, tells whether a block's neighbours are
//! free. `docs/design.md` in the repository explains all of it.
//!
//! # Which front end
//!
//! | system | use |
//! |---|---|
//! | firmware, one core, no interrupt handler allocates | `StaticHeap` or `SpinLockedAllocator`; without atomics `CriticalSectionAllocator` |
//! | firmware, one core, interrupt handlers allocate | `CriticalSectionAllocator` |
//! | kernel, one CPU, interrupt handlers allocate | `LockedAllocator` with a lock that masks interrupts |
//! | kernel, several CPUs | `PerCpuAllocator`, with such a lock if handlers allocate |
//! | hosted program, several threads | `PerCpuAllocator` by thread number, `StaticHeap` if threads seldom allocate |
//! | WebAssembly, one thread | `StaticHeap`, `SpinLockedAllocator`: their lock costs nothing there |
//! | WebAssembly with threads | `PerCpuAllocator` by worker number |
//! | one thread, several owners | `UnsyncAllocator` |
//! | firmware or WebAssembly in which bytes of code matter more than time, with few free chunks | `TinyAllocator`, alone or as `Locked<RawSpinLock, TinyAllocator>` |
//! | your own synchronisation, or none | [`Allocator`] |
//!
//! [`TinyAllocator`] is another heap, simpler and a tenth of the code, behind
//! the same locks: one list of free chunks, which every operation walks through.
//!
//! A static heap brings its memory; all others are given theirs by
//! [`init`](Allocator::init), [`try_init`](Allocator::try_init) or
//! [`try_init_zeroed`](Allocator::try_init_zeroed).
//!
//! # Quick start
//!
#![cfg_attr(feature = "spin", doc = "```")]
#![cfg_attr(not(feature = "spin"), doc = "```ignore")]
//! use good_memory_allocator::StaticHeap;
//!
//! #[global_allocator]
//! static HEAP: StaticHeap<{ 1 << 20 }> = StaticHeap::new();
//! ```
//!
//! # `SMALLBINS_AMOUNT` and `ALIGNMENT_SUB_BINS_AMOUNT`
//!
//! Every type but [`TinyAllocator`] takes these two constants, the number of sizes with quick lists
//! and the number of lists per size; see [`Allocator`]. More of either is
//! faster and makes the struct larger. Code can be generic over both.
//!
//! # Features
//!
//! - **`spin`** (default): `SpinLockedAllocator`, `StaticHeap` and
//!   `PerCpuAllocator`. Needs atomic compare-and-swap. Without it the crate
//!   has no dependencies and needs no atomics.
//! - **`locked`**: `LockedAllocator` for a lock of your own, by the crate
//!   `lock_api`, `Locked` for either kind of heap, and `UnsyncAllocator`. Part
//!   of all others.
//! - **`critical-section`**: `CriticalSectionAllocator`, whose lock is that of
//!   the crate `critical-section`. Needs no atomics.
//! - **`allocator`**: the unstable `core::alloc::Allocator` for references to
//!   all that can be shared. Needs a nightly compiler.
//! - **`allocator-api2`**: the same trait for stable Rust, from the crate
//!   `allocator-api2`.
//!
//! # Finding misuse
//!
//! With the compiler's flag `--cfg galloc_asan`, besides `-Zsanitizer=address`,
//! or with `--cfg galloc_valgrind` on x86-64, a heap tells AddressSanitizer or
//! valgrind's memcheck which of its region's bytes are nobody's: all but those
//! that live blocks were asked to hold. Use after free, overflow, double free
//! and too large a layout are then reported where they happen. Freed memory is
//! not held back, so that a use after it was allocated again is not found.
//!
//! ```console
//! RUSTFLAGS="-Zsanitizer=address --cfg galloc_asan" cargo +nightly test --target x86_64-unknown-linux-gnu
//! RUSTFLAGS="--cfg galloc_valgrind" cargo build && valgrind target/debug/program
//! ```
//!
//! # Drawbacks
//!
//! - With no headers, a wrong layout or a double free corrupts the heap
//!   unnoticed, until [`check`](Allocator::check) is called, but see above.
//! - A heap spans 32 GiB at most, and one region.
//! - Behind one lock, a second CPU makes nothing faster: see
//!   `PerCpuAllocator`, which takes 14 KiB for each CPU, and as much again.
//! - Speed is bought with room: when less than half of the region is free,
//!   freed blocks coalesce sooner, which takes longer.

#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(feature = "allocator", feature(allocator_api))]

#[cfg(all(feature = "spin", not(target_has_atomic = "8")))]
compile_error!(
    "good_memory_allocator: the feature `spin` needs atomic compare-and-swap, which this target \
     lacks; use `default-features = false` with the feature `critical-section` or `locked`"
);

mod allocator;
#[cfg(any(feature = "allocator", feature = "allocator-api2"))]
mod allocator_trait;
mod cache;
mod error;
mod heap;
#[cfg(feature = "locked")]
mod lock;
#[cfg(all(feature = "spin", target_has_atomic = "32"))]
mod per_cpu;
mod poison;
mod slots;
mod stats;
mod steps;
#[cfg(feature = "spin")]
mod sync;
mod tiny;
mod unit;
mod unlocked;

pub use allocator::{Allocator, DEFAULT_ALIGNMENT_SUB_BINS_AMOUNT, DEFAULT_SMALLBINS_AMOUNT};
pub use error::InitError;
pub use heap::CheckError;
#[cfg(feature = "critical-section")]
pub use lock::{CriticalSectionAllocator, RawCriticalSection};
#[cfg(feature = "locked")]
pub use lock::{
    Locked, LockedAllocator, LockedStatic, LockedStaticHeap, RawCell, UnsyncAllocator, lock_api,
};
#[cfg(feature = "spin")]
pub use lock::{RawSpinLock, SpinLockedAllocator, StaticHeap};
#[cfg(all(feature = "spin", target_has_atomic = "32"))]
pub use per_cpu::{CurrentCpu, PerCpuAllocator};
pub use stats::Stats;
pub use tiny::TinyAllocator;
pub use unlocked::Unlocked;
