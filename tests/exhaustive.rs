//! Every sequence of operations up to some length, in heaps of a few dozen
//! granules: what random sequences might miss.

mod common;

use std::{alloc::Layout, any::type_name, ops::Range, ptr};

use common::{
    GRANULE, Op, Region, Shadow,
    subject::{Kind, allocator_over, least_length, space_over},
};
use good_memory_allocator::{Allocator, TinyAllocator};

/// A walk through all sequences of operations.
struct Walk<'a, T: Kind> {
    region: &'a Region,
    allocator: T,
    shadow: Shadow,
    /// What is allocated, wherever a sequence allocates.
    layouts: &'a [Layout],
    /// How many granules larger or smaller blocks become.
    resizes: &'a [isize],
    /// The operations that led here.
    path: Vec<Op>,
}

/// What there is to go back to.
struct Moment<T: Kind> {
    memory: Vec<u8>,
    allocator: T,
    shadow: Shadow,
}

impl<T: Kind> Walk<'_, T> {
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
                panic!("{}: {fault}, after {:#?}", type_name::<T>(), self.path);
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

    fn remember(&self) -> Moment<T> {
        Moment {
            memory: self.memory().to_vec(),
            // SAFETY: an allocator owns nothing but the region, and the two
            // are used in turn, each with the region's bytes of its time.
            allocator: unsafe { ptr::read(&self.allocator) },
            shadow: self.shadow.clone(),
        }
    }

    fn go_back(&mut self, moment: Moment<T>) {
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
fn region_of<T: Kind>(granules: usize) -> (Region, Range<usize>) {
    (least_length::<T>(0)..)
        .map(|length| Region::new(0, length))
        .map(|region| (space_over::<T>(&region), region))
        .map(|(space, region)| (region, space))
        .find(|(_, space)| space.len() >= granules * GRANULE)
        .unwrap()
}

/// Does every sequence of `depth` operations in a heap of `granules`, after
/// some that are the same for all.
fn every_sequence<T: Kind>(
    granules: usize,
    depth: usize,
    layouts: &[(usize, usize)],
    resizes: &[isize],
    before: &[Op],
) {
    let (region, space) = region_of::<T>(granules);
    let layouts: Vec<_> = layouts
        .iter()
        .map(|&(size, align)| common::layout(size, align))
        .collect();
    let mut walk = Walk {
        region: &region,
        allocator: allocator_over::<T>(&region, false),
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
    println!("{}: {count} operations", type_name::<T>());
}

/// All kinds of operations: blocks of one granule and more, of twice and
/// four times a granule's alignment, of half the heap, of too much.
fn short_sequences_of_everything<T: Kind>() {
    let layouts = [
        (8, 8),
        (16, 8),
        (24, 8),
        (8, 16),
        (40, 32),
        (96, 8),
        (8, 4096),
    ];
    every_sequence::<T>(24, 5, &layouts, &[-1, 1, 5], &[]);
}

/// Few kinds of operations, but more of them.
fn long_sequences_of_little<T: Kind>() {
    every_sequence::<T>(7, 8, &[(8, 8), (16, 8), (8, 16)], &[], &[]);
}

/// Blocks that grow and shrink among neighbours that come and go.
fn sequences_of_resizing<T: Kind>() {
    every_sequence::<T>(9, 6, &[(8, 8), (24, 8)], &[-2, -1, 1, 3], &[]);
}

/// What happens in a heap that is full of small blocks with holes between.
fn sequences_among_holes<T: Kind>() {
    let mut before = vec![Op::Alloc(common::layout(8, 8)); 12];
    before.extend([0, 2, 4, 5].map(|block| Op::Dealloc { block }));
    every_sequence::<T>(12, 4, &[(8, 8), (16, 8), (24, 8), (16, 16)], &[1], &before);
}

macro_rules! exhaustive {
    ($($name:ident: $sequences:ident of $kind:ty;)*) => {
        $(
            #[test]
            fn $name() {
                $sequences::<$kind>();
            }
        )*
    };
}

exhaustive! {
    everything_without_lists: short_sequences_of_everything of Allocator<0, 2>;
    everything_with_one_list: short_sequences_of_everything of Allocator<1, 2>;
    everything_with_two_lists: short_sequences_of_everything of Allocator<2, 2>;
    everything_with_eight_lists: short_sequences_of_everything of Allocator<8, 3>;
    everything_in_a_tiny_heap: short_sequences_of_everything of TinyAllocator;
    little_without_lists: long_sequences_of_little of Allocator<0, 2>;
    little_with_one_list: long_sequences_of_little of Allocator<1, 2>;
    little_with_two_lists: long_sequences_of_little of Allocator<2, 2>;
    little_with_eight_lists: long_sequences_of_little of Allocator<8, 3>;
    little_in_a_tiny_heap: long_sequences_of_little of TinyAllocator;
    resizing_without_lists: sequences_of_resizing of Allocator<0, 2>;
    resizing_with_one_list: sequences_of_resizing of Allocator<1, 2>;
    resizing_with_two_lists: sequences_of_resizing of Allocator<2, 2>;
    resizing_with_eight_lists: sequences_of_resizing of Allocator<8, 3>;
    resizing_in_a_tiny_heap: sequences_of_resizing of TinyAllocator;
    holes_without_lists: sequences_among_holes of Allocator<0, 2>;
    holes_with_one_list: sequences_among_holes of Allocator<1, 2>;
    holes_with_two_lists: sequences_among_holes of Allocator<2, 2>;
    holes_with_eight_lists: sequences_among_holes of Allocator<8, 3>;
    holes_in_a_tiny_heap: sequences_among_holes of TinyAllocator;
}
