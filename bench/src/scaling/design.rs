//! What of the allocator the simulation needs to know, and what could be changed in it.

/// The allocator for many CPUs, as the simulation sees it. Sizes are in granules.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Design {
    /// The memory of the heap.
    pub heap: u32,
    /// Of the heap, all CPUs' lists together may hold one in so many granules.
    pub parked_of_heap: u32,
    /// The most in one list.
    pub list: u32,
    /// The most blocks in one list.
    pub longest: u32,
    /// The most blocks that move between a CPU's list and the heap at once. Two of that many may be out of a list, or be
    /// taken of another one, or be in one that is never found empty.
    pub batch: u32,
    /// The lines of a processor's cache for which a list is first granted room, but at least for a block.
    pub least: u32,
    /// A list's grant is revoked once so many were refused.
    pub refusals: u32,
    /// The most deferred blocks that one who takes the lock frees.
    pub settled_at_once: u32,
    pub central: Central,
    pub overflow: Overflow,
    /// Of what its lists may hold, a CPU may put out one in so many granules besides; nothing if that is 0.
    pub out: u32,
    /// The outboxes that a CPU looks into, at the most, whose own has nothing.
    pub looked_into: u32,
    /// The most granules in the piece that a CPU cuts blocks from, and what part of what its lists may hold.
    pub piece: u32,
    pub piece_of_budget: u32,
    /// Of what its lists may hold, a CPU may keep one in so many granules of large blocks besides; nothing if that is 0.
    pub kept_of_budget: u32,
    /// Whether a batch moves as one, so that the time under the lock does not depend on how many blocks it has.
    pub whole_batches: bool,
}

/// What a CPU does whose list is full, and may neither grow nor put anything out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overflow {
    /// If the lock is free, it makes room; else it defers the one block.
    DefersBlock,
    /// If the lock is free, it makes room; else it defers half of the list.
    DefersHalf,
    /// It never takes the lock, and always defers half of the list.
    AlwaysDefers,
}

/// How a list turned out to be too short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Miss {
    Empty,
    Full,
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
/// The first class that has no list.
pub const LARGE: Class = CLASSES;

const GRANULE: u32 = 8;
/// A line of a processor's cache.
const LINE: u32 = 8;
/// The lists that are looked at for one whose grant to revoke.
pub const LOOKED_AT: usize = 64;

/// As it is in `src/per_cpu`, with the heap of the workload `threads`; a test compares.
pub const TODAY: Design = Design {
    heap: (512 << 20) / GRANULE,
    parked_of_heap: 8,
    list: 8192,
    longest: 1024,
    batch: 64,
    least: 2,
    refusals: 32,
    settled_at_once: 64,
    central: Central::OneLock,
    overflow: Overflow::DefersHalf,
    out: 2,
    looked_into: 8,
    piece: 8192,
    piece_of_budget: 8,
    kept_of_budget: 4,
    whole_batches: false,
};

impl Design {
    /// With a heap of so many bytes.
    pub fn in_heap(self, capacity: usize) -> Self {
        Self {
            heap: (capacity / GRANULE as usize) as u32,
            ..self
        }
    }

    /// What the lists of one CPU may hold together, if so many CPUs have lists.
    pub fn budget(&self, cpus: u32) -> u32 {
        self.heap / (self.parked_of_heap * cpus)
    }

    /// The most granules in a piece of a CPU whose lists may hold so much together.
    pub fn piece_of(&self, budget: u32) -> u32 {
        (budget / self.piece_of_budget).min(self.piece)
    }

    /// The most granules in a chain of such blocks that is out or taken of a list, and in one that is never found empty.
    pub fn chain(&self, class: Class) -> u32 {
        2 * self.batch * granules(class)
    }

    /// The bound of a list for which `old` turned out to be too small.
    pub fn next_bound(&self, class: Class, old: u32, miss: Miss) -> u32 {
        let size = granules(class);
        let most = match miss {
            Miss::Empty => self.longest * size,
            Miss::Full => self.chain(class),
        };
        let most = most.min(self.list);
        let least = size.max(self.least * LINE).min(most);
        (2 * old).clamp(least, most).max(old)
    }
}

pub fn granules(class: Class) -> u32 {
    u32::from(class) + 1
}

/// The class of blocks of so many bytes.
pub fn class_of(bytes: usize) -> Class {
    let granules = bytes.div_ceil(GRANULE as usize);
    Class::try_from(granules - 1).unwrap_or(Class::MAX)
}

/// Whether blocks of a class have no list.
#[inline]
pub fn is_large(class: Class) -> bool {
    class >= LARGE
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The last number in the line of `source` that begins with `name`.
    fn constant(source: &str, name: &str) -> u32 {
        let line = source
            .lines()
            .find_map(|line| line.trim_start().strip_prefix(name))
            .unwrap_or_else(|| panic!("no {name}"));
        let mut numbers = line.split(|letter: char| !letter.is_ascii_digit());
        let last = numbers.rfind(|number| !number.is_empty());
        last.unwrap().parse().unwrap()
    }

    #[test]
    fn constants_are_those_of_the_crate() {
        let exchange = include_str!("../../../src/per_cpu/exchange.rs");
        let granted = include_str!("../../../src/per_cpu/granted.rs");
        let allocator = include_str!("../../../src/per_cpu/mod.rs");
        let large = include_str!("../../../src/per_cpu/large.rs");
        let shared = include_str!("../../../src/per_cpu/shared.rs");
        let spare = include_str!("../../../src/allocator/spare.rs");
        assert_eq!(
            TODAY.parked_of_heap,
            constant(exchange, "const PARKED_OF_HEAP:")
        );
        assert_eq!(TODAY.batch, constant(exchange, "pub(super) const BATCH:"));
        assert_eq!(
            TODAY.longest,
            constant(exchange, "pub(super) const LONGEST:")
        );
        assert_eq!(TODAY.refusals, constant(granted, "const REFUSALS:"));
        assert_eq!(TODAY.looked_into, constant(allocator, "const LOOKED_INTO:"));
        assert_eq!(TODAY.list, constant(granted, "const LIST:"));
        assert_eq!(TODAY.piece, constant(granted, "const PIECE:"));
        assert_eq!(
            TODAY.piece_of_budget,
            constant(granted, "const PIECE_OF_BUDGET:")
        );
        assert_eq!(
            TODAY.kept_of_budget,
            constant(large, "const LARGE_OF_BUDGET:")
        );
        assert_eq!(
            LOOKED_AT as u32,
            constant(granted, "pub(super) const LOOKED_AT:")
        );
        assert_eq!(LINE, constant(spare, "pub(crate) const LINE:"));
        assert_eq!(
            TODAY.settled_at_once,
            constant(shared, "pub(super) const SETTLED_AT_ONCE:")
        );
    }

    #[test]
    fn bounds_double_from_a_block_or_two_lines_to_two_batches_or_the_longest_list() {
        let bounds = |bytes, miss| {
            let class = class_of(bytes);
            let next = |old| TODAY.next_bound(class, old, miss);
            let grown = (0..20).fold(next(0), |old, _| next(old));
            (next(0) / granules(class), grown / granules(class))
        };
        assert_eq!(bounds(8, Miss::Full), (16, 128));
        assert_eq!(bounds(64, Miss::Full), (2, 128));
        assert_eq!(bounds(256, Miss::Full), (1, 128));
        assert_eq!(bounds(512, Miss::Full), (1, 128));
        assert_eq!(bounds(4096, Miss::Full), (1, 16));
        assert_eq!(bounds(8, Miss::Empty), (16, 1024));
        assert_eq!(bounds(64, Miss::Empty), (2, 1024));
        assert_eq!(bounds(256, Miss::Empty), (1, 256));
        assert_eq!(bounds(4096, Miss::Empty), (1, 16));
        assert_eq!(class_of(4097), LARGE);
    }
}
