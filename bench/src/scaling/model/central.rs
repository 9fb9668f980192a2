//! The heap's own lists: of each block, who wrote to it last.

use std::collections::BTreeMap;

use crate::scaling::design::Class;

/// Who wrote to a block last: the one who now reads it, or another whose processor's cache it has to come from.
pub type Writer = u16;

#[derive(Default)]
pub struct Central {
    lists: BTreeMap<Class, Vec<Writer>>,
    deferred: Vec<Deferred>,
    /// Who was here last.
    last: Writer,
}

/// A block that somebody freed without the lock, or a batch of blocks for a list.
#[derive(Clone, Copy)]
enum Deferred {
    Block,
    Batch {
        class: Class,
        count: u32,
        cpu: Writer,
    },
}

/// What was deferred and is done now.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Settled {
    pub single: u32,
    pub batches: u32,
    /// Blocks in these.
    pub batched: u32,
}

/// Blocks, by where they come from.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Moved {
    /// From a list, written by the same CPU.
    pub own: u32,
    /// From a list, written by another.
    pub foreign: u32,
    /// Cut from free memory.
    pub cut: u32,
}

impl Central {
    /// Says whether another CPU was here last, in whose cache everything is.
    pub fn enter(&mut self, cpu: Writer) -> bool {
        let travels = self.last != cpu;
        self.last = cpu;
        travels
    }

    pub fn take(&mut self, class: Class, count: u32, cpu: Writer) -> Moved {
        let list = self.lists.entry(class).or_default();
        let mut moved = Moved::default();
        for _ in 0..count {
            match list.pop() {
                Some(writer) if writer == cpu => moved.own += 1,
                Some(_) => moved.foreign += 1,
                None => moved.cut += 1,
            }
        }
        moved
    }

    pub fn give(&mut self, class: Class, count: u32, cpu: Writer) {
        let list = self.lists.entry(class).or_default();
        list.extend((0..count).map(|_| cpu));
    }

    pub fn defer(&mut self) {
        self.deferred.push(Deferred::Block);
    }

    pub fn defer_batch(&mut self, class: Class, count: u32, cpu: Writer) {
        self.deferred.push(Deferred::Batch { class, count, cpu });
    }

    /// Frees what is deferred, until it is so many blocks.
    pub fn settle(&mut self, most: u32) -> Settled {
        let mut settled = Settled::default();
        while settled.single + settled.batched < most {
            match self.deferred.pop() {
                Some(Deferred::Block) => settled.single += 1,
                Some(Deferred::Batch { class, count, cpu }) => {
                    self.give(class, count, cpu);
                    settled.batches += 1;
                    settled.batched += count;
                }
                None => break,
            }
        }
        settled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_come_back_last_in_first_out_and_then_from_free_memory() {
        let mut central = Central::default();
        central.give(7, 2, 1);
        central.give(7, 3, 2);
        let moved = central.take(7, 6, 1);
        let expected = Moved {
            own: 2,
            foreign: 3,
            cut: 1,
        };
        assert_eq!(moved, expected);
    }

    #[test]
    fn no_more_deferred_blocks_are_freed_than_may_be() {
        let mut central = Central::default();
        (0..5).for_each(|_| central.defer());
        assert_eq!(central.settle(3).single, 3);
        central.defer_batch(7, 20, 1);
        let settled = central.settle(64);
        assert_eq!(
            (settled.single, settled.batches, settled.batched),
            (2, 1, 20)
        );
        assert_eq!(central.take(7, 20, 1).own, 20);
    }
}
