//! How long an allocator's quick lists may be.

use crate::{
    cache::{Bounds, Class},
    unit::Granules,
};

/// Lists halve for every 256 bytes of their blocks' size: a program has few
/// large blocks of just one size, and many sizes of them.
const HALVED_EVERY_LOG2: u32 = 5;

/// One limit for all lists, halved as their blocks get larger.
#[derive(Debug)]
pub(super) struct Halving {
    /// The most granules in a list of the smallest blocks.
    limit: Granules,
    /// The same, but zero while the lists are asleep.
    bound: Granules,
    awake: bool,
}

impl Halving {
    #[inline]
    pub fn limit(&self) -> Granules {
        self.limit
    }

    /// Sets the most granules in a list of the smallest blocks.
    pub fn set_limit(&mut self, limit: Granules) {
        self.limit = limit;
        self.bound = if self.awake { limit } else { Granules::ZERO };
    }

    /// Wakes lists that were asleep, if they may hold anything.
    #[inline]
    pub fn wake(&mut self) -> bool {
        let wakes = !self.awake && self.limit > Granules::ZERO;
        if wakes {
            self.awake = true;
            self.bound = self.limit;
        }
        wakes
    }
}

impl Bounds for Halving {
    const NONE: Self = Self {
        limit: Granules::ZERO,
        bound: Granules::ZERO,
        awake: false,
    };

    #[inline]
    fn of(&self, class: Class) -> Granules {
        let halvings = (class.size >> HALVED_EVERY_LOG2) as u32;
        Granules(self.bound.0.checked_shr(halvings).unwrap_or(0))
    }

    #[inline]
    fn are_asleep(&self) -> bool {
        !self.awake
    }

    fn sleep(&mut self) {
        self.awake = false;
        self.bound = Granules::ZERO;
    }
}
