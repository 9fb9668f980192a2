//! What passes between a CPU's cache and its users on one side, the heap on the
//! other.

use core::alloc::Layout;

use super::{deferred::Chain, slot::CpuCache};
use crate::{
    allocator::Allocator,
    cache::{Bounds, Class},
    heap::chunk::Span,
    poison,
    unit::Offset,
};

/// Of the heap, all CPUs' caches together may hold one in so many granules.
const PARKED_OF_HEAP: u32 = 8;

/// The most blocks that move between a CPU's list and the heap at once, which
/// is half of the most that a list holds.
pub(super) const BATCH: u32 = 64;

/// Opens a block that was parked.
#[inline]
pub(super) fn give(span: Span, block: Offset, layout: Layout) -> *mut u8 {
    let block = span.pointer_to(block);
    poison::give(block, layout.size());
    block
}

/// Puts a block into its list, if that is not full.
#[inline]
pub(super) fn park<const S: usize, const A: usize>(
    cache: &mut CpuCache<S, A>,
    span: Span,
    block: *mut u8,
    layout: Layout,
) -> bool {
    poison::expect_open(block, layout.size());
    let parks = cache.push(span, layout, block);
    if parks {
        poison::take_back(block, layout.size());
    }
    parks
}

/// The blocks that make half of a list that is full.
fn half_of<const S: usize, const A: usize>(cache: &CpuCache<S, A>, class: Class) -> u32 {
    cache.bounds.of(class).0 / 2 / class.granules().0
}

/// Lets a list be longer, at the cost of another if need be.
fn grow<const S: usize, const A: usize>(
    cache: &mut CpuCache<S, A>,
    heap: &mut Allocator<S, A>,
    class: Class,
    cpus: u32,
) {
    let budget = heap.budget(PARKED_OF_HEAP * cpus);
    cache.bounds.set_budget(budget);
    cache.bounds.grow(class, 2 * BATCH);
    if let Some(other) = cache.bounds.revoke_any_but(class) {
        while let Some(block) = cache.pop_of(heap.span(), other) {
            heap.free(block, other.granules());
        }
    }
}

/// Fills half of a list with blocks that the heap can spare, one of which
/// is about to be used.
pub(super) fn refill<const S: usize, const A: usize>(
    cache: &mut CpuCache<S, A>,
    heap: &mut Allocator<S, A>,
    layout: Layout,
    cpus: u32,
) {
    let Some(class) = CpuCache::<S, A>::class_of(layout) else {
        return;
    };
    grow(cache, heap, class, cpus);
    // A list that is not empty may still have no block of the alignment.
    let bound = cache.bounds.of(class).0;
    let room = bound.saturating_sub(cache.held_in(class).0).min(bound / 2);
    let span = heap.span();
    heap.take_spare(layout, room / class.granules().0, |block| {
        let parked = cache.push(span, layout, span.pointer_to(block));
        debug_assert!(parked, "a batch is larger than its list");
    });
}

/// Lets a list that is full be longer, or else gives half of it back.
pub(super) fn make_room<const S: usize, const A: usize>(
    cache: &mut CpuCache<S, A>,
    heap: &mut Allocator<S, A>,
    layout: Layout,
    cpus: u32,
) {
    let Some(class) = CpuCache::<S, A>::class_of(layout) else {
        return;
    };
    let full = cache.bounds.of(class);
    grow(cache, heap, class, cpus);
    if cache.bounds.of(class) > full {
        return;
    }
    for _ in 0..half_of(cache, class).max(1) {
        let Some(block) = cache.pop_of(heap.span(), class) else {
            return;
        };
        heap.return_spare(layout, block);
    }
}

/// Parks a block in a list that may now be longer, without asking the heap.
pub(super) fn park_growing<const S: usize, const A: usize>(
    cache: &mut CpuCache<S, A>,
    span: Span,
    block: *mut u8,
    layout: Layout,
) -> bool {
    if let Some(class) = CpuCache::<S, A>::class_of(layout) {
        cache.bounds.grow(class, 2 * BATCH);
    }
    park(cache, span, block, layout)
}

/// Links a block, and half of the list that it does not fit into any more.
pub(super) fn unlink_half<const S: usize, const A: usize>(
    cache: &mut CpuCache<S, A>,
    span: Span,
    block: *mut u8,
    layout: Layout,
) -> Option<Chain> {
    let class = CpuCache::<S, A>::class_of(layout)?;
    let size = class.granules();
    poison::take_back(block, layout.size());
    let mut chain = Chain::of_one(span.offset_of(block), size);
    for _ in 0..half_of(cache, class) {
        let Some(block) = cache.pop_of(span, class) else {
            break;
        };
        chain = chain.and(span, block, size);
    }
    Some(chain)
}
