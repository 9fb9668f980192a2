//! The operations that are counted.

use core::alloc::Layout;

use anyhow::{Result, ensure};

use super::requests;
use crate::contender::Calls;
use crate::trace::{file::Trace, replay::Replay};

/// Operations of one kind with one contender.
pub struct Case {
    pub contender: &'static str,
    pub name: &'static str,
    work: Work,
}

enum Work {
    /// What is done with a fresh heap.
    Do(fn(Calls, &mut Tally)),
    /// A bundled trace is replayed.
    Replay(&'static str),
}

impl Case {
    /// The trace that it needs.
    pub fn trace(&self) -> Option<&'static str> {
        match self.work {
            Work::Do(_) => None,
            Work::Replay(trace) => Some(trace),
        }
    }

    /// Does the operations, and gives their number.
    pub fn run(&self, calls: Calls, trace: Option<&Trace>) -> Result<u64> {
        let mut tally = Tally { operations: 0 };
        match self.work {
            Work::Do(work) => work(calls, &mut tally),
            Work::Replay(_) => {
                let trace = trace.expect("the trace that it needs");
                let mut replay = Replay::new(trace);
                let success = tally.count(|| replay.run(calls));
                ensure!(success, "out of memory");
                tally.operations = trace.ops.len() as u64;
            }
        }
        Ok(tally.operations)
    }
}

const fn case(contender: &'static str, name: &'static str, work: fn(Calls, &mut Tally)) -> Case {
    Case {
        contender,
        name,
        work: Work::Do(work),
    }
}

const fn replay(contender: &'static str, trace: &'static str) -> Case {
    Case {
        contender,
        name: trace,
        work: Work::Replay(trace),
    }
}

/// The seven first are of blocks that have lists, the next ones of blocks that are too large for them.
pub const ALL: &[Case] = &[
    case("galloc", "alloc, parked", alloc_parked),
    case(
        "galloc",
        "alloc, parked, aligned to 64",
        alloc_parked_aligned,
    ),
    case("galloc", "dealloc, parks", dealloc_parks),
    case("galloc", "either, random sizes", random_sizes),
    case("galloc", "alloc, from the gap", alloc_from_gap),
    case("galloc-per-cpu", "alloc, parked", alloc_parked),
    case("galloc-per-cpu", "dealloc, parks", dealloc_parks),
    case("galloc", "alloc, a whole chunk", alloc_chunk),
    case("galloc", "alloc, splits a chunk", alloc_splits),
    case(
        "galloc",
        "alloc, splits a chunk, aligned to 256",
        alloc_splits_aligned,
    ),
    case("galloc", "dealloc, next to nothing free", dealloc_alone),
    case("galloc", "dealloc, joins two chunks", dealloc_joins),
    case("galloc", "realloc, shrinks", realloc_shrinks),
    case("galloc", "realloc, grows into a chunk", realloc_grows),
    case(
        "galloc",
        "realloc, grows into the gap",
        realloc_grows_into_gap,
    ),
    case("galloc-0x2", "either, random sizes", random_sizes),
    replay("galloc", "sqlite"),
    replay("galloc", "rs_json"),
    replay("galloc-per-cpu", "sqlite"),
    replay("galloc-0x2", "sqlite"),
];

/// Counts operations.
pub struct Tally {
    operations: u64,
}

impl Tally {
    /// Has callgrind count what is done for this one.
    #[inline(always)]
    fn count<T>(&mut self, operation: impl FnOnce() -> T) -> T {
        self.operations += 1;
        requests::toggle();
        let result = operation();
        requests::toggle();
        result
    }
}

const COUNT: usize = 1000;
const SMALL: Layout = layout(64, 8);
/// Too large for any list.
const LARGE: Layout = layout(8 << 10, 8);

const fn layout(size: usize, align: usize) -> Layout {
    match Layout::from_size_align(size, align) {
        Ok(layout) => layout,
        Err(_) => panic!("no layout"),
    }
}

/// Allocates a block, and has it counted.
fn take(calls: Calls, layout: Layout, tally: &mut Tally) -> *mut u8 {
    // SAFETY: the size is not zero.
    let block = tally.count(|| unsafe { calls.alloc(layout) });
    assert!(!block.is_null());
    block
}

/// Frees a block, and has it counted.
fn free(calls: Calls, block: *mut u8, layout: Layout, tally: &mut Tally) {
    // SAFETY: cases free each of their blocks once, with its layout.
    tally.count(|| unsafe { calls.dealloc(block, layout) });
}

/// Resizes a block where it is, and has it counted.
fn resize(calls: Calls, block: *mut u8, layout: Layout, size: usize, tally: &mut Tally) {
    // SAFETY: cases resize blocks that live, with their layout.
    let moved = tally.count(|| unsafe { calls.realloc(block, layout, size) });
    assert_eq!(moved, block, "a block that has room was moved");
}

/// As many blocks, not counted.
fn blocks(calls: Calls, layout: Layout, count: usize) -> Vec<*mut u8> {
    // SAFETY: the size is not zero.
    let blocks: Vec<_> = (0..count).map(|_| unsafe { calls.alloc(layout) }).collect();
    assert!(blocks.iter().all(|block| !block.is_null()));
    blocks
}

/// Frees blocks, not counted.
fn drop_all(calls: Calls, blocks: impl IntoIterator<Item = *mut u8>, layout: Layout) {
    for block in blocks {
        // SAFETY: cases free each of their blocks once, with its layout.
        unsafe { calls.dealloc(block, layout) };
    }
}

/// Chunks of this many bytes, apart from each other.
fn chunks(calls: Calls, bytes: usize) {
    let blocks = blocks(calls, layout(bytes, 8), 2 * COUNT);
    drop_all(calls, blocks.into_iter().step_by(2), layout(bytes, 8));
}

fn alloc_parked(calls: Calls, tally: &mut Tally) {
    drop_all(calls, blocks(calls, SMALL, COUNT), SMALL);
    (0..COUNT).for_each(|_| _ = take(calls, SMALL, tally));
}

fn alloc_parked_aligned(calls: Calls, tally: &mut Tally) {
    let aligned = layout(64, 64);
    drop_all(calls, blocks(calls, aligned, COUNT), aligned);
    (0..COUNT).for_each(|_| _ = take(calls, aligned, tally));
}

fn dealloc_parks(calls: Calls, tally: &mut Tally) {
    // The first block to be freed wakes the lists.
    drop_all(calls, blocks(calls, SMALL, 1), SMALL);
    for block in blocks(calls, SMALL, COUNT) {
        free(calls, block, SMALL, tally);
    }
}

/// Frees one of many blocks of random sizes, and allocates another.
fn random_sizes(calls: Calls, tally: &mut Tally) {
    let mut random = fastrand::Rng::with_seed(1);
    let mut live: Vec<_> = (0..COUNT)
        .map(|_| {
            let layout = layout(random.usize(1..=512), 8);
            (blocks(calls, layout, 1)[0], layout)
        })
        .collect();
    for _ in 0..5 * COUNT {
        let (block, old) = &mut live[random.usize(..COUNT)];
        free(calls, *block, *old, tally);
        *old = layout(random.usize(1..=512), 8);
        *block = take(calls, *old, tally);
    }
}

fn alloc_from_gap(calls: Calls, tally: &mut Tally) {
    (0..COUNT).for_each(|_| _ = take(calls, SMALL, tally));
}

fn alloc_chunk(calls: Calls, tally: &mut Tally) {
    chunks(calls, LARGE.size());
    (0..COUNT).for_each(|_| _ = take(calls, LARGE, tally));
}

fn alloc_splits(calls: Calls, tally: &mut Tally) {
    chunks(calls, 5 * LARGE.size());
    (0..4 * COUNT).for_each(|_| _ = take(calls, LARGE, tally));
}

fn alloc_splits_aligned(calls: Calls, tally: &mut Tally) {
    chunks(calls, 5 * LARGE.size() + 8);
    let aligned = layout(LARGE.size(), 256);
    (0..4 * COUNT).for_each(|_| _ = take(calls, aligned, tally));
}

fn dealloc_alone(calls: Calls, tally: &mut Tally) {
    for block in blocks(calls, LARGE, 2 * COUNT).into_iter().step_by(2) {
        free(calls, block, LARGE, tally);
    }
}

fn dealloc_joins(calls: Calls, tally: &mut Tally) {
    let blocks = blocks(calls, LARGE, 2 * COUNT + 2);
    drop_all(calls, blocks.iter().copied().step_by(2), LARGE);
    for &block in blocks[1..2 * COUNT].iter().step_by(2) {
        free(calls, block, LARGE, tally);
    }
}

fn realloc_shrinks(calls: Calls, tally: &mut Tally) {
    for block in blocks(calls, LARGE, COUNT) {
        resize(calls, block, LARGE, LARGE.size() / 2, tally);
    }
}

fn realloc_grows(calls: Calls, tally: &mut Tally) {
    let blocks = blocks(calls, LARGE, COUNT);
    let half = layout(LARGE.size() / 2, 8);
    for &block in &blocks {
        // SAFETY: the blocks live, and this is their layout.
        unsafe { calls.realloc(block, LARGE, half.size()) };
    }
    for block in blocks {
        resize(calls, block, half, LARGE.size(), tally);
    }
}

/// The last of the large blocks has the gap behind it.
fn realloc_grows_into_gap(calls: Calls, tally: &mut Tally) {
    let block = blocks(calls, LARGE, 1)[0];
    let mut size = LARGE.size();
    for _ in 0..COUNT {
        resize(calls, block, layout(size, 8), size + 1000, tally);
        size += 1000;
    }
}
