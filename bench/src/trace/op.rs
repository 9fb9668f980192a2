//! One recorded operation, packed into 64 bits.
//!
//! From the lowest bit: kind 2, log2 of the alignment 5, slot 24, size 33.

const KIND_BITS: u32 = 2;
const ALIGN_BITS: u32 = 5;
const SLOT_BITS: u32 = 24;

const ALIGN_SHIFT: u32 = KIND_BITS;
const SLOT_SHIFT: u32 = ALIGN_SHIFT + ALIGN_BITS;
const SIZE_SHIFT: u32 = SLOT_SHIFT + SLOT_BITS;

/// How many blocks may live at once.
pub const MAX_SLOTS: usize = 1 << SLOT_BITS;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    Alloc,
    Free,
    Realloc,
    AllocZeroed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Op(pub u64);

impl Op {
    pub fn new(kind: Kind, align: usize, slot: usize, size: usize) -> Self {
        assert!(
            align.is_power_of_two() && slot < MAX_SLOTS && (size as u64) < 1 << (64 - SIZE_SHIFT)
        );
        let align = u64::from(align.ilog2());
        Self(
            kind as u64
                | align << ALIGN_SHIFT
                | (slot as u64) << SLOT_SHIFT
                | (size as u64) << SIZE_SHIFT,
        )
    }

    #[inline]
    pub fn kind(self) -> Kind {
        match self.0 & ((1 << KIND_BITS) - 1) {
            0 => Kind::Alloc,
            1 => Kind::Free,
            2 => Kind::Realloc,
            _ => Kind::AllocZeroed,
        }
    }

    #[inline]
    pub fn align(self) -> usize {
        1 << (self.0 >> ALIGN_SHIFT & ((1 << ALIGN_BITS) - 1))
    }

    /// The live block that the operation speaks of.
    #[inline]
    pub fn slot(self) -> usize {
        (self.0 >> SLOT_SHIFT) as usize & (MAX_SLOTS - 1)
    }

    /// Bytes; the new size for a realloc, nothing for a free.
    #[inline]
    pub fn size(self) -> usize {
        (self.0 >> SIZE_SHIFT) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_survives_packing() {
        let op = Op::new(Kind::Realloc, 4096, MAX_SLOTS - 1, (1 << 33) - 1);
        assert_eq!(op.kind(), Kind::Realloc);
        assert_eq!(op.align(), 4096);
        assert_eq!(op.slot(), MAX_SLOTS - 1);
        assert_eq!(op.size(), (1 << 33) - 1);
    }

    #[test]
    fn every_kind_survives_packing() {
        for kind in [Kind::Alloc, Kind::Free, Kind::Realloc, Kind::AllocZeroed] {
            assert_eq!(Op::new(kind, 1, 0, 0).kind(), kind);
        }
    }
}
