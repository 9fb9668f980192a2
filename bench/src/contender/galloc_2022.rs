use core::alloc::GlobalAlloc;

use good_memory_allocator_2022::SpinLockedAllocator;

use super::{Contender, stand::Stand};
use crate::machine::region::Region;

static STAND: Stand<SpinLockedAllocator> = Stand::new(SpinLockedAllocator::empty());

pub struct Galloc2022;

impl Contender for Galloc2022 {
    const NAME: &'static str = "galloc-0.1.7";
    const STATE: Option<usize> = Some(size_of::<SpinLockedAllocator>());

    fn global() -> &'static impl GlobalAlloc {
        STAND.get()
    }

    unsafe fn reset(region: Region) -> bool {
        // SAFETY: nobody else uses the contender, and the region is its own.
        unsafe {
            let galloc = STAND.replace(SpinLockedAllocator::empty());
            galloc.init(region.start.addr(), region.len);
        }
        true
    }
}
