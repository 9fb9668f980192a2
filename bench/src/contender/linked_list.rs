use core::alloc::{GlobalAlloc, Layout};
use core::ptr::{self, NonNull};

use linked_list_allocator::Heap;

use super::{Contender, lock::Locked, stand::Stand};
use crate::machine::region::Region;

struct Global(Locked<Heap>);
static STAND: Stand<Global> = Stand::new(Global(Locked::new(Heap::empty())));

pub struct LinkedList;

impl Contender for LinkedList {
    const NAME: &'static str = "linked-list";
    const STATE: Option<usize> = Some(size_of::<Global>());

    fn global() -> &'static impl GlobalAlloc {
        STAND.get()
    }

    unsafe fn reset(region: Region) -> bool {
        // SAFETY: nobody else uses the contender, and the region is its own.
        unsafe {
            let global = STAND.replace(Global(Locked::new(Heap::empty())));
            global.0.lock().init(region.start, region.len);
        }
        true
    }
}

// SAFETY: every call is passed on to the heap, which keeps the contract, under a lock.
unsafe impl GlobalAlloc for Global {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let block = self.0.lock().allocate_first_fit(layout);
        block.map_or(ptr::null_mut(), NonNull::as_ptr)
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller passes a block of this heap, with its layout.
        unsafe {
            self.0
                .lock()
                .deallocate(NonNull::new_unchecked(block), layout)
        }
    }
}
