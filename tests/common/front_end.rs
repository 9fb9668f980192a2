//! The allocators that threads can share.

use std::{alloc::GlobalAlloc, ops::Range};

use good_memory_allocator::{CurrentCpu, PerCpuAllocator, RawSpinLock, SpinLockedAllocator};

use super::{Region, Subject, subject::space_over};

/// An allocator that threads can share, and that is given a region.
pub trait FrontEnd: GlobalAlloc + Sync {
    /// An allocator over a region.
    fn over(region: &Region) -> Self;

    /// Where an allocator over this region can have blocks.
    fn space(region: &Region) -> Range<usize>;

    fn subject(&self) -> impl Subject;
}

impl<const S: usize, const A: usize> FrontEnd for SpinLockedAllocator<S, A> {
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

impl<Cpu: CurrentCpu, const N: usize, const S: usize, const A: usize> FrontEnd
    for PerCpuAllocator<Cpu, N, RawSpinLock, S, A>
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
