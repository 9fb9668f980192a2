//! The allocators that threads can share.

use std::{alloc::GlobalAlloc, ops::Range};

use good_memory_allocator::{CurrentCpu, LockedAllocator, PerCpuAllocator, lock_api::RawMutex};

use super::{Region, Subject, subject::space_over};

/// An allocator that can be shared, and that is given a region.
pub trait FrontEnd: GlobalAlloc {
    /// An allocator over a region.
    fn over(region: &Region) -> Self;

    /// Where an allocator over this region can have blocks.
    fn space(region: &Region) -> Range<usize>;

    fn subject(&self) -> impl Subject;
}

impl<R: RawMutex, const S: usize, const A: usize> FrontEnd for LockedAllocator<R, S, A> {
    fn over(region: &Region) -> Self {
        let allocator = Self::empty();
        // SAFETY: the region is valid, and this allocator's alone.
        unsafe { allocator.try_init(region.start(), region.len()) }.unwrap();
        allocator
    }

    fn space(region: &Region) -> Range<usize> {
        space_over::<S, A>(region)
    }

    fn subject(&self) -> impl Subject {
        self
    }
}

impl<Cpu: CurrentCpu, R: RawMutex, const N: usize, const S: usize, const A: usize> FrontEnd
    for PerCpuAllocator<Cpu, N, R, S, A>
{
    fn over(region: &Region) -> Self {
        let allocator = Self::empty();
        // SAFETY: the region is valid, and this allocator's alone.
        unsafe { allocator.try_init(region.start(), region.len()) }.unwrap();
        allocator
    }

    fn space(region: &Region) -> Range<usize> {
        space_over::<S, A>(region)
    }

    fn subject(&self) -> impl Subject {
        self
    }
}
