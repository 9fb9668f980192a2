//! The faults of this crate as it was in 2022, each as a test that it is gone.
//!
//! One more, that the lock was held while `realloc` copied, is in
//! `unlocked_copy.rs`. That `cargo test` did not build is tested by this file.

mod common;

use std::{
    hint::black_box,
    mem::ManuallyDrop,
    panic::{AssertUnwindSafe, catch_unwind},
    ptr,
    sync::mpsc,
    thread,
    time::Duration,
};

use common::{
    Block, GRANULE, Op, Region, Shadow, layout, shadow,
    subject::{Kind, allocator_over, least_length, space_over},
};
use good_memory_allocator::{
    Allocator, DEFAULT_ALIGNMENT_SUB_BINS_AMOUNT, DEFAULT_SMALLBINS_AMOUNT, InitError,
    TinyAllocator,
};

/// Does the operations, all of them judged, over a region of this length.
fn follow<T: Kind>(length: usize, ops: &[Op]) {
    let region = Region::new(0, length);
    let space = space_over::<T>(&region);
    let mut allocator = allocator_over::<T>(&region, false);
    shadow::follow(&mut allocator, space, ops).unwrap();
    assert!(region.kept_within());
}

/// 2022: on every 32-bit target, blocks were misaligned or overlapped.
#[test]
fn blocks_are_aligned_and_apart_whatever_a_word_is() {
    let sizes = (0..=40).chain([63, 64, 65, 100, 1016, 1017, 1500]);
    let ops: Vec<_> = sizes
        .flat_map(|size| [1, 2, 4, 8, 16, 64, 256].map(|align| Op::Alloc(layout(size, align))))
        .collect();
    follow::<Allocator<0, 2>>(200_000, &ops);
    follow::<Allocator<8, 4>>(200_000, &ops);
    follow::<Allocator<128, 2>>(200_000, &ops);
    follow::<TinyAllocator>(200_000, &ops);
}

/// 2022: alignments of 2^47 and more, or larger than the heap's own address,
/// crashed.
#[test]
fn an_alignment_larger_than_any_address_is_refused() {
    let ops: Vec<_> = (0..usize::BITS)
        .map(|log2| 1 << log2)
        .flat_map(|align: usize| {
            let most = isize::MAX as usize + 1 - align;
            [0, 1, 8, 24, 1000, most].map(|size| layout(size.min(most), align))
        })
        .flat_map(|layout| [Op::Alloc(layout), Op::AllocZeroed(layout)])
        .collect();
    follow::<Allocator<0, 2>>(1000, &ops);
    follow::<Allocator<8, 64>>(1000, &ops);
    follow::<Allocator<128, 2>>(1 << 20, &ops);
    follow::<TinyAllocator>(1000, &ops);
}

/// As above, where the one aligned address lies in the region, and where one
/// that is too far away by any multiple of 32 GiB would seem to.
#[test]
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
fn an_alignment_is_not_cut_to_32_bits() {
    fn holds<T: Kind>() {
        const LENGTH: usize = 64 << 10;
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED_NOREPLACE;
        let new = |memory| {
            let mut allocator = T::empty();
            // SAFETY: the mapping is valid, and the last allocator's alone.
            unsafe { allocator.try_init(memory, LENGTH, false) }.unwrap();
            allocator
        };
        for multiple in 33..64_usize {
            let wanted = ptr::without_provenance_mut((multiple << 35) - LENGTH / 2);
            // SAFETY: a new mapping, where there is none.
            let memory = unsafe { libc::mmap(wanted, LENGTH, access, kind, -1, 0) };
            if memory == libc::MAP_FAILED {
                continue;
            }
            let space = common::subject::space_of(&mut new(memory.cast()));
            let mut allocator = new(memory.cast());
            let mut shadow = Shadow::new(space);
            for align in (0..usize::BITS).map(|log2| 1 << log2) {
                shadow
                    .step(&mut allocator, Op::Alloc(layout(0, align)))
                    .unwrap();
                shadow
                    .step(&mut allocator, Op::Dealloc { block: 0 })
                    .unwrap();
            }
            shadow.finish(&mut allocator).unwrap();
            // SAFETY: the mapping is not used any more.
            unsafe { libc::munmap(memory, LENGTH) };
        }
    }
    holds::<Allocator<8, 2>>();
    holds::<TinyAllocator>();
}

/// An aligned place in a large chunk was missed when a smaller chunk lay
/// beyond the last such address that an offset can express.
#[test]
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
fn an_aligned_place_is_found_though_a_smaller_chunk_has_none() {
    fn holds<T: Kind>() {
        const LENGTH: usize = 64 << 10;
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED_NOREPLACE;
        // Sanitizers keep most of the address space to themselves. TSan leaves us
        // the first 2 TiB: it would have a mapping beyond be at null, where root
        // may have one.
        let (middle, memory) = (17..2048_usize)
            .map(|multiple| multiple << 36)
            .find_map(|middle| {
                let wanted = ptr::without_provenance_mut(middle - LENGTH / 2);
                // SAFETY: a new mapping, where there is none.
                let memory = unsafe { libc::mmap(wanted, LENGTH, access, kind, -1, 0) };
                (memory == wanted).then_some((middle, memory))
            })
            .expect("room for a mapping of 64 KiB");
        let mut allocator = T::empty();
        let part = layout(1000, 8);
        // SAFETY: the mapping is valid and this allocator's alone; each block is
        // freed once, with its layout.
        unsafe {
            allocator.try_init(memory.cast(), LENGTH, false).unwrap();
            let blocks: Vec<_> =
                std::iter::from_fn(|| Some(allocator.alloc(part)).filter(|block| !block.is_null()))
                    .collect();
            let around = |block: &*mut u8| block.addr().abs_diff(middle) <= 1000;
            let beyond = |block: &*mut u8| block.addr() > middle + 4000;
            allocator.dealloc(*blocks.iter().find(|block| beyond(block)).unwrap(), part);
            for block in blocks.iter().filter(|block| around(block)) {
                allocator.dealloc(*block, part);
            }
            let block = allocator.alloc(layout(8, 1 << 36));
            assert_eq!(block.addr(), middle);
            libc::munmap(memory, LENGTH);
        }
    }
    holds::<Allocator<0, 2>>();
    holds::<TinyAllocator>();
}

/// 2022: `Allocator::shrink` and `grow` crashed on sizes that are no multiple
/// of 8.
#[test]
#[cfg(feature = "allocator-api2")]
fn shrink_and_grow_take_every_size() {
    use allocator_api2::alloc::Allocator as _;
    use common::pattern;
    use good_memory_allocator::{Locked, RawSpinLock, Unlocked};

    fn holds<T: Kind + Unlocked>() {
        let region = Region::new(0, 20_000);
        let space = space_over::<T>(&region);
        let heap = &Locked::<RawSpinLock, T>::empty();
        // SAFETY: the region is valid, and this allocator's alone. Each block is
        // used for as long as it is live, with the layout that it has then.
        unsafe {
            heap.try_init(region.start(), region.len()).unwrap();
            for (small, large) in
                (0..70).flat_map(|small| (small..75).map(move |large| (small, large)))
            {
                for align in [1, 8, 32] {
                    let (less, more) = (layout(small, align), layout(large, 8));
                    let block = heap.allocate(less).unwrap();
                    assert!(block.len() >= small);
                    pattern::fill(block.cast().as_ptr(), small, 1);
                    let block = heap.grow(block.cast(), less, more).unwrap();
                    assert!(block.len() >= large);
                    assert_eq!(block.cast::<u8>().addr().get() % more.align(), 0);
                    assert!(pattern::holds(block.cast().as_ptr(), small, 1));
                    pattern::fill(block.cast().as_ptr(), large, 2);
                    let block = heap.shrink(block.cast(), more, less).unwrap();
                    assert!(block.len() >= small);
                    assert_eq!(block.cast::<u8>().addr().get() % less.align(), 0);
                    assert!(pattern::holds(block.cast().as_ptr(), small, 2));
                    let block = heap.grow_zeroed(block.cast(), less, more).unwrap();
                    assert!(pattern::holds(block.cast().as_ptr(), small, 2));
                    let tail = block.cast::<u8>().as_ptr().add(small);
                    assert!(pattern::is_zero(tail, large - small));
                    heap.deallocate(block.cast(), more);
                }
            }
        }
        heap.check().unwrap();
        Shadow::new(space).finish(&mut &*heap).unwrap();
    }
    holds::<Allocator<8, 2>>();
    holds::<TinyAllocator>();
}

/// 2022: an `Allocator` pointed into itself, so that one that was moved after
/// `init` served the same address twice.
#[test]
fn an_allocator_may_be_moved_after_init() {
    fn holds<T: Kind>() {
        let region = Region::new(0, 4096);
        let space = space_over::<T>(&region);
        let mut shadow = Shadow::new(space);
        let mut here = allocator_over::<T>(&region, false);
        for size in [8, 8, 16, 24, 100, 200, 8, 64] {
            shadow.step(&mut here, Op::Alloc(layout(size, 8))).unwrap();
            let mut there = Box::new(here);
            shadow
                .step(&mut *there, Op::Alloc(layout(size, 16)))
                .unwrap();
            shadow.step(&mut *there, Op::Dealloc { block: 0 }).unwrap();
            here = *black_box(there);
            shadow.examine(&here).unwrap();
        }
        shadow.finish(&mut here).unwrap();
    }
    holds::<Allocator<8, 2>>();
    holds::<TinyAllocator>();
}

/// 2022: blocks in sub-bins of one alignment were not found for another, and
/// never became one block again.
#[test]
fn blocks_in_sub_bins_are_memory_for_every_request() {
    fn holds<T: Kind>() {
        let fill = |size, align| vec![Op::Alloc(layout(size, align)); 80];
        let free = || (0..80).map(|block| Op::Dealloc { block });
        let mut ops = Vec::new();
        for (size, align) in [(8, 8), (16, 16), (24, 8), (32, 32), (40, 64), (8, 256)] {
            ops.extend(fill(size, align));
            ops.extend(free());
            ops.extend(fill(size, 8));
            ops.extend(free().step_by(2));
            ops.extend(fill(size, 16));
            ops.extend(fill(2 * size, 8));
            ops.extend(free().chain(free()).chain(free()));
        }
        follow::<T>(300, &ops);
        follow::<T>(999, &ops);
    }
    holds::<Allocator<1, 2>>();
    holds::<Allocator<8, 2>>();
    holds::<Allocator<8, 4>>();
    holds::<Allocator<128, 8>>();
    holds::<TinyAllocator>();
}

/// 2022: `realloc` to `isize::MAX` made a layout that must not be.
#[test]
fn realloc_to_more_than_can_be_is_refused() {
    fn holds<T: Kind>() {
        let region = Region::new(0, 4096);
        let mut allocator = allocator_over::<T>(&region, false);
        for align in [1, 8, 64] {
            let layout = layout(20, align);
            // SAFETY: the block is live until it is freed.
            unsafe {
                let block = Block::fill(allocator.alloc(layout), layout, 7);
                for less in 0..70 {
                    let size = isize::MAX as usize - less;
                    assert!(allocator.realloc(block.at, layout, size).is_null());
                    assert!(block.is_intact());
                }
                assert!(allocator.realloc(block.at, layout, usize::MAX).is_null());
                assert!(block.is_intact());
                allocator.dealloc(block.at, layout);
            }
        }
        allocator.check().unwrap();
        assert_eq!(allocator.stats().live, 0);
    }
    holds::<Allocator<8, 2>>();
    holds::<TinyAllocator>();
}

/// 2022: `init` on 8 to 31 bytes panicked without a word, or worse.
#[test]
fn a_region_that_is_too_small_is_refused_and_not_written_to() {
    fn holds<T: Kind>() {
        let good = Region::new(0, 4096);
        for (skew, length) in (0..8).flat_map(|skew| (0..=64).map(move |length| (skew, length))) {
            let region = Region::new(skew, length);
            let mut allocator = T::empty();
            // SAFETY: both regions are valid, and this allocator's alone.
            unsafe {
                match allocator.try_init(region.start(), length, false) {
                    Err(error) => {
                        assert!(matches!(error, InitError::TooSmall { .. }), "{error:?}");
                        assert!(error.to_string().contains(&length.to_string()), "{error}");
                        assert!(!allocator.was_initialized());
                        assert!(allocator.alloc(layout(1, 1)).is_null());
                        allocator.try_init(good.start(), good.len(), false).unwrap();
                    }
                    Ok(()) => while !allocator.alloc(layout(8, 8)).is_null() {},
                }
                assert!(allocator.was_initialized());
                assert!(region.kept_within(), "wrote outside {length} bytes");
            }
            allocator.check().unwrap();
        }
        assert!(least_length::<T>(0) <= 128);
    }
    holds::<Allocator<0, 2>>();
    holds::<Allocator<8, 4>>();
    holds::<Allocator<128, 2>>();
    holds::<TinyAllocator>();
}

/// 2022: `init` at the end of the address space panicked on an overflow.
#[test]
fn a_region_beyond_the_end_of_the_address_space_is_refused() {
    fn holds<T: Kind>() {
        let least = least_length::<T>(0);
        for before_end in 0..64 {
            let start = ptr::without_provenance_mut::<u8>(usize::MAX - before_end);
            for more in [1, 2, 7, 8, 9, 100, 4096, usize::MAX - before_end] {
                let mut allocator = T::empty();
                let Some(length) = before_end.checked_add(more) else {
                    continue;
                };
                // SAFETY: what is refused is not touched.
                let refused = unsafe { allocator.try_init(start, length, false) };
                let expected = InitError::WrapsAround {
                    start: start.addr(),
                    length,
                };
                assert_eq!(refused, Err(expected));
                assert!(!allocator.was_initialized());
            }
            for length in 0..before_end.min(least) {
                let mut allocator = T::empty();
                // SAFETY: as above.
                let refused = unsafe { allocator.try_init(start, length, false) };
                assert!(
                    matches!(refused, Err(InitError::TooSmall { .. })),
                    "{refused:?}"
                );
            }
        }
        let mut allocator = T::empty();
        // SAFETY: as above.
        let refused = unsafe { allocator.try_init(ptr::null_mut(), 4096, false) };
        assert!(refused.is_err(), "a heap at the null address");
    }
    holds::<Allocator<8, 2>>();
    holds::<TinyAllocator>();
}

/// What `init` says when it panics.
fn panic_of<T: Kind>(allocator: &mut T, start: usize, length: usize) -> String {
    // SAFETY: what makes `init` panic is not touched.
    let outcome = catch_unwind(AssertUnwindSafe(|| unsafe {
        allocator.init(start, length)
    }));
    *outcome.unwrap_err().downcast::<String>().unwrap()
}

/// 2022: `init` panicked with an arithmetic overflow or a failed unwrap.
#[test]
fn init_panics_with_a_reason_and_changes_nothing() {
    fn holds<T: Kind>() {
        let region = Region::new(0, 4096);
        let (start, length) = (region.start().expose_provenance(), region.len());
        let mut allocator = T::empty();
        let message = panic_of(&mut allocator, start, 7);
        assert!(
            message.contains("7 bytes") && message.contains("too small"),
            "{message}"
        );
        let message = panic_of(&mut allocator, start, usize::MAX);
        assert!(message.contains("address space"), "{message}");
        assert!(!allocator.was_initialized());
        // SAFETY: the region is valid, and this allocator's alone.
        unsafe { allocator.init(start, length) };
        let message = panic_of(&mut allocator, start, length);
        assert!(message.contains("initialized before"), "{message}");
        allocator.check().unwrap();
    }
    holds::<Allocator<8, 2>>();
    holds::<TinyAllocator>();
}

#[test]
#[cfg(feature = "spin")]
fn init_that_panics_leaves_no_lock_behind() {
    use good_memory_allocator::SpinLockedAllocator;

    let region = Region::new(0, 4096);
    let (start, length) = (region.start().expose_provenance(), region.len());
    let allocator = SpinLockedAllocator::<8, 2>::empty();
    // SAFETY: what makes `init` panic is not touched.
    let outcome = catch_unwind(AssertUnwindSafe(|| unsafe { allocator.init(start, 1) }));
    assert!(outcome.is_err());
    assert!(!allocator.was_initialized());
    // SAFETY: the region is valid, and this allocator's alone.
    unsafe { allocator.init(start, length) };
    assert!(allocator.was_initialized());
}

/// 2022: a second `init` threw away the heap and served its blocks again.
#[test]
fn a_second_init_is_refused_and_the_blocks_stay() {
    fn holds<T: Kind>() {
        let (region, other) = (Region::new(0, 4096), Region::new(0, 8192));
        let space = space_over::<T>(&region);
        let mut allocator = allocator_over::<T>(&region, false);
        let mut shadow = Shadow::new(space);
        for second in [&region, &other] {
            shadow
                .step(&mut allocator, Op::Alloc(layout(100, 8)))
                .unwrap();
            // SAFETY: the regions are valid, and this allocator's alone.
            let refused = unsafe { allocator.try_init(second.start(), second.len(), false) };
            assert_eq!(refused, Err(InitError::AlreadyInitialized));
            shadow.examine(&allocator).unwrap();
        }
        shadow.finish(&mut allocator).unwrap();
    }
    holds::<Allocator<8, 2>>();
    holds::<TinyAllocator>();
}

/// 2022: a block that was freed twice was served twice, and nothing could
/// tell. It still breaks the contract, but `check` finds it.
#[test]
fn a_block_that_is_freed_twice_is_found() {
    fn holds<T: Kind + Send + 'static>() {
        for between in 0..3 {
            // It stays if the check does not come back.
            let region = ManuallyDrop::new(Region::new(0, 4096));
            let mut allocator = allocator_over::<T>(&region, false);
            let layout = layout(24, 8);
            // SAFETY: the second free breaks the contract, and nothing is done
            // after it but a check, which withstands a corrupt heap.
            unsafe {
                let block = allocator.alloc(layout);
                let others = [(); 3].map(|()| allocator.alloc(layout));
                allocator.dealloc(block, layout);
                for other in &others[..between] {
                    allocator.dealloc(*other, layout);
                }
                allocator.check().unwrap();
                allocator.dealloc(block, layout);
            }
            let (tell, hear) = mpsc::channel();
            let checker = thread::spawn(move || {
                // This has to end too, whatever it counts.
                allocator.stats();
                tell.send(allocator.check())
            });
            let checked = hear.recv_timeout(Duration::from_secs(10));
            let error = checked.expect("a check that ends").unwrap_err();
            assert!(error.contains("corrupt"), "{error}");
            checker.join().unwrap().unwrap();
            drop(ManuallyDrop::into_inner(region));
        }
    }
    holds::<Allocator<8, 2>>();
    holds::<TinyAllocator>();
}

/// 2022: sub-bin amounts of 63, 64, 100 and 128 did not compile. Those up to
/// 64 do; more than 64 alignments no address has.
#[test]
fn every_amount_of_sub_bins_compiles_and_works() {
    macro_rules! works {
        ($($smallbins:literal, $sub_bins:literal;)*) => {
            $(follow::<Allocator<$smallbins, $sub_bins>>(
                1000,
                &[(8, 8), (8, 16), (8, 64), (24, 32)].map(|(size, align)| Op::Alloc(layout(size, align))),
            );)*
        };
    }
    works! {
        0, 2; 1, 2; 8, 3; 8, 4; 16, 7; 8, 8; 8, 16; 3, 31; 3, 32; 2, 33; 128, 2; 8, 63; 8, 64;
    }
}

/// 2022: the bounds on the constants were traits in private modules, so that
/// nothing generic could be written over them.
#[test]
fn code_can_be_generic_over_both_constants() {
    struct Arena<const S: usize, const A: usize> {
        allocator: Allocator<S, A>,
        region: Region,
    }

    impl<const S: usize, const A: usize> Arena<S, A> {
        fn new(length: usize) -> Self {
            let region = Region::new(0, length);
            let allocator = allocator_over(&region, false);
            Self { allocator, region }
        }

        fn largest_block(&self) -> usize {
            assert!(self.region.kept_within());
            self.allocator.stats().largest_free
        }
    }

    assert!(Arena::<0, 2>::new(1000).largest_block() > 800);
    assert!(Arena::<9, 5>::new(1000).largest_block() > 800);
    let by_default: Allocator = Allocator::empty();
    let _: Allocator<DEFAULT_SMALLBINS_AMOUNT, DEFAULT_ALIGNMENT_SUB_BINS_AMOUNT> = by_default;
}

/// 2022: false out-of-memory for aligned requests when many free chunks are
/// large enough and only one is aligned.
#[test]
fn the_one_chunk_that_is_aligned_is_found_among_many() {
    fn holds<T: Kind>() {
        const HOLES: usize = 20;
        const SIZE: usize = 512;
        const ALIGN: usize = 1024;

        let region = Region::new(0, 48 << 10);
        let space = space_over::<T>(&region);
        let first = space.start.next_multiple_of(ALIGN);
        for aligned in 0..HOLES {
            let mut allocator = allocator_over::<T>(&region, false);
            let mut shadow = Shadow::new(space.clone());
            while allocator.stats().free > 0 {
                shadow
                    .step(&mut allocator, Op::Alloc(layout(8, 1)))
                    .unwrap();
            }
            let is_free = |at: usize| {
                let hole = (at - first) / (2 * ALIGN);
                let start = if hole == aligned { 0 } else { GRANULE };
                hole < HOLES && (start..start + SIZE).contains(&((at - first) % (2 * ALIGN)))
            };
            // From the last to the first, since the last takes a freed one's number.
            for block in (0..shadow.blocks()).rev() {
                let at = shadow.block(block).at.addr();
                if at >= first && is_free(at) {
                    shadow.step(&mut allocator, Op::Dealloc { block }).unwrap();
                }
            }
            assert_eq!(allocator.stats().free, HOLES * SIZE);
            let before = shadow.blocks();
            shadow
                .step(&mut allocator, Op::Alloc(layout(SIZE, ALIGN)))
                .unwrap();
            assert_eq!(
                shadow.blocks(),
                before + 1,
                "hole {aligned} of {HOLES} was not found"
            );
            shadow.finish(&mut allocator).unwrap();
        }
    }
    holds::<Allocator<0, 2>>();
    holds::<TinyAllocator>();
}
