//! A CPU's quick lists, as counts, and what each was granted.

use super::kept::Kept;
use crate::scaling::design::{CLASSES, Class, Design, LOOKED_AT, Miss, granules};

/// The lists of a size: one for each alignment, of which the first is used.
const ALIGNMENTS: usize = 2;

pub struct Lists {
    design: Design,
    /// What all of them may hold together.
    budget: u32,
    /// What is out.
    out: u32,
    granted: u32,
    /// How often a list was refused more since a grant was revoked.
    refusals: u32,
    /// The list whose grant may be revoked next, counted with all alignments.
    cursor: usize,
    /// What is left of the piece that blocks are cut from.
    piece: u32,
    lists: Vec<List>,
    /// What has no list.
    pub kept: Kept,
}

#[derive(Clone, Copy, Default)]
struct List {
    blocks: u32,
    /// The granules at which it is full.
    bound: u32,
    /// The blocks of the chain that is out for any CPU to take; none if there is none.
    chain: u32,
}

/// Blocks that moved between a CPU's list and the heap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch {
    pub count: u32,
    /// The blocks of another list whose grant was revoked: they become free memory.
    pub revoked: Option<u32>,
}

impl Lists {
    /// Of one of so many CPUs.
    pub fn new(design: Design, cpus: u32) -> Self {
        let budget = design.budget(cpus);
        Self {
            design,
            budget,
            kept: Kept::new(&design, budget),
            out: 0,
            granted: 0,
            refusals: 0,
            cursor: 0,
            piece: 0,
            lists: vec![List::default(); CLASSES.into()],
        }
    }

    /// Takes a block, if there is one.
    #[inline]
    pub fn pop(&mut self, class: Class) -> bool {
        let blocks = &mut self.lists[usize::from(class)].blocks;
        let hit = *blocks > 0;
        *blocks -= u32::from(hit);
        hit
    }

    /// Parks a block, unless the list is full.
    #[inline]
    pub fn push(&mut self, class: Class) -> bool {
        let list = &mut self.lists[usize::from(class)];
        let hit = list.blocks * granules(class) < list.bound;
        list.blocks += u32::from(hit);
        hit
    }

    /// Doubles a list's bound, unless the budget does not allow it.
    pub fn grow(&mut self, class: Class, miss: Miss) {
        let bound = self.lists[usize::from(class)].bound;
        let new = self.design.next_bound(class, bound, miss);
        let granted = self.granted + new - bound;
        if granted > self.budget {
            self.refusals += 1;
            return;
        }
        self.lists[usize::from(class)].bound = new;
        self.granted = granted;
    }

    /// Takes the chain of a list that is out, for this CPU or another.
    pub fn take_chain(&mut self, class: Class) -> Option<u32> {
        let chain = std::mem::take(&mut self.lists[usize::from(class)].chain);
        self.out -= chain * granules(class);
        (chain > 0).then_some(chain)
    }

    /// Whether a chain may be taken over.
    pub fn may_adopt(&self) -> bool {
        self.granted <= self.budget
    }

    /// Makes a chain the list, which is empty and grows for it if need be, and takes one of its blocks.
    pub fn adopt(&mut self, class: Class, count: u32) {
        let list = &mut self.lists[usize::from(class)];
        let bound = list.bound.max(count * granules(class));
        self.granted += bound - list.bound;
        list.bound = bound;
        list.blocks += count - 1;
    }

    /// Puts half of a list that is full out for any CPU to take, on top of what is out, and parks a block. Says how many
    /// left.
    pub fn put_out(&mut self, class: Class) -> Option<u32> {
        let (half, size) = (self.half_of(class), granules(class));
        let most = self.budget.checked_div(self.design.out).unwrap_or(0);
        let list = &mut self.lists[usize::from(class)];
        let full = list.bound.min(self.design.chain(class));
        if half == 0 || (list.chain + half) * size > full || self.out + half * size > most {
            return None;
        }
        self.out += half * size;
        list.blocks -= half;
        list.chain += half;
        self.push(class).then_some(half)
    }

    /// Fills half of a list that is empty from the piece, as far as that lasts, and takes one of the blocks.
    pub fn cut(&mut self, class: Class) -> Option<u32> {
        let wanted = self.half_of(class).max(1);
        let count = wanted.min(self.piece / granules(class));
        self.piece -= count * granules(class);
        self.lists[usize::from(class)].blocks += count.saturating_sub(1);
        (count > 0).then_some(count)
    }

    /// Gets a new piece for a batch that the heap's list did not have, and takes the batch from it, if it is that long and
    /// the list may hold a block.
    pub fn renew_piece(&mut self, class: Class, batch: u32) {
        let fit = self.design.piece_of(self.budget) / granules(class);
        if fit >= batch && self.half_of(class) > 0 {
            self.piece = (fit - batch) * granules(class);
        }
    }

    /// Fills half of a list that was empty, and takes one of the blocks. At least that one comes from the heap.
    pub fn refill(&mut self, class: Class) -> Batch {
        let revoked = self.revoke_any_but(class);
        let count = self.half_of(class).max(1);
        self.lists[usize::from(class)].blocks += count - 1;
        Batch { count, revoked }
    }

    /// Parks a block in a list that is full: says how many left it for that.
    pub fn make_room(&mut self, class: Class) -> Batch {
        let revoked = self.revoke_any_but(class);
        let half = self.half_of(class).max(1);
        let list = &mut self.lists[usize::from(class)];
        let count = half.min(list.blocks);
        list.blocks -= count;
        // A list that was granted nothing does not take it.
        let parks = self.push(class);
        Batch {
            count: count + u32::from(!parks),
            revoked,
        }
    }

    /// Takes half of a list that is full, and says how many blocks that is, with the one that did not fit.
    pub fn defer_half(&mut self, class: Class) -> u32 {
        let half = self.half_of(class);
        let list = &mut self.lists[usize::from(class)];
        let half = half.min(list.blocks);
        list.blocks -= half;
        half + 1
    }

    fn half_of(&self, class: Class) -> u32 {
        let half = self.lists[usize::from(class)].bound / 2 / granules(class);
        half.min(self.design.batch)
    }

    /// The blocks in half of this list when it is the only one, and as long as it gets.
    pub fn longest_half(&self, class: Class) -> u32 {
        let mut bound = 0;
        loop {
            let next = self.design.next_bound(class, bound, Miss::Empty);
            if next <= bound || next > self.budget {
                return (bound / 2 / granules(class)).min(self.design.batch);
            }
            bound = next;
        }
    }

    fn revoke_any_but(&mut self, class: Class) -> Option<u32> {
        if self.refusals < self.design.refusals && self.granted <= self.budget {
            return None;
        }
        for _ in 0..LOOKED_AT {
            self.cursor = (self.cursor + 1) % (self.lists.len() * ALIGNMENTS);
            let other = self.cursor / ALIGNMENTS;
            if !self.cursor.is_multiple_of(ALIGNMENTS) || other == usize::from(class) {
                continue;
            }
            let list = &mut self.lists[other];
            if list.bound > 0 {
                let size = granules(other as Class);
                let revoked = list.bound.min(self.design.chain(other as Class));
                list.bound -= revoked;
                self.granted -= revoked;
                self.refusals = 0;
                let more = (list.blocks * size).saturating_sub(list.bound) / size;
                list.blocks -= more;
                let chain = std::mem::take(&mut list.chain);
                self.out -= chain * size;
                return Some(more + chain);
            }
        }
        None
    }

    /// All granules in them.
    #[cfg(test)]
    fn parked(&self) -> u32 {
        let lists = self.lists.iter().zip(0..);
        lists
            .map(|(list, class)| (list.blocks + list.chain) * granules(class))
            .sum::<u32>()
            + self.piece
            + self.kept.amount()
    }
}

#[cfg(test)]
mod tests {
    use std::alloc::{GlobalAlloc, Layout};
    use std::collections::HashMap;
    use std::ops::RangeInclusive;

    use fastrand::Rng;
    use good_memory_allocator::{CurrentCpu, PerCpuAllocator};

    use super::*;
    use crate::scaling::design::{TODAY, class_of, is_large};

    struct First;

    impl CurrentCpu for First {
        fn index() -> usize {
            0
        }
    }

    /// The heap's own lists.
    #[derive(Default)]
    struct HeapLists(HashMap<Class, u32>);

    impl HeapLists {
        /// Gives whether it had none.
        fn take(&mut self, class: Class, count: u32) -> bool {
            let blocks = self.0.entry(class).or_default();
            let was_empty = *blocks == 0;
            *blocks = blocks.saturating_sub(count);
            was_empty
        }

        fn give(&mut self, class: Class, count: u32) {
            *self.0.entry(class).or_default() += count;
        }

        fn parked(&self) -> u32 {
            let blocks = self.0.iter();
            blocks
                .map(|(class, blocks)| blocks * granules(*class))
                .sum()
        }
    }

    /// Random blocks, as many at a time as `live` at the most, from the crate and from the simulation.
    fn compare(heap: usize, live: usize, sizes: RangeInclusive<usize>) {
        const CPUS: usize = 4;
        let allocator = PerCpuAllocator::<First, CPUS>::empty();
        let mut region = vec![0u64; heap / 8];
        // SAFETY: nothing else uses the region.
        unsafe { allocator.try_init(region.as_mut_ptr().cast(), heap) }.unwrap();
        let design = TODAY.in_heap(allocator.stats().capacity);
        let mut lists = Lists::new(design, CPUS as u32);
        let mut behind = HeapLists::default();
        let mut rng = Rng::with_seed(1);
        let mut blocks: Vec<(*mut u8, Layout)> = Vec::new();
        for step in 0..100_000 {
            if blocks.len() < rng.usize(1..=live) {
                let layout = Layout::from_size_align(rng.usize(sizes.clone()), 8).unwrap();
                // SAFETY: the size is not zero.
                let block = unsafe { allocator.alloc(layout) };
                assert!(!block.is_null());
                blocks.push((block, layout));
                let class = class_of(layout.size());
                if is_large(class) {
                    lists.kept.take(class);
                } else if !lists.pop(class) {
                    lists.grow(class, Miss::Empty);
                    match lists.may_adopt().then(|| lists.take_chain(class)).flatten() {
                        Some(count) => lists.adopt(class, count),
                        None if lists.cut(class).is_some() => (),
                        None => {
                            let count = lists.refill(class).count;
                            if behind.take(class, count) {
                                lists.renew_piece(class, count);
                                // Not while there are free chunks, of which the simulation does not know.
                                let simulated = (lists.parked() + behind.parked()) as usize * 8;
                                if simulated != allocator.stats().parked {
                                    lists.piece = 0;
                                }
                            }
                        }
                    }
                }
            } else {
                let (block, layout) = blocks.swap_remove(rng.usize(0..blocks.len()));
                // SAFETY: the block is freed once, with its layout.
                unsafe { allocator.dealloc(block, layout) };
                let class = class_of(layout.size());
                if is_large(class) {
                    lists.kept.keep(class);
                } else if !lists.push(class) {
                    lists.grow(class, Miss::Full);
                    if !lists.push(class) && lists.put_out(class).is_none() {
                        behind.give(class, lists.make_room(class).count);
                    }
                }
            }
            if step % 64 == 0 {
                let simulated = (lists.parked() + behind.parked()) as usize * 8;
                assert_eq!(simulated, allocator.stats().parked, "step {step}");
            }
        }
    }

    #[test]
    fn the_crates_lists_hold_as_much() {
        compare(64 << 20, 1000, 1..=128);
    }

    #[test]
    fn the_crates_lists_hold_as_much_where_grants_are_revoked() {
        compare(2 << 20, 500, 1..=512);
    }

    #[test]
    fn as_many_of_the_crates_large_blocks_are_kept() {
        compare(16 << 20, 50, 8192..=8292);
        compare(64 << 20, 50, 4097..=16_384);
    }

    #[test]
    fn half_of_a_list_leaves_it_where_the_lock_is_held() {
        let class = class_of(256);
        let mut lists = Lists::new(TODAY, 4);
        assert_eq!(lists.defer_half(class), 1, "it was granted nothing");
        let mut blocks = 0;
        while lists.lists[usize::from(class)].bound < 256 * granules(class) {
            lists.grow(class, Miss::Empty);
            blocks = blocks.max(lists.refill(class).count);
            while lists.pop(class) {}
        }
        assert_eq!(blocks, 64);
        while lists.push(class) {}
        assert_eq!(lists.defer_half(class), 65);
    }

    #[test]
    fn halves_are_put_out_until_two_batches_are() {
        let class = class_of(256);
        let mut lists = Lists::new(TODAY, 4);
        for _ in 0..9 {
            lists.grow(class, Miss::Empty);
        }
        while lists.push(class) {}
        assert_eq!(lists.put_out(class), Some(64));
        while lists.push(class) {}
        assert_eq!(lists.put_out(class), Some(64));
        while lists.push(class) {}
        assert_eq!(lists.put_out(class), None);
        assert_eq!(lists.take_chain(class), Some(128));
        assert_eq!(lists.take_chain(class), None);
    }

    #[test]
    fn a_list_grows_for_a_chain_that_it_takes_over() {
        let class = class_of(256);
        let mut lists = Lists::new(TODAY, 4);
        lists.adopt(class, 40);
        let blocks = (0..).take_while(|_| lists.pop(class));
        assert_eq!(blocks.count(), 39);
        assert_eq!(lists.granted, 40 * granules(class));
    }

    #[test]
    fn a_grant_is_revoked_once_so_many_were_refused() {
        let mut lists = Lists::new(TODAY.in_heap(1 << 20), 4);
        let sizes = [512, 384, 256];
        let mut refused = 0;
        for step in 0..10_000 {
            let class = class_of(sizes[step % sizes.len()]);
            let before = (lists.granted, lists.refusals);
            lists.grow(class, Miss::Empty);
            let Batch { revoked, .. } = lists.refill(class);
            refused += u32::from(revoked.is_none() && lists.refusals > before.1);
            if revoked.is_some() {
                assert_eq!(refused, TODAY.refusals - 1);
                return;
            }
            while lists.pop(class) {}
        }
        unreachable!("nothing was revoked");
    }
}
