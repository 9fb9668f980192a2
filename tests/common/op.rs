//! The operations of an allocator.

use std::alloc::Layout;

use proptest::prelude::{Strategy, prop, prop_oneof};

/// An operation. Blocks are named by their place among those that are live,
/// modulo their number.
#[derive(Clone, Copy, Debug)]
pub enum Op {
    Alloc(Layout),
    AllocZeroed(Layout),
    Realloc { block: usize, size: usize },
    Dealloc { block: usize },
}

/// Sizes from nothing to too much, most of them small.
fn sizes(capacity: usize) -> impl Strategy<Value = usize> + Clone {
    let most = isize::MAX as usize;
    prop_oneof![
        8 => 0..=64_usize,
        4 => 0..=1100_usize,
        3 => 0..=capacity / 16,
        1 => 0..=capacity,
        1 => capacity.saturating_sub(64)..=capacity + 16,
        1 => most - 64..=most,
    ]
}

/// Alignments from 1 to 64 KiB, and seldom all there are.
fn alignments() -> impl Strategy<Value = usize> + Clone {
    prop_oneof![
        12 => 0..=3_u32,
        4 => 4..=7_u32,
        2 => 4..=16_u32,
        1 => 0..usize::BITS,
    ]
    .prop_map(|log2| 1 << log2)
}

fn layouts(capacity: usize) -> impl Strategy<Value = Layout> + Clone {
    (sizes(capacity), alignments()).prop_map(|(size, align)| {
        let most = isize::MAX as usize + 1 - align;
        super::layout(size.min(most), align)
    })
}

/// Any operation on a heap of this capacity.
pub fn any(capacity: usize) -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => layouts(capacity).prop_map(Op::Alloc),
        1 => layouts(capacity).prop_map(Op::AllocZeroed),
        2 => (prop::num::u16::ANY, sizes(capacity))
            .prop_map(|(block, size)| Op::Realloc { block: block.into(), size }),
        3 => prop::num::u16::ANY.prop_map(|block| Op::Dealloc { block: block.into() }),
    ]
}
