//! Which bin a size has, and which chunk a bin gives.

extern crate std;

use std::{vec, vec::Vec};

use super::{Bin, Bins};
use crate::{
    heap::chunk::Span,
    unit::{Granules, Offset},
};

/// Empty bins for a region, at the start of memory for it.
struct Sample {
    bins: Bins,
    span: Span,
    /// Where the next chunk is made.
    free: Offset,
    _memory: Vec<u64>,
}

impl Sample {
    fn new(granules: u32) -> Self {
        let mut memory = vec![0x5555_5555_5555_5555_u64; granules as usize];
        let bins = Bins::for_region(granules);
        // SAFETY: the memory is aligned, and kept beside the span.
        let span = unsafe { Span::new(memory.as_mut_ptr().cast()) };
        bins.clear(span);
        Self {
            free: Offset(bins.words().div_ceil(2)),
            bins,
            span,
            _memory: memory,
        }
    }

    fn link(&mut self, size: u32) -> Offset {
        let (chunk, size) = (self.free, Granules(size));
        self.free += size;
        self.span.set_size(chunk, size);
        self.bins.link(self.span, chunk, size);
        chunk
    }

    fn good_fit(&self, size: u32) -> Option<Offset> {
        let (chunk, found) = self.bins.good_fit(self.span, Granules(size))?;
        assert!(found >= Granules(size));
        Some(chunk)
    }
}

#[test]
fn the_larger_a_region_the_finer_are_its_bins() {
    for (granules, exact) in [
        (1, 2),
        (20, 2),
        (1023, 2),
        (1024, 4),
        (4095, 4),
        (4096, 8),
        (16_383, 8),
        (16_384, 16),
        (65_535, 16),
        (65_536, 32),
        (262_143, 32),
        (262_144, 64),
        (u32::MAX - 1, 64),
    ] {
        assert_eq!(Bins::for_region(granules).exact(), Granules(exact));
    }
}

#[test]
fn sentinels_take_as_much_as_is_said() {
    assert_eq!(Bins::for_region((4 << 10) / 8).words() * 4, 48);
    assert_eq!(Bins::for_region(4096).words() * 4, 360);
    assert_eq!(Bins::for_region(u32::MAX - 1).words() * 4, 7280);
}

#[test]
fn every_octave_has_the_same_number_of_ranges() {
    for (granules, ranges) in [(1024, 2), (4096, 4), (65_536, 16), (1 << 20, 32)] {
        let bins = Bins::for_region(granules);
        let exact = bins.exact().0;
        for size in 1..exact {
            assert_eq!(bins.bin_of(Granules(size)), Bin(size));
        }
        let octaves = (0..).map(|octave| exact << octave);
        for octave in octaves.take_while(|&octave| octave < granules) {
            for range in 0..ranges {
                let width = octave / ranges;
                let first = octave + range * width;
                let bin = bins.bin_of(Granules(first));
                assert_eq!(bins.bin_of(Granules(first - 1)).after(), bin);
                assert_eq!(bins.bin_of(Granules(first + width - 1)), bin);
            }
        }
        assert_eq!(bins.all().last(), Some(bins.bin_of(Granules(granules))));
    }
}

#[test]
fn a_small_region_has_one_bin_for_all_large_chunks() {
    for granules in [512, 1023] {
        let bins = Bins::for_region(granules);
        let first = bins.bin_of(Granules(16));
        assert_eq!(bins.bin_of(Granules(15)).after(), first);
        assert_eq!(bins.bin_of(Granules(u32::MAX)), first);
        assert_eq!(bins.all().last(), Some(first));
    }
}

#[test]
fn the_first_bin_that_is_not_empty_is_found() {
    let sample = Sample::new(65_536);
    let (bins, span) = (&sample.bins, sample.span);
    assert!(bins.last > Bin(200));
    for only in 1..=bins.last.0 {
        let mut bins = bins.clone();
        bins.note(span, Bin(only));
        for from in 0..bins.last.0 + 70 {
            let first = (from <= only).then_some(Bin(only));
            assert_eq!(bins.first_from(span, Bin(from)), first);
        }
        bins.forget(span, Bin(only));
        assert_eq!(bins.first_from(span, Bin(0)), None);
    }
}

#[test]
fn of_bins_that_are_not_empty_each_is_found() {
    let sample = Sample::new(65_536);
    let (bins, span) = (&sample.bins, sample.span);
    for (one, other) in (1..=bins.last.0).flat_map(|one| (1..one).map(move |other| (one, other))) {
        let mut bins = bins.clone();
        for bin in [one, other, one] {
            bins.note(span, Bin(bin));
        }
        assert!(bins.all_from(span, Bin(0)).eq([Bin(other), Bin(one)]));
        assert!(bins.is_noted(span, Bin(one)) && bins.is_noted(span, Bin(other)));
        bins.forget(span, Bin(other));
        assert!(bins.is_noted(span, Bin(one)) && !bins.is_noted(span, Bin(other)));
        assert!(bins.all_from(span, Bin(0)).eq([Bin(one)]));
        bins.note(span, Bin(other));
        bins.forget(span, Bin(one));
        assert!(bins.all_from(span, Bin(0)).eq([Bin(other)]));
        bins.forget(span, Bin(other));
        assert_eq!(bins.summary, 0);
    }
}

#[test]
fn a_good_fit_is_the_first_of_two_or_of_a_larger_bin() {
    let mut sample = Sample::new(512);
    assert_eq!(sample.good_fit(6), None);
    let larger = sample.link(8);
    assert_eq!(sample.good_fit(6), Some(larger));
    let third = sample.link(7);
    assert_eq!(sample.good_fit(6), Some(third));
    assert_eq!(sample.good_fit(7), Some(third));
    sample.link(4);
    assert_eq!(sample.good_fit(6), Some(third));
    let first = sample.link(5);
    assert_eq!(sample.good_fit(6), Some(larger));
    assert_eq!(sample.good_fit(5), Some(first));
    assert_eq!(sample.good_fit(9), None);
}

#[test]
fn as_many_chunks_are_looked_at_as_may_be() {
    let mut sample = Sample::new(512);
    let bin = sample.bins.bin_of(Granules(4));
    for size in [7, 6, 5, 4] {
        sample.link(size);
    }
    for tries in 0..6 {
        let (mut left, mut seen) = (tries, Vec::new());
        let none = sample.bins.search(sample.span, bin, &mut left, |_, found| {
            seen.push(found.0);
            None::<()>
        });
        assert_eq!(none, None);
        assert_eq!(seen, [4, 5, 6, 7][..tries.min(4)]);
        assert_eq!(left, tries.saturating_sub(4));
    }
}

#[test]
fn an_exact_fit_is_the_last_chunk_of_just_this_size() {
    let mut sample = Sample::new(65_536);
    let (span, size) = (sample.span, Granules(5));
    sample.link(6);
    assert_eq!(sample.bins.exact_fit(span, size), None);
    let first = sample.link(5);
    assert_eq!(sample.bins.exact_fit(span, size), Some(first));
    let second = sample.link(5);
    assert_eq!(sample.bins.exact_fit(span, size), Some(second));
    sample.bins.unlink(span, second, size);
    assert_eq!(sample.bins.exact_fit(span, size), Some(first));
    sample.bins.unlink(span, first, size);
    assert_eq!(sample.bins.exact_fit(span, size), None);
    assert_eq!(sample.bins.first_above(span, size), Some(Bin(6)));
    assert_eq!(sample.bins.first_above(span, Granules(6)), None);
}

#[test]
fn the_largest_chunk_is_found_and_all_are_counted() {
    let mut sample = Sample::new(512);
    assert_eq!(sample.bins.largest(sample.span), Granules::ZERO);
    let mut total = 0;
    for (size, largest) in [(3, 3), (33, 33), (60, 60), (40, 60), (2, 60)] {
        sample.link(size);
        total += size;
        assert_eq!(sample.bins.largest(sample.span), Granules(largest));
        assert_eq!(sample.bins.total(), Granules(total));
    }
}
