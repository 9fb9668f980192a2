//! The allocators that threads can share.

use std::{alloc::GlobalAlloc, ops::Range};

use good_memory_allocator::{
    Allocator, CurrentCpu, Locked, PerCpuAllocator, Unlocked, lock_api::RawMutex,
};

use super::{
    Region, Subject,
    subject::{Kind, space_over},
};

/// An allocator that can be shared, and that is given a region.
pub trait FrontEnd: GlobalAlloc {
    /// An allocator over a region.
    fn over(region: &Region) -> Self;

    /// Where an allocator over this region can have blocks.
    fn space(region: &Region) -> Range<usize>;

    fn subject(&self) -> impl Subject;
}

impl<R: RawMutex, T: Unlocked + Kind> FrontEnd for Locked<R, T> {
    fn over(region: &Region) -> Self {
        let allocator = Self::empty();
        // SAFETY: the region is valid, and this allocator's alone.
        unsafe { allocator.try_init(region.start(), region.len()) }.unwrap();
        allocator
    }

    fn space(region: &Region) -> Range<usize> {
        space_over::<T>(region)
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
        space_over::<Allocator<S, A>>(region)
    }

    fn subject(&self) -> impl Subject {
        self
    }
}
