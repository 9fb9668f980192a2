//! This repository's crate, at several settings of its constants.

use core::alloc::GlobalAlloc;

use good_memory_allocator::{
    Locked, PerCpuAllocator, RawSpinLock, SpinLockedAllocator, TinyAllocator,
};

use super::{Contender, stand::Stand};
use crate::machine::{region::Region, thread_number::ThreadNumber};

/// A module with a contender for one setting.
macro_rules! setting {
    ($module:ident, $name:expr, $allocator:ty) => {
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
setting!(tiny, "galloc-tiny", Locked<RawSpinLock, TinyAllocator>);
setting!(per_cpu, "galloc-per-cpu", PerCpuAllocator<ThreadNumber, 4>);

/// Contenders for more settings, for the table of what the constants mean.
#[cfg(feature = "settings")]
macro_rules! settings {
    ($($module:ident: $smallbins:literal x $sub_bins:literal,)*) => {
        $(setting!(
            $module,
            concat!("galloc-", $smallbins, "x", $sub_bins),
            SpinLockedAllocator<$smallbins, $sub_bins>
        );)*

        pub const SETTINGS: &[super::Entry] = &[$(super::Entry::of::<$module::Galloc>(),)*];
    };
}

#[cfg(not(feature = "settings"))]
pub const SETTINGS: &[super::Entry] = &[];

#[cfg(feature = "settings")]
settings! {
    s0x4: 0 x 4,
    s0x8: 0 x 8,
    s8x2: 8 x 2,
    s8x4: 8 x 4,
    s8x8: 8 x 8,
    s32x4: 32 x 4,
    s32x8: 32 x 8,
    s64x2: 64 x 2,
    s64x4: 64 x 4,
    s64x8: 64 x 8,
    s128x2: 128 x 2,
    s128x4: 128 x 4,
    s256x2: 256 x 2,
    s512x4: 512 x 4,
    s512x8: 512 x 8,
}
