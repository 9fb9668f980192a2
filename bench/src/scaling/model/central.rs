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

/// Blocks that somebody freed without the lock.
#[derive(Clone, Copy)]
struct Deferred {
    /// Their list; the large ones' has nothing to take.
    class: Class,
    count: u32,
    cpu: Writer,
}

/// What was deferred and is done now.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Settled {
    pub chains: u32,
    /// Blocks in these.
    pub blocks: u32,
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

    pub fn defer(&mut self, class: Class, count: u32, cpu: Writer) {
        self.deferred.push(Deferred { class, count, cpu });
    }

    /// Frees what is deferred, but so many blocks at the most.
    pub fn settle(&mut self, most: u32) -> Settled {
        let mut settled = Settled::default();
        while settled.blocks < most {
            let Some(chain) = self.deferred.last_mut() else {
                break;
            };
            let Deferred { class, cpu, .. } = *chain;
            let count = chain.count.min(most - settled.blocks);
            chain.count -= count;
            if chain.count == 0 {
                self.deferred.pop();
            }
            self.give(class, count, cpu);
            settled.chains += 1;
            settled.blocks += count;
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
        central.defer(7, 20, 1);
        central.defer(7, 50, 2);
        let settled = |chains, blocks| Settled { chains, blocks };
        assert_eq!(central.settle(64), settled(2, 64));
        assert_eq!(central.settle(64), settled(1, 6));
        assert_eq!(central.settle(64), settled(0, 0));
        assert_eq!(central.take(7, 70, 1).own, 20);
    }
}
