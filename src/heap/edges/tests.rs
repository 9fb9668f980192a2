//! How much of a bitmap there is, and what of it is cleared when.

extern crate std;

use std::{vec, vec::Vec};

use super::{BITS, Edges};
use crate::{
    heap::{bins::Bins, chunk::Span, region::Plan},
    unit::{GRANULE, Offset},
};

#[test]
fn a_bitmap_has_the_words_that_it_needs_and_hardly_more() {
    let (mut least, mut most) = (u32::MAX, 0);
    let large = [1 << 16, 1 << 20, 1 << 24].map(|granules| granules..granules + 500);
    for granules in (20..10_000).chain(large.into_iter().flatten()) {
        let Ok(plan) = Plan::new(GRANULE, granules * GRANULE, 0) else {
            continue;
        };
        let bins = Bins::for_region(granules as u32).words();
        // With the word of the limit, the one after it is read.
        let needed = plan.bounds.limit.0 / BITS + 2 - plan.edges.low;
        let spare = Edges::words_for(granules as u32, bins) - needed;
        least = least.min(spare);
        most = most.max(spare);
    }
    assert_eq!((least, most), (0, 1));
}

const DIRTY: u32 = 0x5555_5555;

/// A bitmap for the granules from 34 to 511, in the words from 4 to 19 of a
/// dirty span.
fn dirty_bitmap() -> (Edges, Span, Vec<u64>) {
    let mut memory = vec![u64::from(DIRTY) << 32 | u64::from(DIRTY); 12];
    // SAFETY: the memory is aligned, and goes with the span.
    let span = unsafe { Span::new(memory.as_mut_ptr().cast()) };
    (Edges::new(4, Offset(34), Offset(512)), span, memory)
}

/// The words that were cleared.
fn cleared(span: Span) -> Vec<usize> {
    (0..24).filter(|&word| span.word(word) != DIRTY).collect()
}

#[test]
fn words_are_cleared_when_the_gap_has_shrunk_past_them() {
    let (mut edges, span, _memory) = dirty_bitmap();
    edges.use_below(span, Offset(34));
    assert_eq!(cleared(span), [4, 5]);
    edges.use_below(span, Offset(64));
    assert_eq!(cleared(span), [4, 5]);
    edges.use_below(span, Offset(65));
    assert_eq!(cleared(span), [4, 5, 6]);
    edges.use_above(span, Offset(512));
    assert_eq!(cleared(span), [4, 5, 6, 18, 19]);
    edges.use_above(span, Offset(482));
    assert_eq!(cleared(span), [4, 5, 6, 18, 19]);
    edges.use_above(span, Offset(481));
    assert_eq!(cleared(span), [4, 5, 6, 17, 18, 19]);
    edges.use_below(span, Offset(512));
    assert!(cleared(span).into_iter().eq(4..20));
}

#[test]
fn words_are_cleared_once() {
    let (mut edges, span, _memory) = dirty_bitmap();
    edges.use_below(span, Offset(200));
    edges.use_above(span, Offset(300));
    let clear = cleared(span);
    for &word in &clear {
        span.set_word(word, DIRTY);
    }
    edges.use_below(span, Offset(200));
    edges.use_below(span, Offset(34));
    edges.use_above(span, Offset(300));
    edges.use_above(span, Offset(512));
    assert_eq!(cleared(span), []);
    edges.use_below(span, Offset(512));
    assert!(cleared(span).iter().all(|word| !clear.contains(word)));
}

#[test]
fn words_that_are_known_to_be_zero_are_not_cleared() {
    let (mut edges, span, _memory) = dirty_bitmap();
    edges.use_all();
    edges.use_below(span, Offset(300));
    edges.use_above(span, Offset(34));
    assert_eq!(cleared(span), []);
}

#[test]
fn a_bitmap_begins_with_the_word_for_two_before_the_first_granule() {
    let low = |first| Edges::new(4, Offset(first), Offset(512)).low;
    assert_eq!([32, 33, 34, 65, 66].map(low), [0, 0, 1, 1, 2]);
}
