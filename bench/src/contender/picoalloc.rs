use core::alloc::{GlobalAlloc, Layout};
use core::ptr::{self, NonNull};

use picoalloc::{Allocator, Env, Size};

use super::{Contender, lock::Locked, stand::Stand};
use crate::machine::region::Region;

/// The address space that picoalloc lives in: the region.
struct Space(Region);

// SAFETY: the region goes with it.
unsafe impl Send for Space {}

impl Env for Space {
    fn total_space(&self) -> Size {
        size(self.0.len / 32 * 32).unwrap_or(Size::from_bytes_usize(0).unwrap())
    }

    unsafe fn allocate_address_space(&mut self) -> *mut u8 {
        self.0.start
    }

    unsafe fn expand_memory_until(&mut self, _base: *mut u8, size: Size) -> bool {
        size <= self.total_space()
    }

    unsafe fn free_address_space(&mut self, _base: *mut u8) {}
}

const fn size(bytes: usize) -> Option<Size> {
    Size::from_bytes_usize(bytes)
}

struct Global(Locked<Allocator<Space>>);
static STAND: Stand<Global> = Stand::new(Global::over(Region::NONE));

impl Global {
    const fn over(region: Region) -> Self {
        Self(Locked::new(Allocator::new(Space(region))))
    }
}

pub struct Picoalloc;

impl Contender for Picoalloc {
    const NAME: &'static str = "picoalloc";
    const STATE: Option<usize> = Some(size_of::<Global>());

    fn global() -> &'static impl GlobalAlloc {
        STAND.get()
    }

    unsafe fn reset(region: Region) -> bool {
        // SAFETY: nobody else uses the contender.
        unsafe { STAND.replace(Global::over(region)) };
        true
    }
}

// SAFETY: every call is passed on to the heap, which keeps the contract, under a lock.
unsafe impl GlobalAlloc for Global {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Some((align, size)) = size(layout.align()).zip(size(layout.size())) else {
            return ptr::null_mut();
        };
        let block = self.0.lock().alloc(align, size);
        block.map_or(ptr::null_mut(), NonNull::as_ptr)
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, _layout: Layout) {
        // SAFETY: the caller passes a block of this heap.
        unsafe { self.0.lock().free(NonNull::new_unchecked(block)) }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        let Some((align, size)) = size(layout.align()).zip(size(new_size)) else {
            return ptr::null_mut();
        };
        // SAFETY: the caller passes a block of this heap.
        let moved = unsafe {
            self.0
                .lock()
                .realloc(NonNull::new_unchecked(block), align, size)
        };
        moved.map_or(ptr::null_mut(), NonNull::as_ptr)
    }
}
