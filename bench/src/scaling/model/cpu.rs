//! One CPU, and what it does next.

use fastrand::Rng;

use super::lists::Lists;
use super::time::Time;
use crate::scaling::design::Class;

pub struct Cpu {
    pub clock: Time,
    pub lists: Lists,
    pub rng: Rng,
    pub ops: u64,
    pub deferred: u64,
    pub role: Role,
    /// What it wants of others.
    pub wanted: Wanted,
}

pub enum Role {
    /// Replaces random blocks of a place, which others have at other times.
    Replacer {
        place: usize,
        /// Until they pass on.
        pairs_left: u32,
        /// The slot that was emptied.
        emptied: Option<usize>,
    },
    Producer {
        batch: Vec<Class>,
    },
    Consumer {
        batch: Vec<Class>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Blocks that a CPU put out, or else a refill.
    Chain(Class),
    Refill(Class),
    MakeRoom(Class),
    HeapAlloc,
    /// So many blocks.
    HeapFree(u32),
    /// Any operation of one locked allocator.
    Locked,
}

impl Wanted {
    /// Whether the CPU does without if the lock is held.
    pub fn is_deferrable(self) -> bool {
        matches!(self, Self::MakeRoom(_) | Self::HeapFree(_))
    }
}
