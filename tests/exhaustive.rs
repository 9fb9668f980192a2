//! Every sequence of operations up to some length, in heaps of a few dozen
//! granules: what random sequences might miss.

mod common;

use std::{alloc::Layout, ops::Range, ptr};

use common::{
    GRANULE, Op, Region, Shadow,
    subject::{allocator_over, least_length, space_over},
};
use good_memory_allocator::Allocator;

/// A walk through all sequences of operations.
struct Walk<'a, const S: usize, const A: usize> {
    region: &'a Region,
    allocator: Allocator<S, A>,
    shadow: Shadow,
    /// What is allocated, wherever a sequence allocates.
    layouts: &'a [Layout],
    /// How many granules larger or smaller blocks become.
    resizes: &'a [isize],
    /// The operations that led here.
    path: Vec<Op>,
}

/// What there is to go back to.
struct Moment<const S: usize, const A: usize> {
    memory: Vec<u8>,
    allocator: Allocator<S, A>,
    shadow: Shadow,
}

impl<const S: usize, const A: usize> Walk<'_, S, A> {
    /// Does every sequence of `depth` operations from here, and counts the
    /// operations.
    fn explore(&mut self, depth: usize) -> usize {
        if depth == 0 {
            return 0;
        }
        let mut count = 0;
        for op in self.ops() {
            let moment = self.remember();
            self.path.push(op);
            let outcome = self
                .shadow
                .step(&mut self.allocator, op)
                .and_then(|()| self.shadow.examine(&self.allocator));
            if let Err(fault) = outcome {
                panic!("Allocator<{S}, {A}>: {fault}, after {:#?}", self.path);
            }
            count += 1 + self.explore(depth - 1);
            self.path.pop();
            self.go_back(moment);
        }
        count
    }

    /// Every operation that can be next.
    fn ops(&self) -> Vec<Op> {
        let mut ops: Vec<_> = self.layouts.iter().copied().map(Op::Alloc).collect();
        for block in 0..self.shadow.blocks() {
            ops.push(Op::Dealloc { block });
            let granules = self.shadow.block(block).layout.size() / GRANULE;
            let sizes = self
                .resizes
                .iter()
                .map(|&more| granules.saturating_add_signed(more));
            let sizes = sizes.filter(|&size| size > 0);
            ops.extend(sizes.map(|size| Op::Realloc {
                block,
                size: size * GRANULE,
            }));
        }
        ops
    }

    fn remember(&self) -> Moment<S, A> {
        Moment {
            memory: self.memory().to_vec(),
            // SAFETY: an allocator owns nothing but the region, and the two
            // are used in turn, each with the region's bytes of its time.
            allocator: unsafe { ptr::read(&self.allocator) },
            shadow: self.shadow.clone(),
        }
    }

    fn go_back(&mut self, moment: Moment<S, A>) {
        // SAFETY: the bytes are the region's own.
        unsafe {
            let start = self.region.start();
            start.copy_from_nonoverlapping(moment.memory.as_ptr(), moment.memory.len());
        }
        self.allocator = moment.allocator;
        self.shadow = moment.shadow;
    }

    fn memory(&self) -> &[u8] {
        // SAFETY: the region is valid and was filled.
        unsafe { std::slice::from_raw_parts(self.region.start(), self.region.len()) }
    }
}

/// A region and its space, of so many granules.
fn region_of<const S: usize, const A: usize>(granules: usize) -> (Region, Range<usize>) {
    (least_length::<S, A>(0)..)
        .map(|length| Region::new(0, length))
        .map(|region| (space_over::<S, A>(&region), region))
        .map(|(space, region)| (region, space))
        .find(|(_, space)| space.len() >= granules * GRANULE)
        .unwrap()
}

/// Does every sequence of `depth` operations in a heap of `granules`, after
/// some that are the same for all.
fn every_sequence<const S: usize, const A: usize>(
    granules: usize,
    depth: usize,
    layouts: &[(usize, usize)],
    resizes: &[isize],
    before: &[Op],
) {
    let (region, space) = region_of::<S, A>(granules);
    let layouts: Vec<_> = layouts
        .iter()
        .map(|&(size, align)| common::layout(size, align))
        .collect();
    let mut walk = Walk {
        region: &region,
        allocator: allocator_over::<S, A>(&region, false),
        shadow: Shadow::new(space),
        layouts: &layouts,
        resizes,
        path: Vec::new(),
    };
    for &op in before {
        walk.shadow.step(&mut walk.allocator, op).unwrap();
    }
    let count = walk.explore(depth);
    assert!(region.kept_within(), "wrote outside the region");
    println!("Allocator<{S}, {A}>: {count} operations");
}

/// All kinds of operations: blocks of one granule and more, of twice and
/// four times a granule's alignment, of half the heap, of too much.
fn short_sequences_of_everything<const S: usize, const A: usize>() {
    let layouts = [
        (8, 8),
        (16, 8),
        (24, 8),
        (8, 16),
        (40, 32),
        (96, 8),
        (8, 4096),
    ];
    every_sequence::<S, A>(24, 5, &layouts, &[-1, 1, 5], &[]);
}

/// Few kinds of operations, but more of them.
fn long_sequences_of_little<const S: usize, const A: usize>() {
    every_sequence::<S, A>(7, 8, &[(8, 8), (16, 8), (8, 16)], &[], &[]);
}

/// Blocks that grow and shrink among neighbours that come and go.
fn sequences_of_resizing<const S: usize, const A: usize>() {
    every_sequence::<S, A>(9, 6, &[(8, 8), (24, 8)], &[-2, -1, 1, 3], &[]);
}

/// What happens in a heap that is full of small blocks with holes between.
fn sequences_among_holes<const S: usize, const A: usize>() {
    let mut before = vec![Op::Alloc(common::layout(8, 8)); 12];
    before.extend([0, 2, 4, 5].map(|block| Op::Dealloc { block }));
    every_sequence::<S, A>(12, 4, &[(8, 8), (16, 8), (24, 8), (16, 16)], &[1], &before);
}

macro_rules! exhaustive {
    ($($name:ident: $sequences:ident of <$smallbins:literal, $sub_bins:literal>;)*) => {
        $(
            #[test]
            fn $name() {
                $sequences::<$smallbins, $sub_bins>();
            }
        )*
    };
}

exhaustive! {
    everything_without_lists: short_sequences_of_everything of <0, 2>;
    everything_with_one_list: short_sequences_of_everything of <1, 2>;
    everything_with_two_lists: short_sequences_of_everything of <2, 2>;
    everything_with_eight_lists: short_sequences_of_everything of <8, 3>;
    little_without_lists: long_sequences_of_little of <0, 2>;
    little_with_one_list: long_sequences_of_little of <1, 2>;
    little_with_two_lists: long_sequences_of_little of <2, 2>;
    little_with_eight_lists: long_sequences_of_little of <8, 3>;
    resizing_without_lists: sequences_of_resizing of <0, 2>;
    resizing_with_one_list: sequences_of_resizing of <1, 2>;
    resizing_with_two_lists: sequences_of_resizing of <2, 2>;
    resizing_with_eight_lists: sequences_of_resizing of <8, 3>;
    holes_without_lists: sequences_among_holes of <0, 2>;
    holes_with_one_list: sequences_among_holes of <1, 2>;
    holes_with_two_lists: sequences_among_holes of <2, 2>;
    holes_with_eight_lists: sequences_among_holes of <8, 3>;
}
