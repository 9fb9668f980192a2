//! The `Allocator` traits, the standard library's unstable one and its mirror
//! for stable Rust, by one implementation for all front ends.

use core::{
    alloc::{GlobalAlloc, Layout},
    ptr::{self, NonNull},
};

use crate::lock::{Locked, LockedStatic, lock_api::RawMutex};
#[cfg(all(feature = "spin", target_has_atomic = "32"))]
use crate::per_cpu::{CurrentCpu, PerCpuAllocator};
use crate::unlocked::Unlocked;

macro_rules! implement_allocator {
    ($($api:ident)::+; [$($generics:tt)*] $front_end:ty) => {
        // SAFETY: the blocks are the allocator's, which outlives its users
        // and does not move while it is borrowed. Layouts of size zero take
        // no memory.
        unsafe impl<$($generics)*> $($api)::+::Allocator for &$front_end {
            fn allocate(&self, layout: Layout) -> Result<NonNull<[u8]>, $($api)::+::AllocError> {
                if layout.size() == 0 {
                    return Ok(empty_block(layout));
                }
                // SAFETY: the layout's size is not zero.
                let block = unsafe { self.alloc(layout) };
                sized_block(block, layout.size()).ok_or($($api)::+::AllocError)
            }

            fn allocate_zeroed(
                &self,
                layout: Layout,
            ) -> Result<NonNull<[u8]>, $($api)::+::AllocError> {
                if layout.size() == 0 {
                    return Ok(empty_block(layout));
                }
                // SAFETY: the layout's size is not zero.
                let block = unsafe { self.alloc_zeroed(layout) };
                sized_block(block, layout.size()).ok_or($($api)::+::AllocError)
            }

            unsafe fn deallocate(&self, block: NonNull<u8>, layout: Layout) {
                if layout.size() != 0 {
                    // SAFETY: the caller's promise.
                    unsafe { self.dealloc(block.as_ptr(), layout) }
                }
            }

            unsafe fn grow(
                &self,
                block: NonNull<u8>,
                old: Layout,
                new: Layout,
            ) -> Result<NonNull<[u8]>, $($api)::+::AllocError> {
                // SAFETY: the caller's promise.
                unsafe { change_layout(*self, block, old, new) }.ok_or($($api)::+::AllocError)
            }

            unsafe fn grow_zeroed(
                &self,
                block: NonNull<u8>,
                old: Layout,
                new: Layout,
            ) -> Result<NonNull<[u8]>, $($api)::+::AllocError> {
                // SAFETY: the caller's promise; what is cleared is what the
                // block grew by.
                unsafe {
                    let grown = change_layout(*self, block, old, new).ok_or($($api)::+::AllocError)?;
                    let start = grown.cast::<u8>().as_ptr().add(old.size());
                    start.write_bytes(0, new.size() - old.size());
                    Ok(grown)
                }
            }

            unsafe fn shrink(
                &self,
                block: NonNull<u8>,
                old: Layout,
                new: Layout,
            ) -> Result<NonNull<[u8]>, $($api)::+::AllocError> {
                // SAFETY: the caller's promise.
                unsafe { change_layout(*self, block, old, new) }.ok_or($($api)::+::AllocError)
            }
        }
    };
}

macro_rules! implement_for_all {
    ($($api:ident)::+) => {
        implement_allocator!(
            $($api)::+;
            [R: RawMutex, T: Unlocked] Locked<R, T>
        );
        implement_allocator!(
            $($api)::+;
            [R: RawMutex, const B: usize, T: Unlocked] LockedStatic<R, B, T>
        );
        #[cfg(all(feature = "spin", target_has_atomic = "32"))]
        implement_allocator!(
            $($api)::+;
            [Cpu: CurrentCpu, R: RawMutex, const N: usize, const S: usize, const A: usize]
            PerCpuAllocator<Cpu, N, R, S, A>
        );
    };
}

#[cfg(feature = "allocator")]
implement_for_all!(core::alloc);
#[cfg(feature = "allocator-api2")]
implement_for_all!(allocator_api2::alloc);

/// Makes a block fit another layout: where it is if it can, and else
/// elsewhere.
///
/// # Safety
///
/// The block fits the old layout, and is not used by anybody else.
unsafe fn change_layout(
    allocator: &impl GlobalAlloc,
    block: NonNull<u8>,
    old: Layout,
    new: Layout,
) -> Option<NonNull<[u8]>> {
    if new.size() == 0 {
        if old.size() != 0 {
            // SAFETY: the caller's promise.
            unsafe { allocator.dealloc(block.as_ptr(), old) };
        }
        return Some(empty_block(new));
    }
    let changed = if old.size() == 0 {
        // SAFETY: the new size is not zero.
        unsafe { allocator.alloc(new) }
    } else if block.addr().get() % new.align() == 0 {
        // SAFETY: the block is as well aligned as the new layout
        // asks, so it could have been allocated with its alignment.
        unsafe {
            let layout = Layout::from_size_align_unchecked(old.size(), new.align());
            allocator.realloc(block.as_ptr(), layout, new.size())
        }
    } else {
        // SAFETY: the caller's promise.
        unsafe { move_to(allocator, block, old, new) }
    };
    sized_block(changed, new.size())
}

/// Moves a block to where it is aligned as another layout asks.
///
/// # Safety
///
/// As for `change_layout`; neither size is zero.
unsafe fn move_to(
    allocator: &impl GlobalAlloc,
    block: NonNull<u8>,
    old: Layout,
    new: Layout,
) -> *mut u8 {
    // SAFETY: the new block is another one; of both no more is
    // touched than they have.
    unsafe {
        let moved = allocator.alloc(new);
        if !moved.is_null() {
            let bytes = old.size().min(new.size());
            moved.copy_from_nonoverlapping(block.as_ptr(), bytes);
            allocator.dealloc(block.as_ptr(), old);
        }
        moved
    }
}

fn sized_block(block: *mut u8, size: usize) -> Option<NonNull<[u8]>> {
    NonNull::new(block).map(|block| NonNull::slice_from_raw_parts(block, size))
}

/// What is allocated for a layout of size zero: nothing, at an address
/// that is aligned.
fn empty_block(layout: Layout) -> NonNull<[u8]> {
    let nowhere = NonNull::new(ptr::without_provenance_mut(layout.align()));
    NonNull::slice_from_raw_parts(nowhere.unwrap_or(NonNull::dangling()), 0)
}
