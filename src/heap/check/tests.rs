//! Every way in which a heap can be corrupt is found, named and placed.

extern crate std;

use std::{string::ToString, vec, vec::Vec};

use super::{
    super::{Heap, Victim, bins::Bin, chunk::Field, region::Plan},
    CheckError, Parked,
};
use crate::unit::{GRANULE, Granules, Offset};

/// A heap with a block between any two of its free chunks, which are named by
/// their sizes. The last one is between the gap and the limit.
struct Sample {
    heap: Heap,
    six: Offset,
    twelve: Offset,
    five: Offset,
    /// The blocks before and after the gap.
    last: Offset,
    next: Offset,
    _memory: Vec<u64>,
}

const BLOCK: Granules = Granules(8);

impl Sample {
    fn new() -> Self {
        let mut memory = vec![0x5555_5555_5555_5555_u64; 256];
        let start = memory.as_mut_ptr().cast::<u8>();
        let plan = Plan::new(start.addr(), size_of_val(&memory[..]), 0).unwrap();
        let mut heap = Heap::empty();
        // SAFETY: the memory is the heap's, and kept beside it.
        unsafe { heap.claim(start, plan, false) };

        let sizes = [8, 6, 8, 1, 8, 12, 8, 8].map(Granules);
        let [_, six, _, one, _, twelve, _, last] = sizes.map(|size| {
            let block = heap.top;
            heap.raise_top(size);
            block
        });
        let [_, five, next] = [8, 5, 8].map(|size| {
            let block = heap.roof - Granules(size);
            heap.lower_roof(block);
            block
        });
        for (chunk, size) in [(six, 6), (one, 1), (twelve, 12), (five, 5)] {
            assert_eq!(heap.free(chunk, Granules(size)), Granules(size));
        }
        Self {
            heap,
            six,
            twelve,
            five,
            last,
            next,
            _memory: memory,
        }
    }

    /// Changes a bit of the map of bins that are not empty.
    fn flip_note(&self, bin: Bin) {
        // The map of a small region is in granule 0.
        let bits = self.heap.span.word(0) ^ 1 << bin.sentinel().0;
        self.heap.span.set_word(0, bits);
    }

    fn mark(&self, at: Offset, size: Granules) {
        self.heap.edges.mark(self.heap.span, at, size);
    }

    fn erase(&self, at: Offset, size: Granules) {
        self.heap.edges.erase(self.heap.span, at, size);
    }

    fn set(&self, chunk: Offset, field: Field, value: u32) {
        self.heap.span.set_field(chunk, field, value);
    }
}

fn broken(broken: &'static str, at: Offset) -> Result<(), CheckError> {
    let at = at.bytes();
    Err(CheckError { broken, at })
}

/// A heap is sound, until it is corrupted by what tells where that is found.
#[track_caller]
fn finds(what: &'static str, corrupt: impl FnOnce(&mut Sample) -> Offset) {
    let mut sample = Sample::new();
    assert_eq!(sample.heap.check(), Ok(()));
    let at = corrupt(&mut sample);
    assert_eq!(sample.heap.check(), broken(what, at));
}

#[test]
fn a_heap_without_memory_is_sound() {
    assert_eq!(Heap::empty().check(), Ok(()));
}

#[test]
fn an_error_says_what_and_where() {
    let error = broken("so it is", Offset(3)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the heap is corrupt 24 bytes into its region: so it is"
    );
}

#[test]
fn bounds_of_the_gap_out_of_order() {
    finds("top is before the first block", |sample| {
        sample.heap.top = sample.heap.first - Granules::ONE;
        sample.heap.top
    });
    finds("top is beyond the roof", |sample| {
        sample.heap.top = sample.heap.roof + Granules::ONE;
        sample.heap.top
    });
    finds("the roof is beyond the limit", |sample| {
        sample.heap.roof = sample.heap.limit + Granules::ONE;
        sample.heap.roof
    });
    finds("top rose past what is known as used", |sample| {
        sample.heap.fresh.0 = sample.heap.top - Granules::ONE;
        sample.heap.top
    });
    finds("the roof fell past what is known as used", |sample| {
        sample.heap.fresh.1 = sample.heap.roof + Granules::ONE;
        sample.heap.roof
    });
}

#[test]
fn bounds_of_the_gap_that_meet_are_sound() {
    let mut sample = Sample::new();
    let heap = &mut sample.heap;
    heap.raise_top(heap.room());
    assert_eq!(heap.check(), Ok(()));
    let mut sample = Sample::new();
    let heap = &mut sample.heap;
    heap.lower_roof(heap.top);
    assert_eq!(heap.check(), Ok(()));
}

#[test]
fn a_run_is_used_on_one_side_of_the_gap_only() {
    let sample = Sample::new();
    let heap = &sample.heap;
    let (first, top, roof, limit) = (heap.first, heap.top, heap.roof, heap.limit);
    for (start, end) in [(first, top), (roof, limit)] {
        let (whole, one) = (end - start, Granules::ONE);
        assert!(heap.is_used(start, whole));
        assert!(heap.is_used(end - one, one));
        assert!(!heap.is_used(start, whole + one));
        assert!(!heap.is_used(start - one, whole));
        assert!(!heap.is_used(start - one, one));
        assert!(!heap.is_used(end, one));
    }
    assert!(!heap.is_used(first, limit - first));
}

#[test]
fn a_victim_that_is_not_taken() {
    let one = Granules::ONE;
    finds("a block outside the heap", |sample| {
        let at = sample.heap.top;
        sample.heap.victim = Victim { at, size: one };
        at
    });
    finds("a free chunk's edge in a block", |sample| {
        let (at, size) = (sample.six - one, one + one);
        sample.heap.victim = Victim { at, size };
        sample.six
    });
    let mut sample = Sample::new();
    let (at, size) = (sample.six - one, one);
    sample.heap.victim = Victim { at, size };
    assert_eq!(sample.heap.check(), Ok(()));
}

#[test]
fn a_parked_block_that_is_not_as_its_list_says() {
    let sample = Sample::new();
    let (heap, six, last) = (&sample.heap, sample.six, sample.last);
    let parked = |block: Offset| {
        let zeros = heap.span.pointer_to(block).addr().trailing_zeros();
        Parked {
            block,
            size: BLOCK,
            alignment_log2: (zeros - GRANULE.trailing_zeros()) as usize,
            amount: Granules(16),
            amount_left: Granules(16),
        }
    };
    assert_eq!(heap.check_parked(parked(last)), Ok(()));
    assert_eq!(
        heap.check_parked(Parked {
            amount_left: BLOCK,
            ..parked(last)
        }),
        broken(
            "a list of parked blocks that is cut or closed to a ring",
            last
        )
    );
    assert_eq!(
        heap.check_parked(Parked {
            alignment_log2: parked(last).alignment_log2 + 1,
            ..parked(last)
        }),
        broken("a parked block in a list of larger alignment", last)
    );
    assert_eq!(
        heap.check_parked(Parked {
            size: BLOCK + Granules::ONE,
            ..parked(last)
        }),
        broken("a block outside the heap", last)
    );
    assert_eq!(
        heap.check_parked(parked(six)),
        broken("a free chunk's edge in a block", six)
    );
}

#[test]
fn a_free_chunk_that_touches_another_or_the_gap() {
    finds("two free chunks that touch", |sample| {
        let end = sample.six + Granules(6);
        sample.mark(end, Granules::ONE);
        end
    });
    finds("a free chunk beside the gap", |sample| {
        sample.heap.span.set_size(sample.last, BLOCK);
        sample.mark(sample.last, BLOCK);
        sample.last
    });
    finds("a free chunk beside the gap", |sample| {
        sample.heap.span.set_size(sample.next, BLOCK);
        sample.mark(sample.next, BLOCK);
        sample.next
    });
}

#[test]
fn a_free_chunk_up_to_the_limit_is_sound() {
    let mut sample = Sample::new();
    let heap = &mut sample.heap;
    heap.free(heap.limit - BLOCK, BLOCK);
    assert_eq!(heap.check(), Ok(()));
}

#[test]
fn a_free_chunk_of_a_wrong_length() {
    finds("a free chunk larger than the heap", |sample| {
        let size = sample.heap.capacity() + Granules::ONE;
        sample.set(sample.six, Field::Size, size.0);
        sample.six
    });
    finds("a free chunk outside the heap", |sample| {
        let size = sample.heap.capacity();
        sample.set(sample.six, Field::Size, size.0);
        sample.six
    });
    finds("a free chunk outside the heap", |sample| {
        let size = sample.heap.top - sample.twelve + Granules::ONE;
        sample.set(sample.twelve, Field::Size, size.0);
        sample.twelve
    });
    finds("a free chunk without a length", |sample| {
        sample.set(sample.six, Field::Size, 0);
        sample.six
    });
    finds("a free chunk with two lengths", |sample| {
        sample.set(sample.six, Field::Size, 7);
        sample.six
    });
    finds("a free chunk with two lengths", |sample| {
        sample.set(sample.five, Field::Size, 4);
        sample.five
    });
}

#[test]
fn a_free_chunk_of_wrong_marks() {
    for last in [1, 2] {
        finds("a free chunk whose end is not marked", |sample| {
            let end = sample.six + Granules(6);
            sample.erase(end - Granules(last), Granules::ONE);
            sample.six
        });
    }
    for inside in 2..10 {
        finds("a mark inside a free chunk", |sample| {
            sample.mark(sample.twelve + Granules(inside), Granules::ONE);
            sample.twelve
        });
    }
    finds("a mark inside a free chunk", |sample| {
        sample.mark(sample.five + Granules(2), Granules::ONE);
        sample.five
    });
}

#[test]
fn a_bin_that_is_noted_wrongly() {
    const WHAT: &str = "a bin that is empty but noted, or the reverse";
    finds(WHAT, |sample| {
        let empty = sample.heap.bins.bin_of(Granules(2));
        sample.flip_note(empty);
        empty.sentinel()
    });
    finds(WHAT, |sample| {
        let full = sample.heap.bins.bin_of(Granules(6));
        sample.flip_note(full);
        full.sentinel()
    });
}

#[test]
fn a_bin_that_is_not_a_ring() {
    finds("a listed chunk outside the heap", |sample| {
        let bin = sample.heap.bins.bin_of(Granules(6));
        sample.set(bin.sentinel(), Field::Next, sample.heap.top.0);
        sample.heap.top
    });
    finds(
        "a chunk that does not know its list's previous one",
        |sample| {
            sample.set(sample.six, Field::Previous, sample.twelve.0);
            sample.six
        },
    );
    finds(
        "a chunk that does not know its list's previous one",
        |sample| {
            // A ring without the sentinel.
            sample.set(sample.twelve, Field::Next, sample.twelve.0);
            sample.twelve
        },
    );
}

#[test]
fn a_bin_that_holds_what_it_should_not() {
    finds("a listed chunk that is not marked", |sample| {
        let heap = &mut sample.heap;
        heap.bins.link(heap.span, sample.last, BLOCK);
        sample.last
    });
    finds("a chunk in another size's bin", |sample| {
        let heap = &mut sample.heap;
        heap.bins.unlink(heap.span, sample.six, Granules(6));
        heap.bins.link(heap.span, sample.six, Granules(12));
        sample.six
    });
}

#[test]
fn bins_that_hold_too_little_or_count_wrongly() {
    finds("the bins hold other chunks than the edges mark", |sample| {
        let heap = &mut sample.heap;
        heap.bins.unlink(heap.span, sample.six, Granules(6));
        heap.top
    });
    finds("the bins hold more or less than they count", |sample| {
        let heap = &mut sample.heap;
        heap.bins.unlink(heap.span, sample.six, Granules(6));
        // Linked again, but counted by a copy.
        let mut copy = heap.bins.clone();
        copy.link(heap.span, sample.six, Granules(6));
        heap.top
    });
}
