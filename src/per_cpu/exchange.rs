//! What passes between a CPU's cache and its users on one side, the heap on the
//! other.

use core::alloc::Layout;

use super::{
    deferred::Chain,
    outbox::Outbox,
    piece::Piece,
    slot::CpuCache,
    tally::{Step, Tally},
};
use crate::{
    allocator::Allocator,
    cache::{Bounds, Class, Link},
    heap::chunk::Span,
    poison,
    sync::MODEL,
    unit::{Granules, Offset},
};

/// Of the heap, all CPUs' caches together may hold one in so many granules, and
/// their outboxes half as much.
const PARKED_OF_HEAP: u32 = 8;

/// The most blocks that move between a CPU's list and the heap at once.
pub(super) const BATCH: u32 = 64;

/// The most blocks in a chain that is put out, or taken back of a list, and in a
/// list of a CPU that only frees.
pub(super) const CHAIN: u32 = 2 * BATCH;

/// The most blocks in a list that is also found empty: where a CPU allocates
/// much and then frees it, each block that moves to the heap and back is a cache
/// line to wait for.
pub(super) const LONGEST: u32 = 1024;

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

/// The granules of half a list that is full, or of a batch if that is less.
fn half<const S: usize, const A: usize>(cache: &CpuCache<S, A>, class: Class) -> u32 {
    (cache.bounds.of(class).0 / 2).min(BATCH * class.granules().0)
}

/// The blocks that make so much.
fn half_of<const S: usize, const A: usize>(cache: &CpuCache<S, A>, class: Class) -> u32 {
    half(cache, class) / class.granules().0
}

/// What a CPU's lists may hold.
pub(super) fn budget<const S: usize, const A: usize>(
    heap: &Allocator<S, A>,
    cpus: u32,
) -> Granules {
    heap.budget(PARKED_OF_HEAP * cpus)
}

/// Lets a list be longer, up to so many blocks, that was found empty or full.
pub(super) fn grow<const S: usize, const A: usize>(
    cache: &mut CpuCache<S, A>,
    class: Class,
    most: u32,
    budget: Granules,
) {
    cache.bounds.set_budget(budget);
    cache.bounds.grow(class, most);
}

/// Makes a chain the list, which is empty, and takes one of its blocks.
pub(super) fn adopt<const S: usize, const A: usize>(
    cache: &mut CpuCache<S, A>,
    span: Span,
    layout: Layout,
    class: Class,
    chain: Link,
) -> Option<*mut u8> {
    cache.bounds.adopt(class, chain.amount());
    cache.adopt(class, chain);
    // Its alignment may be too small.
    let block = cache.pop(span, layout)?;
    Some(give(span, block, layout))
}

/// Puts out half of a list that is full, on top of what is out already, unless
/// that is as much as the list or the outbox may hold. Gives whether it did.
pub(super) fn put_out<const S: usize, const A: usize>(
    cache: &mut CpuCache<S, A>,
    outbox: &Outbox<S, A>,
    span: Span,
    class: Class,
    budget: Granules,
    tally: Tally<'_>,
) -> bool {
    let (size, half) = (class.granules(), half_of(cache, class));
    let most = if MODEL { budget.0 } else { budget.0 / 2 };
    if half == 0 || outbox.amount().0 + half * size.0 > most {
        return false;
    }
    let mut chain = outbox.take(|| span, class, tally).unwrap_or(Link::END);
    let full = cache.bounds.of(class).0.min(CHAIN * size.0);
    let fits = chain.amount().0 + half * size.0 <= full;
    if fits {
        let before = chain.amount();
        chain = cache.move_to(span, class, half, chain, |_| true);
        tally.steps(Step::Moved, (chain.amount() - before).0 / size.0);
    }
    if !chain.block().is_none() {
        outbox.put(class, chain);
    }
    fits
}

/// Takes back what another list was granted, if it is time for that.
fn revoke<const S: usize, const A: usize>(
    cache: &mut CpuCache<S, A>,
    outbox: &Outbox<S, A>,
    heap: &mut Allocator<S, A>,
    class: Class,
    tally: Tally<'_>,
) {
    let Some(other) = cache.bounds.revoke_any_but(class, CHAIN, tally) else {
        return;
    };
    let (span, size) = (heap.span(), other.granules());
    let (held, bound) = (cache.held_in(other), cache.bounds.of(other));
    let more = held.0.saturating_sub(bound.0) / size.0;
    let chain = cache.move_to(span, other, more, Link::END, |_| true);
    free_chain(heap, chain, other, tally);
    if let Some(chain) = outbox.take(|| span, other, tally) {
        free_chain(heap, chain, other, tally);
    }
}

/// Frees the blocks of a chain.
pub(super) fn free_chain<const S: usize, const A: usize>(
    heap: &mut Allocator<S, A>,
    mut chain: Link,
    class: Class,
    tally: Tally<'_>,
) {
    while !chain.block().is_none() {
        tally.step(Step::Returned);
        let block = chain.block();
        chain = Link(heap.span().link(block));
        heap.free(block, class.granules());
    }
}

/// The granules of that half that are not in the list.
fn room<const S: usize, const A: usize>(cache: &CpuCache<S, A>, class: Class) -> u32 {
    let bound = cache.bounds.of(class).0;
    // A list that is not empty may still have no block of the alignment.
    bound
        .saturating_sub(cache.held_in(class).0)
        .min(half(cache, class))
}

/// Fills half of a list with blocks cut from the CPU's piece.
fn cut<const S: usize, const A: usize>(
    cache: &mut CpuCache<S, A>,
    span: Span,
    class: Class,
    layout: Layout,
    count: u32,
) {
    let chain = cache.chain(class);
    let chain = cache.bounds.piece.cut(span, class, layout, count, chain);
    cache.adopt(class, chain);
}

/// Allocates from the CPU's piece, and fills half of a list from there.
pub(super) fn alloc_cut<const S: usize, const A: usize>(
    cache: &mut CpuCache<S, A>,
    span: Span,
    layout: Layout,
    class: Class,
    tally: Tally<'_>,
) -> Option<*mut u8> {
    let (held, size) = (cache.held_in(class), class.granules());
    let count = (room(cache, class) / size.0).max(1);
    cut(cache, span, class, layout, count);
    tally.steps(Step::Moved, (cache.held_in(class) - held).0 / size.0);
    let block = cache.pop(span, layout)?;
    Some(give(span, block, layout))
}

/// Gets the CPU a new piece, if so many blocks fit into it. It is a whole number
/// of these, so that of blocks of one size none is lost.
fn renew_piece<const S: usize, const A: usize>(
    cache: &mut CpuCache<S, A>,
    heap: &mut Allocator<S, A>,
    class: Class,
    layout: Layout,
    least: u32,
) {
    let count = cache.bounds.piece_size().0 / class.granules().0;
    if count < least {
        return;
    }
    // What is left lies next to the gap, if no other CPU was here.
    if let Some((start, size)) = cache.bounds.piece.take() {
        heap.free(start, size);
    }
    let size = Granules(count * class.granules().0);
    if let Some(start) = heap.take_piece(size, layout) {
        cache.bounds.piece = Piece { start, size };
    }
}

/// Fills half of a list with blocks that the heap can spare, one of which
/// is about to be used.
pub(super) fn refill<const S: usize, const A: usize>(
    cache: &mut CpuCache<S, A>,
    outbox: &Outbox<S, A>,
    heap: &mut Allocator<S, A>,
    layout: Layout,
    class: Class,
    tally: Tally<'_>,
) {
    revoke(cache, outbox, heap, class, tally);
    let (held, size) = (cache.held_in(class), class.granules());
    let count = room(cache, class) / size.0;
    let full = held + Granules(count * size.0);
    if count > 0 && !heap.has_parked(class) {
        renew_piece(cache, heap, class, layout, count);
        cut(cache, heap.span(), class, layout, count);
    }
    let missing = (full - cache.held_in(class)).0 / size.0;
    let filled = heap.take_spare(layout, missing, cache.chain(class));
    tally.steps(Step::Moved, (filled.amount() - held).0 / size.0);
    cache.adopt(class, filled);
    debug_assert!(
        filled.amount() < cache.bounds.of(class) + size,
        "a batch is larger than its list"
    );
}

/// Gives half of a list that is full back to the heap.
pub(super) fn make_room<const S: usize, const A: usize>(
    cache: &mut CpuCache<S, A>,
    outbox: &Outbox<S, A>,
    heap: &mut Allocator<S, A>,
    class: Class,
    tally: Tally<'_>,
) {
    revoke(cache, outbox, heap, class, tally);
    let count = half_of(cache, class).max(1);
    tally.steps(Step::Returned, count);
    heap.return_spare(class, count, cache);
}

/// Links a block, and half of the list that it does not fit into any more.
pub(super) fn unlink_half<const S: usize, const A: usize>(
    cache: &mut CpuCache<S, A>,
    span: Span,
    block: *mut u8,
    layout: Layout,
    class: Class,
    tally: Tally<'_>,
) -> Chain {
    let size = class.granules();
    poison::take_back(block, layout.size());
    let mut chain = Chain::of_one(span.offset_of(block), size);
    for _ in 0..half_of(cache, class) {
        let Some(block) = cache.pop_of(span, class) else {
            break;
        };
        tally.step(Step::Moved);
        chain = chain.and(span, block, size);
    }
    chain
}
