//! The front ends that threads can share, which differ in how they are made
//! and not in how they are used.

use std::{alloc::GlobalAlloc, ops::Range};

use allocator_api2::alloc::Allocator as AllocatorTrait;
use good_memory_allocator::{
    Allocator, Locked, LockedStatic, PerCpuAllocator, RawSpinLock, SpinLockedAllocator,
    TinyAllocator, Unlocked,
};

use crate::{
    common::{Shadow, Subject, cpu::Wandering, subject::space_of},
    constants::TINY,
    input::Input,
    setting::Setting,
    with_constants,
};

/// Heaps with a region of their own.
const STATIC_HEAPS: [fn() -> Made; 5] = [
    static_heap::<256, Allocator<1, 2>>,
    static_heap::<3000, Allocator<8, 3>>,
    static_heap::<20_001, Allocator<32, 8>>,
    static_heap::<65_536, Allocator<512, 2>>,
    static_heap::<5000, TinyAllocator>,
];

/// A front end, of whatever kind and constants.
pub trait FrontEnd: GlobalAlloc + Sync {
    /// It, as the tests see an allocator.
    fn subject(&self) -> Box<dyn Subject + '_>;
    /// It, by the other trait of allocators, if it has that.
    fn by_trait(&self) -> Option<Box<dyn AllocatorTrait + '_>> {
        None
    }
}

/// A front end that has no blocks yet, and where it can have any.
type Made = (Box<dyn FrontEnd>, Range<usize>);

/// Any front end, and its shadow, unless the setting's region was refused.
pub fn any(input: &mut Input, setting: &Setting) -> Option<(Box<dyn FrontEnd>, Shadow)> {
    let byte = input.byte();
    if byte % 4 != 3 {
        return over_region(input, setting);
    }
    let (heap, space) = STATIC_HEAPS[usize::from(byte / 4) % STATIC_HEAPS.len()]();
    Some((heap, Shadow::new(space)))
}

/// Any front end over the setting's region, and its shadow, unless the region
/// was refused.
pub fn over_region(input: &mut Input, setting: &Setting) -> Option<(Box<dyn FrontEnd>, Shadow)> {
    let (kind, constants) = (input.byte(), input.byte());
    if kind >= TINY {
        let space = space_of(&mut *tiny_over_region(setting)?.subject());
        // It has no bounds.
        return Some((tiny_over_region(setting)?, Shadow::new(space)));
    }
    let make = || with_constants!(constants, over_region_with(kind, setting));
    let space = space_of(&mut *make()?.subject());
    Some((make()?, setting.shadow(space)))
}

macro_rules! kinds_over_region {
    ($($front_end:ident,)*) => {
        $(
            impl<const S: usize, const A: usize> FrontEnd for $front_end<S, A> {
                fn subject(&self) -> Box<dyn Subject + '_> {
                    Box::new(self)
                }
                fn by_trait(&self) -> Option<Box<dyn AllocatorTrait + '_>> {
                    Some(Box::new(self))
                }
            }
        )*

        fn over_region_with<const S: usize, const A: usize>(
            kind: u8,
            setting: &Setting,
        ) -> Option<Box<dyn FrontEnd>> {
            let kinds: &[fn(&Setting) -> Option<Box<dyn FrontEnd>>] = &[
                $(|setting| {
                    let heap = if setting.bounded {
                        $front_end::<S, A>::bounded()
                    } else {
                        $front_end::empty()
                    };
                    setting.prepare();
                    let region = setting.region;
                    // SAFETY: the region is valid, this allocator's alone, and
                    // zero if that is what it is said to be.
                    let made = unsafe {
                        if setting.zeroed {
                            heap.try_init_zeroed(region.start(), region.len())
                        } else {
                            heap.try_init(region.start(), region.len())
                        }
                    };
                    if made.is_err() {
                        setting.judge_refusal(&mut &heap);
                        return None;
                    }
                    Some(Box::new(heap))
                },)*
            ];
            kinds[usize::from(kind) % kinds.len()](setting)
        }
    };
}

// The kinds, types of both constants that are all made alike. One more is one
// line more.
/// Three caches, one of which each call chooses by chance.
type WanderingAllocator<const S: usize, const A: usize> =
    PerCpuAllocator<Wandering, 3, RawSpinLock, S, A>;

kinds_over_region![SpinLockedAllocator, WanderingAllocator,];

impl FrontEnd for Locked<RawSpinLock, TinyAllocator> {
    fn subject(&self) -> Box<dyn Subject + '_> {
        Box::new(self)
    }
    fn by_trait(&self) -> Option<Box<dyn AllocatorTrait + '_>> {
        Some(Box::new(self))
    }
}

fn tiny_over_region(setting: &Setting) -> Option<Box<dyn FrontEnd>> {
    let heap = Locked::<RawSpinLock, TinyAllocator>::empty();
    setting.prepare();
    let region = setting.region;
    // SAFETY: the region is valid, and this allocator's alone.
    if unsafe { heap.try_init(region.start(), region.len()) }.is_err() {
        setting.judge_refusal(&mut &heap);
        return None;
    }
    Some(Box::new(heap))
}

impl<const B: usize, T: Unlocked + Send> FrontEnd for LockedStatic<RawSpinLock, B, T> {
    fn subject(&self) -> Box<dyn Subject + '_> {
        Box::new(self)
    }
}

fn static_heap<const B: usize, T: Unlocked + Send + 'static>() -> Made {
    let mut heap = Box::new(LockedStatic::<RawSpinLock, B, T>::new());
    let space = space_of(&mut &*heap);
    // As if nobody had asked it for anything.
    *heap = LockedStatic::new();
    (heap, space)
}
