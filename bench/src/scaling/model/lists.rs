//! A CPU's quick lists, as counts, and what each was granted.

use crate::scaling::design::{CLASSES, Class, Design, LOOKED_AT, granules};

/// The lists of a size: one for each alignment, of which the first is used.
const ALIGNMENTS: usize = 2;

pub struct Lists {
    design: Design,
    /// What all of them may be granted together.
    budget: u32,
    granted: u32,
    /// The list whose grant may be revoked next, counted with all alignments.
    cursor: usize,
    lists: Vec<List>,
}

#[derive(Clone, Copy, Default)]
struct List {
    blocks: u32,
    /// The granules at which it is full.
    bound: u32,
}

/// Blocks that moved between a CPU's lists and the heap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch {
    pub count: u32,
    /// The list whose grant was revoked for it, and the blocks in it.
    pub revoked: Option<(Class, u32)>,
}

impl Lists {
    /// Of one of so many CPUs.
    pub fn new(design: Design, cpus: u32) -> Self {
        Self {
            design,
            budget: design.budget(cpus),
            granted: 0,
            cursor: 0,
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

    /// Fills half of a list that was empty, and takes one of the blocks. At least that one comes from the heap.
    pub fn refill(&mut self, class: Class) -> Batch {
        let revoked = self.grow(class);
        let count = self.half_of(class).max(1);
        self.lists[usize::from(class)].blocks += count - 1;
        Batch { count, revoked }
    }

    /// Parks a block in a list that was full: lets it grow, or says how many left it for that.
    pub fn make_room(&mut self, class: Class) -> Batch {
        let full = self.lists[usize::from(class)].bound;
        let revoked = self.grow(class);
        let half = self.half_of(class).max(1);
        let list = &mut self.lists[usize::from(class)];
        let count = if list.bound > full {
            0
        } else {
            half.min(list.blocks)
        };
        list.blocks -= count;
        // A list that was granted nothing does not take it.
        if !self.push(class) {
            return Batch {
                count: count + 1,
                revoked,
            };
        }
        Batch { count, revoked }
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
        self.lists[usize::from(class)].bound / 2 / granules(class)
    }

    /// The blocks in half of this list when it is the only one, and as long as it gets.
    pub fn longest_half(&self, class: Class) -> u32 {
        let mut bound = 0;
        loop {
            let next = self.design.next_bound(class, bound);
            if next <= bound || next > self.budget {
                return bound / 2 / granules(class);
            }
            bound = next;
        }
    }

    /// Doubles a list's bound, or revokes the grant of another so that it can next time.
    fn grow(&mut self, class: Class) -> Option<(Class, u32)> {
        let bound = &mut self.lists[usize::from(class)].bound;
        let new = self.design.next_bound(class, *bound);
        let granted = self.granted + new.saturating_sub(*bound);
        if new <= *bound {
            return None;
        }
        if granted > self.budget {
            return self.revoke_any_but(class);
        }
        *bound = new;
        self.granted = granted;
        None
    }

    fn revoke_any_but(&mut self, class: Class) -> Option<(Class, u32)> {
        for _ in 0..LOOKED_AT {
            self.cursor = (self.cursor + 1) % (self.lists.len() * ALIGNMENTS);
            let other = self.cursor / ALIGNMENTS;
            if !self.cursor.is_multiple_of(ALIGNMENTS) || other == usize::from(class) {
                continue;
            }
            let list = &mut self.lists[other];
            if list.bound > 0 {
                self.granted -= list.bound;
                let blocks = std::mem::take(list).blocks;
                return Some((other as Class, blocks));
            }
        }
        None
    }

    /// All granules in them.
    #[cfg(test)]
    fn parked(&self) -> u32 {
        let lists = self.lists.iter().zip(0..);
        lists
            .map(|(list, class)| list.blocks * granules(class))
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use std::alloc::{GlobalAlloc, Layout};
    use std::collections::HashMap;

    use fastrand::Rng;
    use good_memory_allocator::{CurrentCpu, PerCpuAllocator};

    use super::*;
    use crate::scaling::design::{TODAY, class_of};

    struct First;

    impl CurrentCpu for First {
        fn index() -> usize {
            0
        }
    }

    /// The heap's own lists, which are asleep until a block is freed that no list of a CPU takes.
    #[derive(Default)]
    struct HeapLists {
        are_awake: bool,
        blocks: HashMap<Class, u32>,
    }

    impl HeapLists {
        fn take(&mut self, class: Class, count: u32) {
            let blocks = self.blocks.entry(class).or_default();
            *blocks = blocks.saturating_sub(count);
        }

        fn give(&mut self, class: Class, count: u32) {
            *self.blocks.entry(class).or_default() += count * u32::from(self.are_awake);
        }

        fn parked(&self) -> u32 {
            let blocks = self.blocks.iter();
            blocks
                .map(|(class, blocks)| blocks * granules(*class))
                .sum()
        }
    }

    /// Random blocks, as many at a time as `live` at the most, from the crate and from the simulation.
    fn compare(heap: usize, live: usize, largest: usize) {
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
                let layout = Layout::from_size_align(rng.usize(1..=largest), 8).unwrap();
                // SAFETY: the size is not zero.
                let block = unsafe { allocator.alloc(layout) };
                assert!(!block.is_null());
                blocks.push((block, layout));
                let class = class_of(layout.size());
                if !lists.pop(class) {
                    behind.take(class, lists.refill(class).count);
                }
            } else {
                let (block, layout) = blocks.swap_remove(rng.usize(0..blocks.len()));
                // SAFETY: the block is freed once, with its layout.
                unsafe { allocator.dealloc(block, layout) };
                let class = class_of(layout.size());
                if !lists.push(class) {
                    let count = lists.make_room(class).count;
                    behind.are_awake |= lists.lists[usize::from(class)].bound == 0;
                    behind.give(class, count);
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
        compare(64 << 20, 1000, 128);
    }

    #[test]
    fn the_crates_lists_hold_as_much_where_grants_are_revoked() {
        compare(2 << 20, 500, 512);
    }

    #[test]
    fn half_of_a_list_leaves_it_where_the_lock_is_held() {
        let class = class_of(256);
        let mut lists = Lists::new(TODAY, 4);
        assert_eq!(lists.defer_half(class), 1, "it was granted nothing");
        let mut blocks = 0;
        while lists.lists[usize::from(class)].bound < 128 * granules(class) {
            blocks = blocks.max(lists.refill(class).count);
            while lists.pop(class) {}
        }
        assert_eq!(blocks, 64);
        while lists.push(class) {}
        assert_eq!(lists.defer_half(class), 65);
    }
}
