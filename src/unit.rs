//! Granules and offsets: the two units in which the heap counts.
//!
//! A *granule* is eight bytes. Every chunk begins at a granule's boundary and
//! is a whole number of granules long. Positions are counted from the first
//! byte of the region, lengths are lengths; the two are different types, so
//! that one cannot be passed for the other.

use core::{
    alloc::Layout,
    ops::{Add, AddAssign, Sub, SubAssign},
};

/// The bytes in a granule, and so the alignment of every block.
pub const GRANULE: usize = 8;

/// A length in granules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Granules(pub u32);

/// A position: granules from the start of the region. Zero, where the heap's
/// own tables lie, stands for "none" wherever a position may be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Offset(pub u32);

impl Granules {
    pub const ZERO: Self = Self(0);
    pub const ONE: Self = Self(1);
    pub const MAX: Self = Self(u32::MAX);

    /// The granules that hold `size` bytes, at least one; `None` if they are
    /// more than any region has.
    #[inline]
    pub fn holding(size: usize) -> Option<Self> {
        let granules = size.checked_add(GRANULE - 1)? / GRANULE;
        u32::try_from(granules.max(1)).ok().map(Self)
    }

    /// As [`holding`](Self::holding), but where it gives none, more than any
    /// region has.
    #[inline]
    pub fn wanted_for(size: usize) -> Self {
        let granules = size.div_ceil(GRANULE).max(1);
        Self(u32::try_from(granules).unwrap_or(u32::MAX))
    }

    /// The granules of an allocated block, whose layout was served once and
    /// is therefore known to fit.
    #[inline]
    pub const fn of_block(size: usize) -> Self {
        let granules = size.div_ceil(GRANULE);
        Self(if granules == 0 { 1 } else { granules as u32 })
    }

    #[inline]
    pub const fn bytes(self) -> usize {
        self.0 as usize * GRANULE
    }
}

impl Offset {
    pub const NONE: Self = Self(0);

    #[inline]
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }

    #[inline]
    pub const fn bytes(self) -> usize {
        self.0 as usize * GRANULE
    }
}

/// The alignment that a layout asks for beyond a granule's, in granules: one
/// if a granule's own is enough.
#[inline]
pub(crate) fn alignment_of(layout: Layout) -> usize {
    (layout.align() / GRANULE).max(1)
}

impl Add<Granules> for Offset {
    type Output = Self;
    #[inline]
    fn add(self, length: Granules) -> Self {
        Self(self.0 + length.0)
    }
}

impl Sub<Granules> for Offset {
    type Output = Self;
    #[inline]
    fn sub(self, length: Granules) -> Self {
        Self(self.0 - length.0)
    }
}

impl Sub for Offset {
    type Output = Granules;
    #[inline]
    fn sub(self, start: Self) -> Granules {
        Granules(self.0 - start.0)
    }
}

impl Add for Granules {
    type Output = Self;
    #[inline]
    fn add(self, more: Self) -> Self {
        Self(self.0 + more.0)
    }
}

impl Sub for Granules {
    type Output = Self;
    #[inline]
    fn sub(self, less: Self) -> Self {
        Self(self.0 - less.0)
    }
}

impl AddAssign for Granules {
    #[inline]
    fn add_assign(&mut self, more: Self) {
        *self = *self + more;
    }
}

impl SubAssign for Granules {
    #[inline]
    fn sub_assign(&mut self, less: Self) {
        *self = *self - less;
    }
}

impl AddAssign<Granules> for Offset {
    #[inline]
    fn add_assign(&mut self, length: Granules) {
        *self = *self + length;
    }
}
