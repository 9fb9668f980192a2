//! What is put out, and who is told of it.

extern crate std;

use core::cell::RefCell;
use std::{vec, vec::Vec};

use super::{Class, Granules, Tally};
use crate::{
    cache::Link,
    heap::chunk::Span,
    per_cpu::{hints::Hints, outbox::Outbox},
    unit::Offset,
};

const CLASS: Class = Class {
    size: 0,
    alignment: 1,
};

/// The CPUs that one is told of, of many, when it may look into so many.
fn looked_into(hints: &Hints<1, 2>, cpu: usize, most: usize) -> Vec<usize> {
    let looked = RefCell::new(Vec::new());
    let found = hints.find(CLASS, cpu, 40, most, Tally::NONE, |other| {
        looked.borrow_mut().push(other);
        None::<()>
    });
    assert!(found.is_none());
    looked.into_inner()
}

#[test]
fn a_block_is_found_wherever_it_is_out() {
    let mut memory = vec![0_u64; 16];
    // SAFETY: the memory is aligned, and outlives the span.
    let span = unsafe { Span::new(memory.as_mut_ptr().cast()) };
    let block = Offset(3);
    for number in 0..16 {
        let class = Class {
            size: number / 2,
            alignment: number % 2,
        };
        let outbox = Outbox::<8, 2>::empty();
        span.set_link(block, Link::END.0);
        outbox.put(class, Link::new(block, class.granules()));
        let (found, size) = outbox.pop_any(span, Tally::NONE).unwrap();
        assert_eq!((found, size), (block, class.granules()));
        assert_eq!(outbox.amount(), Granules::ZERO);
        assert!(outbox.pop_any(span, Tally::NONE).is_none());
    }
}

#[test]
fn of_those_who_put_something_out_the_next_ones_are_asked_first() {
    let hints = Hints::none();
    for cpu in [1, 5, 30] {
        hints.set(CLASS, cpu);
    }
    // Of 40 CPUs, those with the same bit.
    assert_eq!(looked_into(&hints, 4, 100), [5, 37, 30, 1, 33]);
}

#[test]
fn who_is_asked_in_vain_is_not_asked_again() {
    let hints = Hints::none();
    for cpu in [9, 11, 13] {
        hints.set(CLASS, cpu);
    }
    assert_eq!(looked_into(&hints, 10, 2), [11, 13]);
    assert_eq!(looked_into(&hints, 10, 2), [9]);
    assert!(looked_into(&hints, 10, 2).is_empty());
    hints.set(CLASS, 11);
    assert_eq!(looked_into(&hints, 10, 2), [11]);
}
