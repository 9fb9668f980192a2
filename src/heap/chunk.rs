//! Every read and write of heap memory, and all pointer arithmetic.
//!
//! The heap sees its region as an array of 32-bit words, two to a granule.
//! What it keeps there:
//!
//! ```text
//!   a free chunk of n >= 2 granules          a free chunk of one granule
//!   0    next chunk of its bin               0    next chunk of its bin
//!   1    previous chunk of its bin           1    previous chunk of its bin
//!   2    n
//!   2n-1 n, again                            a parked block, any size
//!                                            0    next parked block
//!                                            1    its depth in the list
//!
//!                                          a free chunk of a tiny heap
//!                                            0    next chunk
//!                                            1    n
//! ```
//!
//! An allocated block holds nothing of ours: its size is in the `Layout` that
//! comes back with it.

use crate::{
    poison,
    unit::{GRANULE, Granules, Offset},
};

/// A word of a free chunk, by its place in the chunk.
#[derive(Clone, Copy)]
#[repr(u32)]
pub(crate) enum Field {
    Next = 0,
    Previous = 1,
    Size = 2,
}

const WORDS_PER_GRANULE: usize = GRANULE / size_of::<u32>();

/// The memory of a region, reached by word or by granule.
///
/// Invariant: whoever makes a `Span` owns the memory behind it, and every
/// word's index and [`Offset`] that the heap passes in lies in that memory,
/// in words that are the heap's: its tables, free chunks and parked blocks.
/// The methods are therefore safe to call in this module's sense only; all of
/// `heap` keeps the invariant, `check` tests it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    base: *mut u8,
}

impl Span {
    pub const EMPTY: Self = Self {
        base: core::ptr::null_mut(),
    };

    /// # Safety
    ///
    /// `base` is aligned to a granule and the caller owns the memory behind
    /// it as far as it will pass offsets.
    pub const unsafe fn new(base: *mut u8) -> Self {
        Self { base }
    }

    #[inline]
    pub fn is_empty(self) -> bool {
        self.base.is_null()
    }

    #[inline]
    pub fn address(self) -> usize {
        self.base.addr()
    }

    #[inline]
    pub fn pointer_to(self, at: Offset) -> *mut u8 {
        self.base.wrapping_add(at.bytes())
    }

    #[inline]
    pub fn offset_of(self, block: *mut u8) -> Offset {
        Offset(((block.addr() - self.base.addr()) / GRANULE) as u32)
    }

    /// The index of a position's first word.
    #[inline]
    const fn word_of(at: Offset) -> usize {
        at.0 as usize * WORDS_PER_GRANULE
    }

    #[inline]
    pub fn word(self, index: usize) -> u32 {
        debug_assert!(!self.is_empty());
        // SAFETY: the word is the heap's by the type's invariant, and words
        // are aligned because the base is.
        self.reach(index, 1, || unsafe {
            self.base.cast::<u32>().add(index).read()
        })
    }

    #[inline]
    pub fn set_word(self, index: usize, value: u32) {
        debug_assert!(!self.is_empty());
        // SAFETY: as for `word`.
        self.reach(index, 1, || unsafe {
            self.base.cast::<u32>().add(index).write(value)
        });
    }

    /// Clears the words from `start` up to `end`.
    pub fn clear_words(self, start: usize, end: usize) {
        let words = end - start;
        // SAFETY: as for `word`, for each of them.
        self.reach(start, words, || unsafe {
            self.base.cast::<u32>().add(start).write_bytes(0, words)
        });
    }

    #[inline]
    pub fn field(self, chunk: Offset, field: Field) -> u32 {
        self.word(Self::word_of(chunk) + field as usize)
    }

    #[inline]
    pub fn set_field(self, chunk: Offset, field: Field, value: u32) {
        self.set_word(Self::word_of(chunk) + field as usize, value);
    }

    /// The length of the free chunk that begins at `chunk`, which is longer
    /// than one granule.
    #[inline]
    pub fn size_from(self, chunk: Offset) -> Granules {
        Granules(self.field(chunk, Field::Size))
    }

    /// The length of the free chunk that ends before `end`, which is longer
    /// than one granule.
    #[inline]
    pub fn size_before(self, end: Offset) -> Granules {
        Granules(self.word(Self::word_of(end) - 1))
    }

    /// Writes a free chunk's length at both of its ends.
    #[inline]
    pub fn set_size(self, chunk: Offset, size: Granules) {
        if size > Granules::ONE {
            self.set_field(chunk, Field::Size, size.0);
            self.set_word(Self::word_of(chunk + size) - 1, size.0);
        }
    }

    /// Reads the first granule of a parked block, or a slot for one.
    #[inline]
    pub fn link(self, block: Offset) -> u64 {
        // SAFETY: the granule is the heap's by the type's invariant, and
        // granules are aligned because the base is.
        self.reach(Self::word_of(block), WORDS_PER_GRANULE, || unsafe {
            self.base.add(block.bytes()).cast::<u64>().read()
        })
    }

    /// Writes the first granule of a parked block, or a slot for one.
    #[inline]
    pub fn set_link(self, block: Offset, link: u64) {
        self.set_link_at(self.pointer_to(block), link);
    }

    /// Writes the first granule of a parked block that is known by its address,
    /// which is not computed from its place again.
    #[inline]
    pub fn set_link_at(self, block: *mut u8, link: u64) {
        let place = self.offset_of(block);
        let block = self.base.with_addr(block.addr());
        // SAFETY: as for `link`.
        self.reach(Self::word_of(place), WORDS_PER_GRANULE, || unsafe {
            block.cast::<u64>().write(link)
        });
    }

    /// Moves the first `bytes` bytes of a block down to where another is to
    /// be, which may overlap it.
    ///
    /// # Safety
    ///
    /// Both are the caller's, and have at least that many bytes.
    pub unsafe fn move_down(self, from: Offset, to: Offset, bytes: usize) {
        let (source, target) = (self.pointer_to(from), self.pointer_to(to));
        let distance = (from - to).bytes();
        poison::give(target, bytes.min(distance));
        // SAFETY: the caller's promise.
        unsafe { source.copy_to(target, bytes) };
        poison::close(target.wrapping_add(bytes), distance);
    }

    /// Does an access to words of the heap's own, which are closed to
    /// everybody else.
    #[inline(always)]
    fn reach<T>(self, first: usize, words: usize, access: impl FnOnce() -> T) -> T {
        let granules = first / WORDS_PER_GRANULE..(first + words).div_ceil(WORDS_PER_GRANULE);
        let start = self.base.wrapping_add(granules.start * GRANULE);
        poison::open(start, granules.len() * GRANULE);
        let value = access();
        poison::close(start, granules.len() * GRANULE);
        value
    }
}
