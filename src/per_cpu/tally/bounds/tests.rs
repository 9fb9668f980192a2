//! What an operation may do at the most, as numbers.

extern crate std;

use std::panic;

use super::{
    Alloc, AllocZeroed, Counts, Dealloc, Limits,
    Operation::{self, Realloc},
    Step,
};

const OPERATIONS: [Operation; 4] = [Alloc, AllocZeroed, Dealloc, Realloc];

/// Lists of which there are 10, on 4 CPUs.
const PLAIN: Limits = Limits {
    cpus: 4,
    lists: 10,
    bounded: false,
};

const BOUNDED: Limits = Limits {
    bounded: true,
    ..PLAIN
};

/// An operation that did so much.
fn of(steps: &[(Step, u32)]) -> Counts {
    let mut counts = Counts([0; Step::ALL.len()]);
    for &(step, count) in steps {
        counts.0[step as usize] = count;
    }
    counts
}

/// How often each operation may do a step, if it did so much else.
fn most(step: Step, others: &[(Step, u32)], limits: &Limits) -> [u32; 4] {
    OPERATIONS.map(|operation| of(others).most(step, operation, limits))
}

fn are_within(counts: &Counts, operation: Operation) -> bool {
    panic::catch_unwind(|| counts.assert_bounded(operation, &PLAIN)).is_ok()
}

#[test]
fn one_step_too_many_is_seen_whatever_it_is() {
    for step in Step::ALL {
        for operation in OPERATIONS {
            let most = of(&[]).most(step, operation, &PLAIN);
            assert!(are_within(&of(&[(step, most)]), operation));
            assert!(!are_within(&of(&[(step, most + 1)]), operation), "{step:?}");
        }
    }
}

#[test]
fn an_operation_has_bounds_of_its_own() {
    let most = |step| most(step, &[], &PLAIN);
    assert_eq!(most(Step::Cache), [3, 3, 3, 7]);
    assert_eq!(most(Step::Hint), [9, 9, 0, 9]);
    assert_eq!(most(Step::Outbox), [30, 30, 2, 52]);
    assert_eq!(most(Step::List), [20, 20, 0, 40]);
    assert_eq!(most(Step::Grant), [64, 64, 64, 128]);
    assert_eq!(most(Step::Moved), [64, 64, 64, 128]);
    assert_eq!(most(Step::Returned), [256, 256, 320, 576]);
    assert_eq!(most(Step::Lock), [2, 3, 1, 4]);
    assert_eq!(most(Step::Settled), [0; 4]);
    assert_eq!(most(Step::Reclaim), [1, 1, 0, 2]);
    assert_eq!(most(Step::Alloc), [33, 33, 0, 33]);
    assert_eq!(most(Step::Free), [1, 1, 1, 2]);
    assert_eq!(most(Step::Resize), [0, 0, 0, 1]);
    assert_eq!(most(Step::Drained), [65, 130, 0, 130]);
    assert_eq!(most(Step::LastResort), [1, 2, 0, 2]);
}

#[test]
fn who_takes_the_lock_may_free_64_deferred_blocks() {
    let settled = most(Step::Settled, &[(Step::Lock, 2)], &PLAIN);
    assert_eq!(settled, [128; 4]);
}

#[test]
fn a_block_that_is_given_back_is_freed_once() {
    let others = [(Step::Returned, 100), (Step::Settled, 10)];
    assert_eq!(most(Step::Free, &others, &PLAIN), [111, 111, 111, 112]);
}

#[test]
fn a_list_may_be_looked_at_once_more_for_each_block_that_is_drained() {
    let others = [(Step::Drained, 7)];
    assert_eq!(most(Step::List, &others, &PLAIN), [27, 27, 7, 47]);
    assert_eq!(most(Step::Outbox, &others, &PLAIN), [37, 37, 9, 59]);
}

#[test]
fn who_takes_everything_back_goes_through_each_cpu_s_lists() {
    let others = [(Step::Reclaim, 1), (Step::Returned, 640)];
    let most = |step| most(step, &others, &PLAIN);
    assert_eq!(most(Step::Cache), [7, 7, 7, 11]);
    assert_eq!(most(Step::List)[0], 20 + 4 * 20 + 640);
    assert_eq!(most(Step::Outbox)[0], 10 + 20 + 4 * 20 + 640);
    assert_eq!(most(Step::Lock), [17, 18, 16, 19]);
    assert_eq!(most(Step::Returned), [u32::MAX; 4]);
    assert_eq!(most(Step::Settled), [u32::MAX; 4]);
    assert_eq!(most(Step::Alloc)[0], 34);
    assert_eq!(most(Step::Resize)[3], 2);
    assert_eq!(most(Step::LastResort), [2, 3, 1, 3]);
}

#[test]
fn the_last_resort_drains_everything_or_64_blocks() {
    let others = [(Step::LastResort, 1)];
    assert_eq!(most(Step::Drained, &others, &PLAIN)[0], u32::MAX);
    let bounded = [65 + 64, 130 + 64, 64, 130 + 64];
    assert_eq!(most(Step::Drained, &others, &BOUNDED), bounded);
}

#[test]
fn who_is_bounded_takes_nothing_back() {
    assert_eq!(most(Step::Reclaim, &[], &BOUNDED), [0; 4]);
}
