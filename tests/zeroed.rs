//! Memory that is zero, and memory that is known to be.

mod common;

use common::{
    Region, layout, pattern,
    subject::{Kind, allocator_over, space_over},
};
use good_memory_allocator::{Allocator, TinyAllocator};

/// Sizes with lists, without, and with a large part of the heap.
const SIZES: [usize; 10] = [1, 7, 8, 24, 100, 1016, 1025, 5000, 33_333, 150_000];

/// Allocates a block of zeros, and gives whether it is.
fn alloc_zeroed<T: Kind>(allocator: &mut T, size: usize) -> bool {
    let layout = layout(size, 8);
    // SAFETY: the block has `size` bytes, said to be written with zeros.
    unsafe {
        let block = allocator.alloc_zeroed(layout);
        assert!(!block.is_null(), "no {size} bytes");
        let zero = pattern::is_zero(block, size);
        allocator.dealloc(block, layout);
        zero
    }
}

/// Uses `size` bytes of the heap, and gives them back.
fn soil<T: Kind>(allocator: &mut T, size: usize) {
    let layout = layout(size, 8);
    // SAFETY: the block has `size` bytes.
    unsafe {
        let block = allocator.alloc(layout);
        assert!(!block.is_null(), "no {size} bytes");
        block.write_bytes(0xEE, size);
        allocator.dealloc(block, layout);
    }
}

/// Zeroed blocks of every size, after blocks of every size were dirty.
fn zeroed_blocks_are_zero<T: Kind>(zeroed: bool) {
    let region = Region::new(0, 200_000);
    for dirty in SIZES {
        for size in SIZES {
            let mut allocator = allocator_over::<T>(&region, zeroed);
            assert!(
                alloc_zeroed(&mut allocator, size),
                "{size} bytes of a new heap are dirty"
            );
            soil(&mut allocator, dirty);
            assert!(
                alloc_zeroed(&mut allocator, size),
                "{size} bytes after {dirty} are dirty"
            );
        }
    }
}

#[test]
fn zeroed_blocks_are_zero_after_dirty_ones() {
    zeroed_blocks_are_zero::<Allocator<0, 2>>(false);
    zeroed_blocks_are_zero::<Allocator<8, 2>>(false);
    zeroed_blocks_are_zero::<Allocator<128, 2>>(false);
    zeroed_blocks_are_zero::<TinyAllocator>(false);
}

#[test]
fn zeroed_blocks_are_zero_after_dirty_ones_in_a_region_that_was_zero() {
    zeroed_blocks_are_zero::<Allocator<0, 2>>(true);
    zeroed_blocks_are_zero::<Allocator<8, 2>>(true);
    zeroed_blocks_are_zero::<Allocator<128, 2>>(true);
    zeroed_blocks_are_zero::<TinyAllocator>(true);
}

#[test]
fn a_zeroed_block_of_the_whole_space_is_zero_to_its_end() {
    let region = Region::new(0, 70_000);
    let capacity = space_over::<Allocator<8, 2>>(&region).len();
    let mut allocator = allocator_over::<Allocator<8, 2>>(&region, true);
    for dirty in [8, 16, 4096, capacity / 2, capacity - 8, capacity] {
        soil(&mut allocator, dirty);
        assert!(
            alloc_zeroed(&mut allocator, capacity),
            "dirty after {dirty} bytes"
        );
    }
}

#[test]
#[cfg(feature = "allocator-api2")]
fn the_allocator_trait_gives_zeroed_blocks() {
    use allocator_api2::alloc::Allocator;
    use good_memory_allocator::SpinLockedAllocator;

    let region = Region::new(0, 10_000);
    let heap = &SpinLockedAllocator::<8, 2>::empty();
    // SAFETY: the region is valid, and this allocator's alone; the block has
    // this layout, and is said to be zero.
    unsafe {
        heap.try_init(region.start(), region.len()).unwrap();
        let block = heap.allocate_zeroed(layout(5000, 8)).unwrap();
        assert_eq!(block.len(), 5000);
        assert!(pattern::is_zero(block.cast().as_ptr(), 5000));
    }
    let nothing = heap.allocate_zeroed(layout(0, 64)).unwrap();
    assert_eq!((nothing.len(), nothing.addr().get() % 64), (0, 0));
    assert!(heap.allocate_zeroed(layout(6000, 8)).is_err());
}

#[test]
fn an_aligned_zeroed_block_is_zero_where_dirty_ones_were_and_where_none_were() {
    for align in [16, 64, 1024, 16 << 10] {
        let region = Region::new(8, 100_000);
        let mut allocator = allocator_over::<Allocator<8, 2>>(&region, true);
        soil(&mut allocator, 20_000);
        let layout = layout(50_000, align);
        // SAFETY: the block has this layout, and is said to be zero.
        unsafe {
            let block = allocator.alloc_zeroed(layout);
            assert!(!block.is_null());
            assert!(
                pattern::is_zero(block, layout.size()),
                "dirty when aligned to {align}"
            );
        }
    }
}

/// What is written, seen from the pages that the system had to supply.
#[cfg(target_os = "linux")]
mod pages {
    use std::ptr;
    #[cfg(target_pointer_width = "64")]
    use std::time::{Duration, Instant};

    use good_memory_allocator::Allocator;

    use super::common::{layout, pattern};

    /// An anonymous mapping, of which no page is supplied before its use.
    struct Mapping {
        start: *mut u8,
        length: usize,
    }

    impl Mapping {
        /// A mapping, if the system grants one so large.
        fn new(length: usize) -> Option<Self> {
            let access = libc::PROT_READ | libc::PROT_WRITE;
            let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
            // SAFETY: a new mapping, wherever the system likes, of small pages.
            unsafe {
                let start = libc::mmap(ptr::null_mut(), length, access, kind, -1, 0);
                if start == libc::MAP_FAILED {
                    return None;
                }
                libc::madvise(start, length, libc::MADV_NOHUGEPAGE);
                Some(Self {
                    start: start.cast(),
                    length,
                })
            }
        }

        /// The pages that were supplied among those of a block.
        fn pages(&self, block: *mut u8, size: usize) -> usize {
            // SAFETY: `sysconf` has no conditions.
            let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as usize;
            let start = block.wrapping_sub(block.addr() % page);
            let length = block.addr() + size - start.addr();
            let mut resident = vec![0_u8; length.div_ceil(page)];
            // SAFETY: the pages are this mapping's, and there is a byte for each.
            let status =
                unsafe { libc::mincore(start.cast(), length, resident.as_mut_ptr().cast()) };
            assert_eq!(status, 0, "mincore failed");
            resident.iter().filter(|&&page| page & 1 != 0).count()
        }

        fn all_pages(&self) -> usize {
            self.pages(self.start, self.length)
        }
    }

    impl Drop for Mapping {
        fn drop(&mut self) {
            // SAFETY: this is what `new` got.
            unsafe { libc::munmap(self.start.cast(), self.length) };
        }
    }

    const BLOCK: usize = 32 << 20;

    /// The pages that one large zeroed block has after it was allocated.
    fn pages_of_a_zeroed_block(zeroed: bool) -> usize {
        let mapping = Mapping::new(2 * BLOCK).unwrap();
        let mut allocator = Allocator::<8, 2>::empty();
        // SAFETY: the mapping is valid, zero, and this allocator's alone.
        unsafe {
            let made = if zeroed {
                allocator.try_init_zeroed(mapping.start, mapping.length)
            } else {
                allocator.try_init(mapping.start, mapping.length)
            };
            made.unwrap();
            let block = allocator.alloc_zeroed(layout(BLOCK, 8));
            assert!(!block.is_null());
            let pages = mapping.pages(block, BLOCK);
            assert!(pattern::is_zero(block, BLOCK));
            pages
        }
    }

    #[test]
    fn zeroing_does_not_write_what_is_known_to_be_zero() {
        let pages = pages_of_a_zeroed_block(true);
        assert!(pages <= 2, "{pages} pages were written");
    }

    #[test]
    fn zeroing_writes_what_is_not_known_to_be_zero() {
        let pages = pages_of_a_zeroed_block(false);
        assert!(pages > 256, "only {pages} pages were written");
    }

    #[test]
    fn only_what_was_used_is_zeroed_again() {
        let mapping = Mapping::new(2 * BLOCK).unwrap();
        let mut allocator = Allocator::<8, 2>::empty();
        let (small, large) = (layout(100_000, 8), layout(BLOCK, 8));
        // SAFETY: the mapping is valid, zero, and this allocator's alone; the
        // block has 100 000 bytes.
        unsafe {
            allocator
                .try_init_zeroed(mapping.start, mapping.length)
                .unwrap();
            let block = allocator.alloc(small);
            block.write_bytes(0xEE, small.size());
            allocator.dealloc(block, small);
            let block = allocator.alloc_zeroed(large);
            let pages = mapping.pages(block, BLOCK);
            assert!(pages < 64, "{pages} pages were written");
            assert!(pattern::is_zero(block, BLOCK));
        }
    }

    #[test]
    #[cfg(target_pointer_width = "64")]
    fn init_of_a_tebibyte_touches_few_pages_and_takes_no_time() {
        const TEBIBYTE: usize = 1 << 40;
        let mut fastest = Duration::MAX;
        for _ in 0..3 {
            let Some(mapping) = Mapping::new(TEBIBYTE) else {
                println!("not tried: the system grants no mapping of 1 TiB");
                return;
            };
            let mut allocator = Allocator::<128, 2>::empty();
            let start = Instant::now();
            // SAFETY: the mapping is valid, zero, and this allocator's alone.
            unsafe { allocator.try_init(mapping.start, mapping.length) }.unwrap();
            fastest = fastest.min(start.elapsed());
            // As far as the heap spans: there is a byte for each page.
            let pages = mapping.pages(mapping.start, 32 << 30);
            assert!(pages <= 16, "{pages} pages were touched");
            let stats = allocator.stats();
            assert!(stats.capacity < 32 << 30);
            assert!(stats.capacity > (32 << 30) / 64 * 63 - (64 << 10));
            assert_eq!(
                stats.ignored,
                TEBIBYTE - (32 << 30) + 16,
                "what is ignored is told"
            );
            allocator.check().unwrap();
            // SAFETY: the block has a byte.
            unsafe {
                let block = allocator.alloc(layout(1 << 20, 8));
                assert!(!block.is_null());
                block.write(1);
            }
        }
        assert!(fastest < Duration::from_millis(1), "init took {fastest:?}");
    }

    #[test]
    fn a_heap_of_a_mapping_writes_its_tables_as_it_grows() {
        let mapping = Mapping::new(BLOCK).unwrap();
        let mut allocator = Allocator::<8, 2>::empty();
        // SAFETY: the mapping is valid, zero, and this allocator's alone.
        unsafe {
            allocator.try_init(mapping.start, mapping.length).unwrap();
            for _ in 0..100 {
                assert!(!allocator.alloc(layout(100, 8)).is_null());
            }
        }
        let pages = mapping.all_pages();
        assert!(pages <= 16, "{pages} pages were touched");
    }
}
