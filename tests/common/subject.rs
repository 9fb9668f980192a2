//! What is tested: anything that serves layouts and gives account of itself.

use std::{alloc::Layout, ops::Range};

use good_memory_allocator::{Allocator, InitError, Stats, TinyAllocator};

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
subject!([] TinyAllocator, by TinyAllocator);

/// An allocator without a lock, which is given a region.
pub trait Kind: Subject + Sized {
    fn empty() -> Self;

    fn was_initialized(&self) -> bool;

    unsafe fn init(&mut self, start: usize, length: usize);

    /// Gives it a region, which may be known to be zero.
    unsafe fn try_init(
        &mut self,
        start: *mut u8,
        length: usize,
        zeroed: bool,
    ) -> Result<(), InitError>;
}

impl<const S: usize, const A: usize> Kind for Allocator<S, A> {
    fn empty() -> Self {
        Self::empty()
    }

    fn was_initialized(&self) -> bool {
        self.was_initialized()
    }

    unsafe fn init(&mut self, start: usize, length: usize) {
        // SAFETY: the caller's promise.
        unsafe { self.init(start, length) }
    }

    unsafe fn try_init(
        &mut self,
        start: *mut u8,
        length: usize,
        zeroed: bool,
    ) -> Result<(), InitError> {
        // SAFETY: the caller's promise.
        unsafe {
            if zeroed {
                self.try_init_zeroed(start, length)
            } else {
                self.try_init(start, length)
            }
        }
    }
}

impl Kind for TinyAllocator {
    fn empty() -> Self {
        Self::empty()
    }

    fn was_initialized(&self) -> bool {
        self.was_initialized()
    }

    unsafe fn init(&mut self, start: usize, length: usize) {
        // SAFETY: the caller's promise.
        unsafe { self.init(start, length) }
    }

    unsafe fn try_init(&mut self, start: *mut u8, length: usize, _: bool) -> Result<(), InitError> {
        // SAFETY: the caller's promise.
        unsafe { self.try_init(start, length) }
    }
}

#[cfg(feature = "spin")]
mod shared {
    use std::alloc::GlobalAlloc;

    use good_memory_allocator::{
        CurrentCpu, Locked, LockedStatic, PerCpuAllocator, Unlocked, lock_api::RawMutex,
    };

    use super::*;

    subject!([R: RawMutex, T: Unlocked] &Locked<R, T>, by Locked<R, T>);
    subject!(
        [R: RawMutex, const B: usize, T: Unlocked] &LockedStatic<R, B, T>,
        by LockedStatic<R, B, T>
    );
    subject!(
        [Cpu: CurrentCpu, R: RawMutex, const N: usize, const S: usize, const A: usize]
        &PerCpuAllocator<Cpu, N, R, S, A>,
        by PerCpuAllocator<Cpu, N, R, S, A>
    );
}

/// An allocator over a region; told, if so asked, that the region is zero.
#[track_caller]
pub fn allocator_over<T: Kind>(region: &Region, zeroed: bool) -> T {
    give(T::empty(), region, zeroed)
}

/// Gives an allocator a region, as [`allocator_over`] does.
#[track_caller]
pub fn give<T: Kind>(mut allocator: T, region: &Region, zeroed: bool) -> T {
    if zeroed {
        region.clear();
    } else {
        region.soil();
    }
    // SAFETY: the region is valid, and used by this allocator alone while the
    // test uses the allocator. It is cleared where that is promised.
    unsafe { allocator.try_init(region.start(), region.len(), zeroed) }.unwrap();
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
pub fn space_over<T: Kind>(region: &Region) -> Range<usize> {
    space_of(&mut allocator_over::<T>(region, false))
}

/// The length of the shortest region at this skew that such an allocator
/// takes.
pub fn least_length<T: Kind>(skew: usize) -> usize {
    (0..)
        .find(|&length| {
            let region = Region::new(skew, length);
            let mut allocator = T::empty();
            // SAFETY: the region is valid and outlives the allocator.
            unsafe { allocator.try_init(region.start(), length, false) }.is_ok()
        })
        .unwrap()
}
