//! The free chunks of a tiny heap: a list in the order of their places.

use core::ptr;

use crate::{
    heap::{
        CheckError,
        chunk::{Field, Span},
        expect,
    },
    unit::{GRANULE, Granules, Offset},
};

/// What is before the first chunk and after the last: larger than any place,
/// and no chunk ends there.
pub const END: Offset = Offset(u32::MAX);

/// Any chunk will do.
pub const ANY: Offset = END;

/// The word of a chunk's length.
const LENGTH: Field = Field::Previous;

/// The list, and the memory that it is in.
#[derive(Debug)]
pub struct Chunks {
    pub span: Span,
    pub first: Offset,
    pub limit: Offset,
}

impl Chunks {
    /// No chunks of no memory: all bits are zero, so that a heap that has none
    /// yet takes no room in a program's file.
    pub const NONE: Self = Self {
        span: Span::EMPTY,
        first: Offset(0),
        limit: Offset(0),
    };

    /// No chunks yet, of memory up to a limit.
    pub fn none_of(span: Span, limit: Offset) -> Self {
        Self {
            span,
            first: END,
            limit,
        }
    }

    /// The first chunk after another, or after [`END`] the first of all.
    fn after(&self, chunk: Offset) -> Offset {
        if chunk == END {
            self.first
        } else {
            self.next(chunk)
        }
    }

    fn set_after(&mut self, chunk: Offset, next: Offset) {
        if chunk == END {
            self.first = next;
        } else {
            self.span.set_field(chunk, Field::Next, next.0);
        }
    }

    pub fn next(&self, chunk: Offset) -> Offset {
        Offset(self.span.field(chunk, Field::Next))
    }

    pub fn size(&self, chunk: Offset) -> Granules {
        Granules(self.span.field(chunk, LENGTH))
    }

    fn set_size(&self, chunk: Offset, size: Granules) {
        self.span.set_field(chunk, LENGTH, size.0);
    }

    /// Makes free memory a chunk, which nothing leads to yet.
    pub fn write(&self, chunk: Offset, next: Offset, size: Granules) {
        self.span.set_field(chunk, Field::Next, next.0);
        self.set_size(chunk, size);
    }

    /// The last chunk before a place.
    fn last_before(&self, at: Offset) -> Offset {
        let mut previous = END;
        loop {
            let next = self.after(previous);
            if next >= at {
                return previous;
            }
            previous = next;
        }
    }

    /// Makes memory that is not free a chunk, or a part of those beside it.
    pub fn free(&mut self, mut at: Offset, mut size: Granules) {
        let previous = self.last_before(at);
        let mut next = self.after(previous);
        if at + size == next {
            size += self.size(next);
            next = self.next(next);
        }
        if previous != END && previous + self.size(previous) == at {
            at = previous;
            size += self.size(previous);
        } else {
            self.set_after(previous, at);
        }
        self.write(at, next, size);
    }

    /// Takes `size` granules at a multiple of `align` bytes out of the shortest
    /// chunk that has them, or just out of the `wanted` one. Gives null if
    /// there are none.
    pub fn take(&mut self, size: Granules, align: usize, wanted: Offset) -> *mut u8 {
        let (mut before_best, mut best, mut skipped) = (END, END, Granules::ZERO);
        let mut found = Granules(u32::MAX);
        let mut previous = END;
        loop {
            let chunk = self.after(previous);
            if chunk >= self.limit || found == size {
                break;
            }
            let address = self.span.pointer_to(chunk).addr();
            let skips = (address.wrapping_neg() & (align - 1)) / GRANULE;
            let length = self.size(chunk);
            let fits = length < found && skips + size.0 as usize <= length.0 as usize;
            if fits && (wanted == ANY || wanted == chunk) {
                (before_best, best, found) = (previous, chunk, length);
                skipped = Granules(skips as u32);
            }
            previous = chunk;
        }
        if best == END {
            return ptr::null_mut();
        }
        let (block, rest) = (best + skipped, found - skipped - size);
        let mut next = self.next(best);
        if rest > Granules::ZERO {
            self.write(block + size, next, rest);
            next = block + size;
        }
        if skipped > Granules::ZERO {
            self.set_size(best, skipped);
            before_best = best;
        }
        self.set_after(before_best, next);
        self.span.pointer_to(block)
    }

    /// Does something with the size of each chunk, as far as all is well.
    pub fn walk(&self, mut each: impl FnMut(Granules)) -> Result<(), CheckError> {
        let (mut chunk, mut least) = (self.first, Offset(0));
        while chunk != END && !self.span.is_empty() {
            expect(
                chunk >= least,
                "a free chunk that is listed too late",
                chunk,
            )?;
            expect(chunk < self.limit, "a free chunk outside the heap", chunk)?;
            let (size, most) = (self.size(chunk), self.limit - chunk);
            expect(
                size > Granules::ZERO,
                "a free chunk without a length",
                chunk,
            )?;
            expect(size <= most, "a free chunk larger than the heap", chunk)?;
            each(size);
            // Those that touch are one.
            least = chunk + size + Granules::ONE;
            chunk = self.next(chunk);
        }
        Ok(())
    }
}
