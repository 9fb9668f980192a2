//! The large blocks that a CPU keeps, as counts.

use crate::scaling::design::{Class, Design, granules};

/// Slots, to which sizes are hashed.
const SLOTS: usize = 16;

pub struct Kept {
    slots: [Slot; SLOTS],
    /// The granules in all of them.
    amount: u32,
    /// The most in all of them.
    most: u32,
    /// The most blocks of a size.
    batch: u32,
}

#[derive(Clone, Copy, Default)]
struct Slot {
    class: Class,
    blocks: u32,
}

impl Slot {
    fn amount(&self) -> u32 {
        self.blocks * granules(self.class)
    }
}

impl Kept {
    /// Of a CPU whose lists may hold so much together.
    pub fn new(design: &Design, budget: u32) -> Self {
        let most = budget.checked_div(design.kept_of_budget).unwrap_or(0);
        Self {
            slots: [Slot::default(); SLOTS],
            amount: 0,
            most,
            batch: design.batch,
        }
    }

    /// Takes a block, if there is one.
    pub fn take(&mut self, class: Class) -> bool {
        let slot = &mut self.slots[number(class)];
        let hit = slot.class == class && slot.blocks > 0;
        if hit {
            slot.blocks -= 1;
            self.amount -= granules(class);
        }
        hit
    }

    /// Keeps a block, and says how many others go for it. Not one for which all others would have to.
    pub fn keep(&mut self, class: Class) -> Option<u32> {
        let size = granules(class);
        if size > self.most / 2 {
            return None;
        }
        let mut gone = 0;
        let own = number(class);
        let slot = self.slots[own];
        let full = self.most.min(self.batch * size);
        let stays = match slot.class == class {
            false => 0,
            true if slot.amount() + size <= full => full,
            true => full / 2,
        };
        while self.slots[own].amount() > stays {
            gone += self.drop_from(own);
        }
        while self.amount + size > self.most {
            let Some(first) = self.slots.iter().position(|slot| slot.blocks > 0) else {
                break;
            };
            gone += self.drop_from(first);
        }
        let slot = &mut self.slots[own];
        slot.class = class;
        slot.blocks += 1;
        self.amount += size;
        Some(gone)
    }

    fn drop_from(&mut self, number: usize) -> u32 {
        let slot = &mut self.slots[number];
        slot.blocks -= 1;
        self.amount -= granules(slot.class);
        1
    }

    /// All granules that are kept.
    #[cfg(test)]
    pub fn amount(&self) -> u32 {
        self.amount
    }
}

/// Which slot a size has: as in the crate, Knuth's multiplicative hash.
fn number(class: Class) -> usize {
    (granules(class).wrapping_mul(0x9E37_79B1) >> (u32::BITS - SLOTS.ilog2())) as usize
}
