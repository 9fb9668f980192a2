//! Walks the whole heap and proves its invariants.

use core::fmt;

use super::{
    Heap,
    bins::{Bin, Bins},
};
use crate::{
    cache::Parked,
    unit::{GRANULE, Granules, Offset},
};

/// An invariant that does not hold: the heap is corrupt.
///
/// Either the program broke the contract of a call (a wrong layout, a double
/// free, a write outside its block), or this crate has a bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckError {
    broken: &'static str,
    at: usize,
}

impl fmt::Display for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the heap is corrupt {} bytes into its region: {}",
            self.at, self.broken
        )
    }
}

impl core::error::Error for CheckError {}

pub(crate) fn expect(holds: bool, broken: &'static str, at: Offset) -> Result<(), CheckError> {
    if holds {
        Ok(())
    } else {
        Err(CheckError {
            broken,
            at: at.bytes(),
        })
    }
}

impl Heap {
    /// Proves that the edges mark what the bins hold and nothing else, that
    /// no two free chunks touch, and that every number is in its range.
    pub fn check(&self) -> Result<(), CheckError> {
        if self.is_empty() {
            return Ok(());
        }
        expect(
            self.first <= self.top,
            "top is before the first block",
            self.top,
        )?;
        expect(self.top <= self.roof, "top is beyond the roof", self.top)?;
        expect(
            self.roof <= self.limit,
            "the roof is beyond the limit",
            self.roof,
        )?;
        expect(
            self.top <= self.fresh.0,
            "top rose past what is known as used",
            self.top,
        )?;
        expect(
            self.roof >= self.fresh.1,
            "the roof fell past what is known as used",
            self.roof,
        )?;
        self.check_taken(self.victim.at, self.victim.size)?;
        expect(
            !self.is_hopeless(self.victim.size.max(self.room())),
            "room for what was given up",
            self.top,
        )?;
        let marked = self.check_edges()?;
        let listed = self.check_bins()?;
        expect(
            marked == listed,
            "the bins hold other chunks than the edges mark",
            self.top,
        )?;
        let counted = self.bins.total() == listed;
        expect(
            counted,
            "the bins hold more or less than they count",
            self.top,
        )
    }

    /// Proves that a run that is taken for allocated lies in the heap and has
    /// no edge in it.
    pub fn check_taken(&self, at: Offset, size: Granules) -> Result<(), CheckError> {
        if size == Granules::ZERO {
            return Ok(());
        }
        expect(self.is_used(at, size), "a block outside the heap", at)?;
        match self.edges.next_set(self.span, at, at + size) {
            None => Ok(()),
            Some(edge) => expect(false, "a free chunk's edge in a block", edge),
        }
    }

    /// Proves that a parked block is where a block can be, aligned as its
    /// list says, and followed by as much as its link says.
    pub fn check_parked(&self, parked: Parked) -> Result<(), CheckError> {
        let Parked {
            block,
            size,
            alignment_log2,
            amount,
            amount_left,
        } = parked;
        expect(
            amount == amount_left,
            "a list of parked blocks that is cut or closed to a ring",
            block,
        )?;
        self.check_taken(block, size)?;
        let zeros = self.span.pointer_to(block).addr().trailing_zeros() as usize;
        let aligned = zeros >= GRANULE.trailing_zeros() as usize + alignment_log2;
        expect(
            aligned,
            "a parked block in a list of larger alignment",
            block,
        )
    }

    /// Gives the granules of all chunks that are marked.
    fn check_edges(&self) -> Result<Granules, CheckError> {
        let mut marked = Granules::ZERO;
        for (start, end) in [(self.first, self.top), (self.roof, self.limit)] {
            let mut from = start;
            while let Some(chunk) = self.edges.next_set(self.span, from, end) {
                let size = self.check_chunk(chunk)?;
                marked += size;
                from = chunk + size;
                let touches = from != self.limit && self.edges.is_set(self.span, from);
                expect(!touches, "two free chunks that touch", from)?;
            }
        }
        Ok(marked)
    }

    /// Whether a run lies on one side of the gap.
    fn is_used(&self, at: Offset, size: Granules) -> bool {
        let within = |start: Offset, end: Offset| {
            at >= start && end.0.checked_sub(at.0).is_some_and(|rest| rest >= size.0)
        };
        within(self.first, self.top) || within(self.roof, self.limit)
    }

    /// Proves that a free chunk is marked and sized as it should be.
    fn check_chunk(&self, chunk: Offset) -> Result<Granules, CheckError> {
        let set = |at| self.edges.is_set(self.span, at);
        let size = if set(chunk + Granules::ONE) {
            self.span.size_from(chunk)
        } else {
            Granules::ONE
        };
        expect(
            size <= self.capacity(),
            "a free chunk larger than the heap",
            chunk,
        )?;
        expect(
            self.is_used(chunk, size),
            "a free chunk outside the heap",
            chunk,
        )?;
        expect(
            chunk + size != self.top && chunk != self.roof,
            "a free chunk beside the gap",
            chunk,
        )?;
        expect(
            !self.is_hopeless(size),
            "a free chunk as long as what was given up",
            chunk,
        )?;
        if size == Granules::ONE {
            return Ok(size);
        }
        let end = chunk + size;
        expect(
            size > Granules::ZERO,
            "a free chunk without a length",
            chunk,
        )?;
        expect(
            self.span.size_before(end) == size,
            "a free chunk with two lengths",
            chunk,
        )?;
        expect(
            set(end - Granules::ONE) && set(end - Granules(2)),
            "a free chunk whose end is not marked",
            chunk,
        )?;
        let inside = self
            .edges
            .next_set(self.span, chunk + Granules(2), end - Granules(2));
        expect(inside.is_none(), "a mark inside a free chunk", chunk)?;
        Ok(size)
    }

    /// Gives the granules of all chunks that are listed.
    fn check_bins(&self) -> Result<Granules, CheckError> {
        let mut listed = Granules::ZERO;
        for bin in self.bins.all() {
            let in_ring = self.check_ring(bin)?;
            listed += in_ring;
            expect(
                self.bins.is_noted(self.span, bin) == (in_ring > Granules::ZERO),
                "a bin that is empty but noted, or the reverse",
                bin.sentinel(),
            )?;
        }
        Ok(listed)
    }

    /// Proves that a bin's ring is closed and holds free chunks of its sizes.
    /// Gives the granules of these. It ends: each chunk has one previous, so
    /// that none is met twice.
    fn check_ring(&self, bin: Bin) -> Result<Granules, CheckError> {
        let mut listed = Granules::ZERO;
        let mut previous = bin.sentinel();
        loop {
            let chunk = Bins::next(self.span, previous);
            expect(
                chunk == bin.sentinel() || self.is_used(chunk, Granules::ONE),
                "a listed chunk outside the heap",
                chunk,
            )?;
            expect(
                Bins::previous(self.span, chunk) == previous,
                "a chunk that does not know its list's previous one",
                chunk,
            )?;
            if chunk == bin.sentinel() {
                return Ok(listed);
            }
            expect(
                self.edges.is_set(self.span, chunk),
                "a listed chunk that is not marked",
                chunk,
            )?;
            let size = self.check_chunk(chunk)?;
            expect(
                self.bins.bin_of(size) == bin,
                "a chunk in another size's bin",
                chunk,
            )?;
            listed += size;
            previous = chunk;
        }
    }
}

#[cfg(test)]
mod tests;
