//! The `Allocator` traits, the standard library's unstable one and its mirror
//! for stable Rust, by one implementation.

#[cfg(any(feature = "allocator", feature = "allocator-api2"))]
macro_rules! implement_allocator {
    ($($api:ident)::+) => {
        // SAFETY: the blocks are the allocator's, which outlives its users
        // and does not move while it is borrowed. Layouts of size zero take
        // no memory.
        unsafe impl<R, const SMALLBINS_AMOUNT: usize, const ALIGNMENT_SUB_BINS_AMOUNT: usize>
            $($api)::+::Allocator
            for &LockedAllocator<R, SMALLBINS_AMOUNT, ALIGNMENT_SUB_BINS_AMOUNT>
        where
            R: RawMutex,
        {
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
                unsafe { self.change_layout(block, old, new) }.ok_or($($api)::+::AllocError)
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
                    let grown = self.change_layout(block, old, new).ok_or($($api)::+::AllocError)?;
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
                unsafe { self.change_layout(block, old, new) }.ok_or($($api)::+::AllocError)
            }
        }
    };
}

#[cfg(any(feature = "allocator", feature = "allocator-api2"))]
mod implementation {
    use core::{
        alloc::{GlobalAlloc, Layout},
        ptr::{self, NonNull},
    };

    use lock_api::RawMutex;

    use crate::lock::LockedAllocator;

    #[cfg(feature = "allocator")]
    implement_allocator!(core::alloc);
    #[cfg(feature = "allocator-api2")]
    implement_allocator!(allocator_api2::alloc);

    impl<R: RawMutex, const SMALLBINS_AMOUNT: usize, const ALIGNMENT_SUB_BINS_AMOUNT: usize>
        LockedAllocator<R, SMALLBINS_AMOUNT, ALIGNMENT_SUB_BINS_AMOUNT>
    {
        /// Makes a block fit another layout: where it is if it can, and else
        /// elsewhere.
        ///
        /// # Safety
        ///
        /// The block fits the old layout, and is not used by anybody else.
        unsafe fn change_layout(
            &self,
            block: NonNull<u8>,
            old: Layout,
            new: Layout,
        ) -> Option<NonNull<[u8]>> {
            if new.size() == 0 {
                if old.size() != 0 {
                    // SAFETY: the caller's promise.
                    unsafe { self.dealloc(block.as_ptr(), old) };
                }
                return Some(empty_block(new));
            }
            let changed = if old.size() == 0 {
                // SAFETY: the new size is not zero.
                unsafe { self.alloc(new) }
            } else if block.addr().get() % new.align() == 0 {
                // SAFETY: the block is as well aligned as the new layout
                // asks, so it could have been allocated with its alignment.
                unsafe {
                    let layout = Layout::from_size_align_unchecked(old.size(), new.align());
                    self.realloc(block.as_ptr(), layout, new.size())
                }
            } else {
                // SAFETY: the caller's promise.
                unsafe { self.move_to(block, old, new) }
            };
            sized_block(changed, new.size())
        }

        /// Moves a block to where it is aligned as another layout asks.
        ///
        /// # Safety
        ///
        /// As for `change_layout`; neither size is zero.
        unsafe fn move_to(&self, block: NonNull<u8>, old: Layout, new: Layout) -> *mut u8 {
            // SAFETY: the new block is another one; of both no more is
            // touched than they have.
            unsafe {
                let moved = self.alloc(new);
                if !moved.is_null() {
                    let bytes = old.size().min(new.size());
                    moved.copy_from_nonoverlapping(block.as_ptr(), bytes);
                    self.dealloc(block.as_ptr(), old);
                }
                moved
            }
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
}
