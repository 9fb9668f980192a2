//! Random operations, held against a shadow of what must come of them, for
//! many constants over many regions. What fails is shrunk to the shortest
//! sequence that does.

mod common;

use common::{
    GRANULE, Region, op, shadow,
    subject::{allocator_over, least_length, space_over},
};
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
fn sequences<const S: usize, const A: usize>(length: Length, skew: usize) {
    let length = match length {
        Least(more) => least_length::<S, A>(skew) + more,
        Bytes(length) => length,
    };
    let region = Region::new(skew, length);
    let space = space_over::<S, A>(&region);
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
        let mut allocator = allocator_over::<S, A>(&region, zeroed);
        shadow::follow(&mut allocator, space.clone(), &ops).map_err(TestCaseError::fail)?;
        prop_assert!(region.kept_within(), "wrote outside the region");
        Ok(())
    });
    if let Err(error) = outcome {
        panic!(
            "Allocator<{S}, {A}> over {length} bytes at {:p}: {error}",
            region.start()
        );
    }
}

/// One long random sequence of operations, always the same.
fn walk<const S: usize, const A: usize>(length: usize) {
    const STEPS: usize = 12_000;
    let region = Region::new(0, length);
    let space = space_over::<S, A>(&region);
    let ops = prop::collection::vec(op::any(space.len() / 64), STEPS)
        .new_tree(&mut TestRunner::deterministic())
        .unwrap()
        .current();
    let mut allocator = allocator_over::<S, A>(&region, false);
    shadow::follow(&mut allocator, space, &ops).unwrap();
    assert!(region.kept_within(), "wrote outside the region");
}

macro_rules! sequences {
    ($($name:ident: <$smallbins:literal, $sub_bins:literal>, $length:expr, at $skew:literal;)*) => {
        $(
            #[test]
            fn $name() {
                sequences::<$smallbins, $sub_bins>($length, $skew);
            }
        )*
    };
}

sequences! {
    least_without_lists: <0, 2>, Least(0), at 0;
    least_with_one_list: <1, 2>, Least(0), at 1;
    least_with_default_lists: <128, 2>, Least(0), at 7;
    two_granules: <0, 2>, Least(8), at 0;
    two_granules_odd: <2, 3>, Least(15), at 3;
    three_granules: <4, 2>, Least(16), at 8;
    a_few_granules: <8, 2>, Least(40), at 0;
    a_few_granules_odd: <0, 4>, Least(61), at 5;
    bytes_128: <0, 2>, Bytes(128), at 0;
    bytes_200: <1, 2>, Bytes(200), at 0;
    bytes_255: <2, 2>, Bytes(255), at 1;
    bytes_256: <3, 8>, Bytes(256), at 16;
    bytes_300: <128, 2>, Bytes(300), at 4;
    bytes_511: <16, 3>, Bytes(511), at 9;
    bytes_777: <0, 63>, Bytes(777), at 777;
    kib_1: <0, 2>, Bytes(1 << 10), at 0;
    kib_1_odd: <8, 4>, Bytes((1 << 10) + 13), at 1023;
    kib_2: <32, 2>, Bytes(2 << 10), at 64;
    kib_2_odd: <64, 8>, Bytes((2 << 10) - 1), at 2;
    kib_4: <8, 2>, Bytes(4 << 10), at 4096;
    kib_4_without_lists: <0, 2>, Bytes(4 << 10), at 0;
    kib_4_odd: <128, 4>, Bytes((4 << 10) - 7), at 4095;
    kib_7: <5, 5>, Bytes(7000), at 6;
    kib_8: <31, 2>, Bytes(8 << 10), at 8;
    kib_8_between_shapes: <1, 64>, Bytes((8 << 10) + 8), at 0;
    kib_12: <256, 2>, Bytes(12_345), at 12_345;
    kib_16: <128, 16>, Bytes(16 << 10), at 24;
    kib_20: <16, 2>, Bytes(20_001), at 1;
    kib_32: <64, 2>, Bytes(32 << 10), at 0;
    kib_33: <128, 2>, Bytes(33_333), at 33;
    kib_64: <32, 4>, Bytes(64 << 10), at 40;
    kib_64_odd: <0, 32>, Bytes((64 << 10) + 1), at 65_535;
    kib_100: <100, 3>, Bytes(100_000), at 100;
    kib_128: <128, 8>, Bytes(128 << 10), at 0;
    kib_200: <2, 2>, Bytes(200_001), at 11;
    kib_256: <8, 8>, Bytes(256 << 10), at 32;
    kib_400: <128, 2>, Bytes(400_003), at 5;
    mib_1: <128, 2>, Bytes(1 << 20), at 0;
    mib_1_without_lists: <0, 2>, Bytes(1 << 20), at 0;
    mib_1_odd: <64, 4>, Bytes((1 << 20) + 12_345), at 54_321;
    mib_2: <200, 2>, Bytes((2 << 20) - 9), at 9;
    mib_3: <16, 7>, Bytes(3 << 20), at 48;
    mib_4: <128, 3>, Bytes(4 << 20), at 0;
    mib_8: <32, 2>, Bytes((8 << 20) + 3), at 3;
    mib_16: <128, 2>, Bytes(16 << 20), at 0;
    mib_16_without_lists: <0, 2>, Bytes(16 << 20), at 17;
    mib_32: <8, 2>, Bytes(32 << 20), at 0;
    mib_64: <128, 2>, Bytes(64 << 20), at 0;
    mib_64_without_lists: <0, 2>, Bytes((64 << 20) - 1), at 1;
}

#[test]
fn long_walk_in_24_kib_without_lists() {
    walk::<0, 2>(24 << 10);
}

#[test]
fn long_walk_in_24_kib() {
    walk::<128, 2>(24 << 10);
}

#[test]
fn long_walk_in_256_kib_without_lists() {
    walk::<0, 2>(256 << 10);
}

#[test]
fn long_walk_in_256_kib() {
    walk::<32, 4>(256 << 10);
}

#[test]
fn long_walk_in_2_mib() {
    walk::<128, 2>(2 << 20);
}

#[test]
fn a_space_is_whole_granules_of_the_region() {
    for (skew, length) in [(0, 128), (1, 200), (7, 999), (8, 4096), (4095, 65_537)] {
        let region = Region::new(skew, length);
        let space = space_over::<0, 2>(&region);
        let (start, end) = (region.start().addr(), region.start().addr() + length);
        assert!(space.start >= start && space.end <= end);
        assert_eq!(space.start % GRANULE, 0);
        assert!(end - space.end < GRANULE, "bytes are lost at the end");
    }
}
