//! Heaps and operations out of the bytes of an input. What a byte decides is
//! chosen so that short inputs already do much.

use std::alloc::Layout;

use arbitrary::{Result, Unstructured};

use crate::common::{Op, Region, layout};

/// The shortest region that every kind of allocator takes.
const LEAST: usize = 144;

/// A region of any length and skew, seldom a large one.
pub fn region(input: &mut Unstructured) -> Result<Region> {
    let skew = match input.int_in_range(0..=3)? {
        0 => 0,
        1 | 2 => input.int_in_range(0..=64)?,
        _ => input.int_in_range(0..=0xFFFF)?,
    };
    let octave = match input.int_in_range(0..=63)? {
        63 => 22,
        any => 6 + any % 11,
    };
    let more = input.int_in_range(0..=1_usize << octave)?;
    Ok(Region::new(skew, LEAST + more))
}

/// Any operation on a heap of this capacity.
pub fn op(input: &mut Unstructured, capacity: usize) -> Result<Op> {
    Ok(match input.int_in_range(0..=9)? {
        0..=3 => Op::Alloc(any_layout(input, capacity)?),
        4 => Op::AllocZeroed(any_layout(input, capacity)?),
        5 | 6 => Op::Realloc {
            block: block(input)?,
            size: size(input, capacity)?,
        },
        _ => Op::Dealloc {
            block: block(input)?,
        },
    })
}

/// A block's number.
pub fn block(input: &mut Unstructured) -> Result<usize> {
    Ok(input.arbitrary::<u8>()?.into())
}

/// Any layout, for a heap of this capacity.
pub fn any_layout(input: &mut Unstructured, capacity: usize) -> Result<Layout> {
    let align = 1_usize << alignment_log2(input)?;
    let most = isize::MAX as usize + 1 - align;
    Ok(layout(size(input, capacity)?.min(most), align))
}

/// Sizes from nothing to too much, most of them small.
fn size(input: &mut Unstructured, capacity: usize) -> Result<usize> {
    let most = isize::MAX as usize;
    let range = match input.int_in_range(0..=17)? {
        0..=7 => 0..=64,
        8..=11 => 0..=1100,
        12..=14 => 0..=capacity / 16,
        15 => 0..=capacity,
        16 => capacity.saturating_sub(64)..=capacity + 16,
        _ => most - 64..=most,
    };
    input.int_in_range(range)
}

/// Alignments from 1 to 64 KiB, and seldom all there are.
fn alignment_log2(input: &mut Unstructured) -> Result<u32> {
    Ok(match input.arbitrary::<u8>()? {
        any @ 0..=159 => u32::from(any % 4),
        any @ 160..=223 => 4 + u32::from(any % 4),
        any @ 224..=247 => 4 + u32::from(any) % 13,
        _ => input.int_in_range(0..=usize::BITS - 1)?,
    })
}
