//! Random operations, held against a shadow of what must come of them, for
//! many constants over many regions. What fails is shrunk to the shortest
//! sequence that does.

mod common;

use std::any::type_name;

use common::{
    GRANULE, Region, op, shadow,
    subject::{Kind, allocator_over, least_length, space_over},
};
use good_memory_allocator::{Allocator, TinyAllocator};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, TestCaseError, TestRunner},
};

/// How long a region is.
enum Length {
    /// As the shortest that is taken, and so much longer.
    Least(usize),
    Bytes(usize),
}
use Length::{Bytes, Least};

/// Random sequences of operations for one kind of allocator over one region.
fn sequences<T: Kind>(length: Length, skew: usize) {
    let length = match length {
        Least(more) => least_length::<T>(skew) + more,
        Bytes(length) => length,
    };
    let region = Region::new(skew, length);
    let space = space_over::<T>(&region);
    let capacity = space.len();
    let config = Config::default();
    let mut runner = TestRunner::new(Config {
        cases: (config.cases as usize * 16_000 / (capacity + 40_000)).max(4) as u32,
        failure_persistence: None,
        ..config
    });
    let input = (
        any::<bool>(),
        prop::collection::vec(op::any(capacity), 1..200),
    );
    let outcome = runner.run(&input, |(zeroed, ops)| {
        let mut allocator = allocator_over::<T>(&region, zeroed);
        shadow::follow(&mut allocator, space.clone(), &ops).map_err(TestCaseError::fail)?;
        prop_assert!(region.kept_within(), "wrote outside the region");
        Ok(())
    });
    if let Err(error) = outcome {
        panic!(
            "{} over {length} bytes at {:p}: {error}",
            type_name::<T>(),
            region.start()
        );
    }
}

/// One long random sequence of operations, always the same.
fn walk<T: Kind>(length: usize) {
    const STEPS: usize = 12_000;
    let region = Region::new(0, length);
    let space = space_over::<T>(&region);
    let ops = prop::collection::vec(op::any(space.len() / 64), STEPS)
        .new_tree(&mut TestRunner::deterministic())
        .unwrap()
        .current();
    let mut allocator = allocator_over::<T>(&region, false);
    shadow::follow(&mut allocator, space, &ops).unwrap();
    assert!(region.kept_within(), "wrote outside the region");
}

macro_rules! sequences {
    ($($name:ident: $kind:ty, $length:expr, at $skew:literal;)*) => {
        $(
            #[test]
            fn $name() {
                sequences::<$kind>($length, $skew);
            }
        )*
    };
}

sequences! {
    least_without_lists: Allocator<0, 2>, Least(0), at 0;
    least_with_one_list: Allocator<1, 2>, Least(0), at 1;
    least_with_default_lists: Allocator<128, 2>, Least(0), at 7;
    two_granules: Allocator<0, 2>, Least(8), at 0;
    two_granules_odd: Allocator<2, 3>, Least(15), at 3;
    three_granules: Allocator<4, 2>, Least(16), at 8;
    a_few_granules: Allocator<8, 2>, Least(40), at 0;
    a_few_granules_odd: Allocator<0, 4>, Least(61), at 5;
    bytes_128: Allocator<0, 2>, Bytes(128), at 0;
    bytes_200: Allocator<1, 2>, Bytes(200), at 0;
    bytes_255: Allocator<2, 2>, Bytes(255), at 1;
    bytes_256: Allocator<3, 8>, Bytes(256), at 16;
    bytes_300: Allocator<128, 2>, Bytes(300), at 4;
    bytes_511: Allocator<16, 3>, Bytes(511), at 9;
    bytes_777: Allocator<0, 63>, Bytes(777), at 777;
    kib_1: Allocator<0, 2>, Bytes(1 << 10), at 0;
    kib_1_odd: Allocator<8, 4>, Bytes((1 << 10) + 13), at 1023;
    kib_2: Allocator<32, 2>, Bytes(2 << 10), at 64;
    kib_2_odd: Allocator<64, 8>, Bytes((2 << 10) - 1), at 2;
    kib_4: Allocator<8, 2>, Bytes(4 << 10), at 4096;
    kib_4_without_lists: Allocator<0, 2>, Bytes(4 << 10), at 0;
    kib_4_odd: Allocator<128, 4>, Bytes((4 << 10) - 7), at 4095;
    kib_7: Allocator<5, 5>, Bytes(7000), at 6;
    kib_8: Allocator<31, 2>, Bytes(8 << 10), at 8;
    kib_8_between_shapes: Allocator<1, 64>, Bytes((8 << 10) + 8), at 0;
    kib_12: Allocator<256, 2>, Bytes(12_345), at 12_345;
    kib_16: Allocator<128, 16>, Bytes(16 << 10), at 24;
    kib_20: Allocator<16, 2>, Bytes(20_001), at 1;
    kib_32: Allocator<64, 2>, Bytes(32 << 10), at 0;
    kib_33: Allocator<128, 2>, Bytes(33_333), at 33;
    kib_64: Allocator<32, 4>, Bytes(64 << 10), at 40;
    kib_64_odd: Allocator<0, 32>, Bytes((64 << 10) + 1), at 65_535;
    kib_100: Allocator<100, 3>, Bytes(100_000), at 100;
    kib_128: Allocator<128, 8>, Bytes(128 << 10), at 0;
    kib_200: Allocator<2, 2>, Bytes(200_001), at 11;
    kib_256: Allocator<8, 8>, Bytes(256 << 10), at 32;
    kib_400: Allocator<128, 2>, Bytes(400_003), at 5;
    mib_1: Allocator<128, 2>, Bytes(1 << 20), at 0;
    mib_1_without_lists: Allocator<0, 2>, Bytes(1 << 20), at 0;
    mib_1_odd: Allocator<64, 4>, Bytes((1 << 20) + 12_345), at 54_321;
    mib_2: Allocator<200, 2>, Bytes((2 << 20) - 9), at 9;
    mib_3: Allocator<16, 7>, Bytes(3 << 20), at 48;
    mib_4: Allocator<128, 3>, Bytes(4 << 20), at 0;
    mib_8: Allocator<32, 2>, Bytes((8 << 20) + 3), at 3;
    mib_16: Allocator<128, 2>, Bytes(16 << 20), at 0;
    mib_16_without_lists: Allocator<0, 2>, Bytes(16 << 20), at 17;
    mib_32: Allocator<8, 2>, Bytes(32 << 20), at 0;
    mib_64: Allocator<128, 2>, Bytes(64 << 20), at 0;
    mib_64_without_lists: Allocator<0, 2>, Bytes((64 << 20) - 1), at 1;
    tiny_least: TinyAllocator, Least(0), at 0;
    tiny_least_odd: TinyAllocator, Least(0), at 5;
    tiny_two_granules: TinyAllocator, Least(8), at 8;
    tiny_three_granules: TinyAllocator, Least(17), at 3;
    tiny_bytes_61: TinyAllocator, Bytes(61), at 1;
    tiny_bytes_128: TinyAllocator, Bytes(128), at 0;
    tiny_bytes_300: TinyAllocator, Bytes(300), at 4;
    tiny_kib_1: TinyAllocator, Bytes(1 << 10), at 8;
    tiny_kib_4: TinyAllocator, Bytes(4 << 10), at 0;
    tiny_kib_4_odd: TinyAllocator, Bytes((4 << 10) - 7), at 4095;
    tiny_kib_20: TinyAllocator, Bytes(20_001), at 1;
    tiny_kib_64: TinyAllocator, Bytes(64 << 10), at 16;
    tiny_kib_400: TinyAllocator, Bytes(400_003), at 5;
    tiny_mib_4: TinyAllocator, Bytes(4 << 20), at 0;
}

#[test]
fn long_walk_in_24_kib_without_lists() {
    walk::<Allocator<0, 2>>(24 << 10);
}

#[test]
fn long_walk_in_24_kib() {
    walk::<Allocator<128, 2>>(24 << 10);
}

#[test]
fn long_walk_in_256_kib_without_lists() {
    walk::<Allocator<0, 2>>(256 << 10);
}

#[test]
fn long_walk_in_256_kib() {
    walk::<Allocator<32, 4>>(256 << 10);
}

#[test]
fn long_walk_in_2_mib() {
    walk::<Allocator<128, 2>>(2 << 20);
}

#[test]
fn long_walk_in_24_kib_of_a_tiny_heap() {
    walk::<TinyAllocator>(24 << 10);
}

#[test]
fn long_walk_in_256_kib_of_a_tiny_heap() {
    walk::<TinyAllocator>(256 << 10);
}

#[test]
fn a_tiny_heap_has_every_granule_of_its_region() {
    for skew in 0..16 {
        for length in 16..64 {
            let region = Region::new(skew, length);
            let (start, end) = (region.start().addr(), region.start().addr() + length);
            let granules = start.next_multiple_of(GRANULE)..end / GRANULE * GRANULE;
            assert_eq!(space_over::<TinyAllocator>(&region), granules);
        }
    }
}

#[test]
fn a_space_is_whole_granules_of_the_region() {
    for (skew, length) in [(0, 128), (1, 200), (7, 999), (8, 4096), (4095, 65_537)] {
        let region = Region::new(skew, length);
        let space = space_over::<Allocator<0, 2>>(&region);
        let (start, end) = (region.start().addr(), region.start().addr() + length);
        assert!(space.start >= start && space.end <= end);
        assert_eq!(space.start % GRANULE, 0);
        assert!(end - space.end < GRANULE, "bytes are lost at the end");
    }
}
