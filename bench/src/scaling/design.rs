//! What of the allocator the simulation needs to know, and what could be changed in it.

/// The allocator for many CPUs, as the simulation sees it. Sizes are in granules.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Design {
    /// The most in a CPU's list of the smallest blocks, if the heap is large.
    pub list: u32,
    /// Lists halve for every so many granules of their blocks' size, as a power of two.
    pub halved_every_log2: u32,
    /// The most blocks that move between a CPU's list and the heap at once.
    pub batch: u32,
    /// The most deferred blocks that one who takes the lock frees.
    pub settled_at_once: u32,
    pub central: Central,
    pub overflow: Overflow,
    /// Whether a batch moves as one, so that the time under the lock does not depend on how many blocks it has.
    pub whole_batches: bool,
}

/// What a CPU does whose list is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overflow {
    /// It gives half of the list back if the lock is free, and else defers the one block.
    DefersBlock,
    /// It gives half of the list back if the lock is free, and else defers all of that.
    DefersBatch,
    /// It always defers half of the list.
    AlwaysDefers,
}

/// What stands behind the CPUs' lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Central {
    /// One heap with lists of its own, behind one lock.
    OneLock,
    /// Lists with a lock for each class, and the heap behind.
    LockPerClass,
    /// So many heaps; a CPU uses one of them, and a block goes back to where its CPU's blocks come from.
    Shards(usize),
}

/// A list's number: its blocks' size in granules, less one.
pub type Class = u16;

/// The sizes that have lists, 8 bytes to 4 KiB.
pub const CLASSES: Class = 512;
/// What has no list.
pub const LARGE: Class = CLASSES;

const GRANULE: u32 = 8;

/// As it is in `src/per_cpu`; a test compares. `SETTLED_AT_ONCE` is in `shared.rs` there.
pub const TODAY: Design = Design {
    list: 2048,
    halved_every_log2: 7,
    batch: 64,
    settled_at_once: 64,
    central: Central::OneLock,
    overflow: Overflow::DefersBlock,
    whole_batches: false,
};

/// Of the heap, a list may hold one in so many granules, all CPUs' together.
const LIST_OF_HEAP: u32 = 256;

impl Design {
    /// With the lists that so many CPUs have in a heap of so many bytes.
    pub fn in_heap(self, capacity: usize, cpus: u32) -> Self {
        let granules = (capacity / GRANULE as usize) as u32;
        Self {
            list: self.list.min(granules / LIST_OF_HEAP / cpus),
            ..self
        }
    }

    /// The granules at which a list is full.
    pub fn bound(&self, class: Class) -> u32 {
        self.list
            .checked_shr(u32::from(class) >> self.halved_every_log2)
            .unwrap_or(0)
    }

    /// The blocks that a list takes from the heap when it had none, besides the one that was asked for.
    pub fn refill(&self, class: Class) -> u32 {
        (self.bound(class) / 2 / granules(class)).min(self.batch)
    }

    /// The blocks that a full list gives back.
    pub fn give_back(&self, class: Class) -> u32 {
        (self.bound(class) / 2 / granules(class)).clamp(1, self.batch)
    }
}

pub fn granules(class: Class) -> u32 {
    u32::from(class) + 1
}

/// The class of blocks of so many bytes.
pub fn class_of(bytes: usize) -> Class {
    let granules = bytes.div_ceil(GRANULE as usize);
    Class::try_from(granules - 1).map_or(LARGE, |class| class.min(LARGE))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The number in the line of `source` that begins with `name`.
    fn constant(source: &str, name: &str) -> u32 {
        let line = source
            .lines()
            .find_map(|line| line.trim_start().strip_prefix(name))
            .unwrap_or_else(|| panic!("no {name}"));
        let value = line.split('=').nth(1).unwrap();
        let digits: String = value.chars().filter(char::is_ascii_digit).collect();
        digits.parse().unwrap()
    }

    #[test]
    fn constants_are_those_of_the_crate() {
        let per_cpu = include_str!("../../../src/per_cpu/mod.rs");
        let shared = include_str!("../../../src/per_cpu/shared.rs");
        assert_eq!(TODAY.list, constant(per_cpu, "const LIST:"));
        assert_eq!(LIST_OF_HEAP, constant(per_cpu, "const LIST_OF_HEAP:"));
        assert_eq!(TODAY.batch, constant(per_cpu, "const BATCH:"));
        assert_eq!(
            TODAY.halved_every_log2,
            constant(per_cpu, "const HALVED_EVERY_LOG2:")
        );
        assert_eq!(
            TODAY.settled_at_once,
            constant(shared, "const SETTLED_AT_ONCE:")
        );
    }

    #[test]
    fn bounds_are_halved_for_every_kilobyte() {
        let bound = |bytes| TODAY.bound(class_of(bytes));
        assert_eq!(bound(8), TODAY.list);
        assert_eq!(bound(1024), TODAY.list);
        assert_eq!(bound(1025), TODAY.list / 2);
        assert_eq!(bound(4096), TODAY.list / 8);
        assert_eq!(class_of(4097), LARGE);
    }
}
