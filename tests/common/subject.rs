//! What is tested: anything that serves layouts and gives account of itself.

use std::{alloc::Layout, ops::Range};

use good_memory_allocator::{Allocator, Stats};

use super::{GRANULE, Region, Verdict, layout};

/// An allocator under test.
///
/// # Safety
///
/// To be called as a [`GlobalAlloc`](std::alloc::GlobalAlloc) is, except that
/// sizes may be zero.
pub trait Subject {
    unsafe fn alloc(&mut self, layout: Layout) -> *mut u8;
    unsafe fn alloc_zeroed(&mut self, layout: Layout) -> *mut u8;
    unsafe fn dealloc(&mut self, block: *mut u8, layout: Layout);
    unsafe fn realloc(&mut self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8;
    fn stats(&self) -> Stats;
    fn check(&self) -> Verdict;
}

/// Calls go to the methods of the same name that the owner has.
macro_rules! subject {
    ([$($constants:tt)*] $subject:ty, by $owner:ty) => {
        impl<$($constants)*> Subject for $subject {
            unsafe fn alloc(&mut self, layout: Layout) -> *mut u8 {
                // SAFETY: the caller's promise.
                unsafe { <$owner>::alloc(self, layout) }
            }
            unsafe fn alloc_zeroed(&mut self, layout: Layout) -> *mut u8 {
                // SAFETY: the caller's promise.
                unsafe { <$owner>::alloc_zeroed(self, layout) }
            }
            unsafe fn dealloc(&mut self, block: *mut u8, layout: Layout) {
                // SAFETY: the caller's promise.
                unsafe { <$owner>::dealloc(self, block, layout) }
            }
            unsafe fn realloc(&mut self, block: *mut u8, layout: Layout, new: usize) -> *mut u8 {
                // SAFETY: the caller's promise.
                unsafe { <$owner>::realloc(self, block, layout, new) }
            }
            fn stats(&self) -> Stats {
                <$owner>::stats(self)
            }
            fn check(&self) -> Verdict {
                <$owner>::check(self).map_err(|error| error.to_string())
            }
        }
    };
}

subject!([const S: usize, const A: usize] Allocator<S, A>, by Allocator<S, A>);

#[cfg(feature = "spin")]
mod shared {
    use std::alloc::GlobalAlloc;

    use good_memory_allocator::{
        CurrentCpu, LockedAllocator, LockedStaticHeap, PerCpuAllocator, lock_api::RawMutex,
    };

    use super::*;

    subject!(
        [R: RawMutex, const S: usize, const A: usize] &LockedAllocator<R, S, A>,
        by LockedAllocator<R, S, A>
    );
    subject!(
        [R: RawMutex, const B: usize, const S: usize, const A: usize]
        &LockedStaticHeap<R, B, S, A>,
        by LockedStaticHeap<R, B, S, A>
    );
    subject!(
        [Cpu: CurrentCpu, R: RawMutex, const N: usize, const S: usize, const A: usize]
        &PerCpuAllocator<Cpu, N, R, S, A>,
        by PerCpuAllocator<Cpu, N, R, S, A>
    );
}

/// An allocator over a region; told, if so asked, that the region is zero.
#[track_caller]
pub fn allocator_over<const S: usize, const A: usize>(
    region: &Region,
    zeroed: bool,
) -> Allocator<S, A> {
    give(Allocator::empty(), region, zeroed)
}

/// Gives an allocator a region, as [`allocator_over`] does.
#[track_caller]
pub fn give<const S: usize, const A: usize>(
    mut allocator: Allocator<S, A>,
    region: &Region,
    zeroed: bool,
) -> Allocator<S, A> {
    // SAFETY: the region is valid, and used by this allocator alone while the
    // test uses the allocator. It is cleared where that is promised.
    let made = unsafe {
        if zeroed {
            region.clear();
            allocator.try_init_zeroed(region.start(), region.len())
        } else {
            region.soil();
            allocator.try_init(region.start(), region.len())
        }
    };
    made.unwrap();
    allocator
}

/// Where an allocator that has no blocks yet can have any: found by asking
/// it for as much as it gives.
pub fn space_of(subject: &mut dyn Subject) -> Range<usize> {
    let mut served = 0..0;
    let (mut fits, mut fails) = (0, isize::MAX as usize / GRANULE);
    while fits + 1 < fails {
        let granules = fits.midpoint(fails);
        let wanted = layout(granules * GRANULE, GRANULE);
        // SAFETY: the block is freed as it was allocated.
        unsafe {
            let block = subject.alloc(wanted);
            if block.is_null() {
                fails = granules;
            } else {
                fits = granules;
                served = block.addr()..block.addr() + wanted.size();
                subject.dealloc(block, wanted);
            }
        }
    }
    served
}

/// Where an allocator of this kind over this region can have blocks.
pub fn space_over<const S: usize, const A: usize>(region: &Region) -> Range<usize> {
    space_of(&mut allocator_over::<S, A>(region, false))
}

/// The length of the shortest region at this skew that such an allocator
/// takes.
pub fn least_length<const S: usize, const A: usize>(skew: usize) -> usize {
    (0..)
        .find(|&length| {
            let region = Region::new(skew, length);
            let mut allocator = Allocator::<S, A>::empty();
            // SAFETY: the region is valid and outlives the allocator.
            unsafe { allocator.try_init(region.start(), length) }.is_ok()
        })
        .unwrap()
}
