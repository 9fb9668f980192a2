//! What an operation may do at the most, as numbers.
#![cfg(debug_assertions)]

extern crate std;

use std::panic;

use super::{
    Counter,
    Operation::{self, Alloc, Dealloc, Realloc},
    Steps,
};

/// The lists of the allocator whose steps are judged.
const LISTS: usize = 8;

type Judged = (Operation, bool);

const PLAIN: [Judged; 3] = [(Dealloc, false), (Alloc, false), (Realloc, false)];

/// Whether steps are within the bounds.
fn are_within(steps: Steps, (operation, bounded): Judged) -> bool {
    panic::catch_unwind(|| steps.assert_bounded(operation, LISTS, bounded)).is_ok()
}

/// The most of what `with` sets that an operation may do.
fn most(judged: Judged, with: impl Fn(u32) -> Steps) -> u32 {
    let is_bound = |&count: &u32| !are_within(with(count + 1), judged);
    (0..1000).find(is_bound).expect("there is no bound")
}

#[test]
fn a_counter_is_taken_with_what_it_counted() {
    let counter = Counter::new();
    (0..3).for_each(|_| counter.step());
    assert_eq!(counter.take(), 3);
    assert_eq!(counter.take(), 0);
}

#[test]
fn an_operation_has_bounds_of_its_own() {
    let of = |with: &dyn Fn(u32) -> Steps| PLAIN.map(|judged| most(judged, with));
    let none = Steps::default;
    assert_eq!(of(&|drained| Steps { drained, ..none() }), [0, 65, 65]);
    assert_eq!(of(&|tries| Steps { tries, ..none() }), [0, 2, 3]);
    assert_eq!(of(&|unlinked| Steps { unlinked, ..none() }), [2, 3, 8]);
    assert_eq!(of(&|linked| Steps { linked, ..none() }), [1, 3, 4]);
    let lists = |lists| Steps { lists, ..none() };
    assert_eq!(of(&lists), [2 * LISTS as u32; 3]);
    assert_eq!(of(&|last| Steps { last, ..none() }), [1; 3]);
    assert_eq!(of(&|looked| Steps { looked, ..none() }), [0; 3]);
    assert_eq!(of(&|searched| Steps { searched, ..none() }), [0; 3]);
}

#[test]
fn each_try_may_look_at_four_chunks() {
    let looked = |tries| {
        move |looked| Steps {
            tries,
            looked,
            ..Steps::default()
        }
    };
    for tries in 0..=2 {
        assert_eq!(most((Alloc, false), looked(tries)), 4 * tries);
    }
}

#[test]
fn each_block_that_is_drained_may_be_tried_and_coalesced() {
    const DRAINED: u32 = 10;
    let drained = || Steps {
        drained: DRAINED,
        ..Steps::default()
    };
    let judged = (Alloc, false);
    let lists = |lists| Steps { lists, ..drained() };
    assert_eq!(most(judged, lists), DRAINED + 2 * LISTS as u32);
    let tries = |tries| Steps { tries, ..drained() };
    assert_eq!(most(judged, tries), DRAINED + 2);
    let unlinked = |unlinked| Steps {
        unlinked,
        ..drained()
    };
    assert_eq!(most(judged, unlinked), 2 * DRAINED + 3);
    let linked = |linked| Steps {
        linked,
        ..drained()
    };
    assert_eq!(most(judged, linked), DRAINED + 3);
}

#[test]
fn the_last_resort_of_a_bounded_allocator_is_64_more_of_everything() {
    let last = || Steps {
        last: 1,
        ..Steps::default()
    };
    let judged = (Alloc, true);
    let drained = |drained| Steps { drained, ..last() };
    assert_eq!(most(judged, drained), 65 + 64);
    let searched = |searched| Steps { searched, ..last() };
    assert_eq!(most(judged, searched), 64);
    let looked = |looked| Steps { looked, ..last() };
    assert_eq!(most(judged, looked), 64);
    let tries = |tries| Steps { tries, ..last() };
    assert_eq!(most(judged, tries), 2 + 1);
}

#[test]
fn the_last_resort_of_any_other_is_everything() {
    let everything = Steps {
        last: 1,
        drained: 1_000_000,
        searched: 1_000_000,
        looked: 1_000_000,
        ..Steps::default()
    };
    assert!(are_within(everything, (Alloc, false)));
}
