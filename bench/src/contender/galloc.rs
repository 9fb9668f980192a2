//! This repository's crate, at several settings of its constants.

use core::alloc::GlobalAlloc;

use good_memory_allocator::SpinLockedAllocator;

use super::{Contender, stand::Stand};
use crate::machine::region::Region;

/// A module with a contender for one setting.
macro_rules! setting {
    ($module:ident, $name:literal, $allocator:ty) => {
        pub mod $module {
            use super::*;

            static STAND: Stand<$allocator> = Stand::new(<$allocator>::empty());

            pub struct Galloc;

            impl Contender for Galloc {
                const NAME: &'static str = $name;
                const STATE: Option<usize> = Some(size_of::<$allocator>());

                fn global() -> &'static impl GlobalAlloc {
                    STAND.get()
                }

                unsafe fn reset(region: Region) -> bool {
                    // SAFETY: nobody else uses the contender, and the region is its own.
                    unsafe {
                        let galloc = STAND.replace(<$allocator>::empty());
                        galloc.init(region.start.addr(), region.len);
                    }
                    true
                }
            }
        }
    };
}

setting!(default, "galloc", SpinLockedAllocator);
setting!(none, "galloc-0x2", SpinLockedAllocator<0, 2>);
setting!(few, "galloc-32x2", SpinLockedAllocator<32, 2>);
setting!(many, "galloc-128x8", SpinLockedAllocator<128, 8>);
