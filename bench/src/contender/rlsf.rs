use core::alloc::{GlobalAlloc, Layout};
use core::ptr::{self, NonNull};

use rlsf::Tlsf;

use super::{Contender, lock::Locked, stand::Stand};
use crate::machine::region::Region;

/// The sizes of the bitmaps that the crate's own global allocator uses.
type Heap = Tlsf<'static, u32, u32, 28, 32>;
struct Global(Locked<Heap>);
static STAND: Stand<Global> = Stand::new(Global(Locked::new(Tlsf::new())));

pub struct Rlsf;

impl Contender for Rlsf {
    const NAME: &'static str = "rlsf";
    const STATE: Option<usize> = Some(size_of::<Global>());

    fn global() -> &'static impl GlobalAlloc {
        STAND.get()
    }

    unsafe fn reset(region: Region) -> bool {
        let Some(pool) = NonNull::new(ptr::slice_from_raw_parts_mut(region.start, region.len))
        else {
            return false;
        };
        // SAFETY: nobody else uses the contender, and the region is its own.
        unsafe {
            let tlsf = STAND.replace(Global(Locked::new(Tlsf::new())));
            tlsf.0.lock().insert_free_block_ptr(pool).is_some()
        }
    }
}

// SAFETY: every call is passed on to the heap, which keeps the contract, under a lock.
unsafe impl GlobalAlloc for Global {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let block = self.0.lock().allocate(layout);
        block.map_or(ptr::null_mut(), NonNull::as_ptr)
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller passes a block of this heap, with its alignment.
        unsafe {
            self.0
                .lock()
                .deallocate(NonNull::new_unchecked(block), layout.align())
        }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller passes a block of this heap, and a size that makes a valid layout.
        let grown = unsafe {
            let new_layout = Layout::from_size_align_unchecked(new_size, layout.align());
            self.0
                .lock()
                .reallocate(NonNull::new_unchecked(block), new_layout)
        };
        grown.map_or(ptr::null_mut(), NonNull::as_ptr)
    }
}
