//! How long a CPU's quick lists may be.

use super::{
    large::Large,
    piece::Piece,
    tally::{Step, Tally},
};
use crate::{
    allocator::LINE,
    cache::{Bounds, Class},
    sync::MODEL,
    unit::Granules,
};

/// The most granules in a list: 64 KiB.
const LIST: u32 = 8192;

/// The most granules in a CPU's piece, 64 KiB, and what part of the budget.
const PIECE: u32 = if MODEL { 6 } else { 8192 };
const PIECE_OF_BUDGET: u32 = if MODEL { 1 } else { 8 };

/// A list's grant is revoked once so many were refused: were it each time, lists
/// in use would be emptied as fast as they are filled.
const REFUSALS: u8 = 32;

/// The lists that are looked at, at the most, for one whose grant to revoke.
pub(super) const LOOKED_AT: usize = 64;

/// A budget for all lists together, of which each is granted a part that
/// doubles when it turns out to be too small, at the cost of others if need
/// be.
#[derive(Debug)]
pub(super) struct Granted<const S: usize, const A: usize> {
    /// The granules at which each list is full.
    bounds: [[u16; S]; A],
    /// Their sum.
    granted: Granules,
    budget: Granules,
    /// The list whose grant may be revoked next.
    cursor: usize,
    /// How often a list was refused more since a grant was revoked.
    refusals: u8,
    /// What the CPU has besides its lists.
    pub piece: Piece,
    pub large: Large,
}

impl<const S: usize, const A: usize> Granted<S, A> {
    pub fn set_budget(&mut self, budget: Granules) {
        self.budget = budget;
    }

    /// The most granules in a new piece.
    pub fn piece_size(&self) -> Granules {
        Granules((self.budget.0 / PIECE_OF_BUDGET).min(PIECE))
    }

    /// Doubles a list's bound, from a block or two cache lines up to `most`
    /// blocks, unless the budget does not allow it.
    pub fn grow(&mut self, class: Class, most: u32) {
        let size = class.granules().0;
        let bound = &mut self.bounds[class.alignment][class.size];
        let old = u32::from(*bound);
        let most = (most * size).min(LIST);
        let least = size.max(2 * LINE.0).min(most);
        let new = (2 * old).clamp(least, most).max(old);
        let granted = self.granted + Granules(new - old);
        if granted > self.budget {
            self.refusals = self.refusals.saturating_add(1);
            return;
        }
        *bound = new as u16;
        self.granted = granted;
    }

    /// Whether a list may be replaced by a chain, whatever that holds.
    pub fn may_adopt(&self) -> bool {
        self.granted <= self.budget
    }

    /// Lets a list hold a chain that another CPU's list was granted, even if
    /// that is more than the budget allows: a grant is revoked for it soon.
    pub fn adopt(&mut self, class: Class, amount: Granules) {
        let bound = &mut self.bounds[class.alignment][class.size];
        let old = u32::from(*bound);
        let new = old.max(amount.0);
        *bound = new as u16;
        self.granted += Granules(new - old);
    }

    /// Takes back what a list was granted, any but this one, or of a longer list
    /// so many blocks, if it is time for that. What it holds beyond its bound then
    /// is the caller's to remove.
    pub fn revoke_any_but(&mut self, class: Class, most: u32, tally: Tally<'_>) -> Option<Class> {
        if self.refusals < REFUSALS && self.granted <= self.budget {
            return None;
        }
        for _ in 0..LOOKED_AT.min(S * A) {
            tally.step(Step::Grant);
            self.cursor = (self.cursor + 1) % (S * A);
            let (size, alignment) = (self.cursor / A, self.cursor % A);
            let bound = &mut self.bounds[alignment][size];
            if *bound > 0 && (size, alignment) != (class.size, class.alignment) {
                let other = Class { size, alignment };
                let revoked = u32::from(*bound).min(most * other.granules().0);
                self.granted -= Granules(revoked);
                *bound -= revoked as u16;
                self.refusals = 0;
                return Some(other);
            }
        }
        None
    }
}

impl<const S: usize, const A: usize> Bounds for Granted<S, A> {
    const NONE: Self = Self {
        bounds: [[0; S]; A],
        granted: Granules::ZERO,
        budget: Granules::ZERO,
        cursor: 0,
        refusals: 0,
        piece: Piece::NONE,
        large: Large::NONE,
    };

    #[inline]
    fn of(&self, class: Class) -> Granules {
        Granules(u32::from(self.bounds[class.alignment][class.size]))
    }

    fn are_asleep(&self) -> bool {
        self.granted == Granules::ZERO
    }

    fn sleep(&mut self) {
        *self = Self::NONE;
    }
}
