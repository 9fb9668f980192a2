//! Free chunks by size.
//!
//! Sizes below `linear` have a bin each, a doubly linked list. Every octave
//! above is divided into a few ranges; a ranged bin is a trie over the bits
//! of the size that the range leaves open, whose nodes are chunks of distinct
//! sizes, each with a list of the chunks of its own size. So the smallest
//! chunk that is large enough is found exactly, in as many steps as a size
//! has bits, however many chunks there are (after Doug Lea's dlmalloc, whose
//! tree bins these are, under the two levels of Masmano et al.'s TLSF).
//!
//! ```text
//!   heads  | 1 | 2 | … | linear-1 | linear … | … | 2^k … |
//!            |                          |
//!            v                          v  trie by size bits
//!          chunk <-> chunk            chunk <-> chunk (same size)
//!                                    /     \
//!                                 chunk   chunk
//! ```
//!
//! Heads, and a bit for each that is not empty, lie in words at the region's
//! start; how many there are depends on the region's size.

use super::chunk::{Field, Span};
use crate::unit::{Granules, Offset};

const BITS: u32 = u32::BITS;

/// How sizes are divided into bins.
#[derive(Clone, Copy, Debug)]
struct Shape {
    /// Sizes below two to this power have a bin each.
    linear_log2: u32,
    /// Octaves above are divided in two to this power.
    ranges_log2: u32,
}

/// The bins of a region, their heads at the start of its span.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bins {
    shape: Shape,
    /// The number of heads, after which the words of the map follow.
    count: u32,
    /// A bit for each word of the map that is not zero.
    summary: u32,
    /// The granules of all chunks.
    total: Granules,
}

/// A bin, by its place among the heads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Bin(u32);

impl Bin {
    /// The bin of a size that has one of its own.
    #[inline]
    pub fn of_one_size(size: Granules) -> Self {
        Self(size.0)
    }
}

impl Shape {
    /// Bins for a region of `granules`: their heads take about one percent
    /// of a small region and a few kilobytes of a large one.
    const fn for_region(granules: u32) -> Self {
        let (linear_log2, ranges_log2) = match granules {
            0..1024 => (3, 0),
            1024..4096 => (4, 1),
            4096..16384 => (5, 2),
            16384..131_072 => (6, 3),
            _ => (7, 4),
        };
        Self {
            linear_log2,
            ranges_log2,
        }
    }

    #[inline]
    fn bin(self, size: Granules) -> Bin {
        let linear = 1 << self.linear_log2;
        if size.0 < linear {
            return Bin(size.0);
        }
        let octave = log2(size);
        let range = (size.0 >> (octave - self.ranges_log2)) & ((1 << self.ranges_log2) - 1);
        Bin(linear + ((octave - self.linear_log2) << self.ranges_log2) + range)
    }

    /// The bits of a size that its bin leaves open: none for a linear bin.
    #[inline]
    fn open_bits(self, size: Granules) -> u32 {
        if self.is_linear(size) {
            0
        } else {
            log2(size) - self.ranges_log2
        }
    }

    #[inline]
    fn is_linear(self, size: Granules) -> bool {
        size.0 >> self.linear_log2 == 0
    }
}

impl Bins {
    pub const EMPTY: Self = Self {
        shape: Shape {
            linear_log2: 0,
            ranges_log2: 0,
        },
        count: 0,
        summary: 0,
        total: Granules::ZERO,
    };

    pub fn for_region(granules: u32) -> Self {
        let shape = Shape::for_region(granules);
        let count = shape.bin(Granules(granules)).0 + 1;
        Self {
            shape,
            count,
            summary: 0,
            total: Granules::ZERO,
        }
    }

    /// The words at the region's start that hold the heads and the map.
    pub fn words(&self) -> u32 {
        self.count
            + self.count.div_ceil(BITS)
            + self.count.saturating_sub(1 << self.shape.linear_log2)
    }

    /// The granules of all chunks.
    #[inline]
    pub fn total(&self) -> Granules {
        self.total
    }

    /// Sizes below this have a bin each.
    pub fn linear(&self) -> Granules {
        Granules(1 << self.shape.linear_log2)
    }

    /// Adds a free chunk, whose size is written.
    #[inline]
    pub fn link(&mut self, span: Span, chunk: Offset, size: Granules) {
        debug_assert!(!chunk.is_none() && size > Granules::ZERO);
        self.total += size;
        let bin = self.shape.bin(size);
        let head = self.head(span, bin);
        if !self.shape.is_linear(size) {
            span.set_word(self.recent_word(bin), chunk.0);
            return self.link_node(span, bin, head, chunk, size);
        }
        span.set_field(chunk, Field::Next, head.0);
        span.set_field(chunk, Field::Previous, Offset::NONE.0);
        if head.is_none() {
            self.note(span, bin);
        } else {
            span.set_field(head, Field::Previous, chunk.0);
        }
        self.set_head(span, bin, chunk);
    }

    /// Removes a free chunk.
    #[inline]
    pub fn unlink(&mut self, span: Span, chunk: Offset, size: Granules) {
        self.total -= size;
        if !self.shape.is_linear(size) {
            let recent = self.recent_word(self.shape.bin(size));
            if span.word(recent) == chunk.0 {
                span.set_word(recent, Offset::NONE.0);
            }
        }
        let next = Offset(span.field(chunk, Field::Next));
        let previous = Offset(span.field(chunk, Field::Previous));
        if !next.is_none() {
            span.set_field(next, Field::Previous, previous.0);
        }
        if !previous.is_none() {
            span.set_field(previous, Field::Next, next.0);
        } else if self.shape.is_linear(size) {
            self.replace_head(span, self.shape.bin(size), next);
        } else {
            self.unlink_node(span, chunk, size, next);
        }
    }

    /// The first bin with chunks, from that of a size that has one of its own
    /// on.
    #[inline]
    pub fn first_for(&self, span: Span, size: Granules) -> Option<Bin> {
        self.first_from(span, Bin::of_one_size(size))
    }

    /// A chunk of a bin that has some, with its size: the one that is found
    /// and unlinked with least work.
    #[inline]
    pub fn any_of(&self, span: Span, bin: Bin) -> (Offset, Granules) {
        let head = self.head(span, bin);
        if self.is_linear(bin) {
            return (head, Granules(bin.0));
        }
        let recent = self.recent(span, bin);
        if !recent.is_none() {
            return (recent, span.size_from(recent));
        }
        (self.easiest_of_size(span, head), span.size_from(head))
    }

    /// A chunk of the smallest size that is `size` or more, with its size.
    #[inline]
    pub fn at_least(&self, span: Span, size: Granules) -> Option<(Offset, Granules)> {
        let mut bin = self.shape.bin(size);
        if bin.0 >= self.count {
            return None;
        }
        if !self.shape.is_linear(size) {
            if let Some((node, found)) = self.at_least_in_trie(span, bin, size) {
                return Some((node, found));
            }
            bin = Bin(bin.0 + 1);
        }
        let bin = self.first_from(span, bin)?;
        let head = self.head(span, bin);
        if self.is_linear(bin) {
            return Some((head, Granules(bin.0)));
        }
        Some(self.smallest_in_trie(span, head))
    }

    /// Of the chunks of a node's size, one that can leave the trie as it is.
    #[inline]
    fn easiest_of_size(&self, span: Span, node: Offset) -> Offset {
        self.next_of_size(span, node).unwrap_or(node)
    }

    /// A chunk of `size` or a little more, found in fewer steps than the
    /// smallest: the root of the size's own trie if it is large enough, or
    /// else that of the next bin with any.
    #[inline]
    pub fn good_fit(&self, span: Span, size: Granules) -> Option<(Offset, Granules)> {
        let bin = self.shape.bin(size);
        if bin.0 >= self.count {
            return None;
        }
        let root = self.head(span, bin);
        if !root.is_none() {
            let (chunk, found) = self.any_of(span, bin);
            if found >= size {
                return Some((chunk, found));
            }
        }
        match self.first_from(span, Bin(bin.0 + 1)) {
            Some(bin) => Some(self.any_of(span, bin)),
            None if root.is_none() => None,
            None => self
                .at_least_in_trie(span, bin, size)
                .map(|(node, found)| (self.easiest_of_size(span, node), found)),
        }
    }

    /// The chunk of a ranged bin that was linked last, if it still is.
    #[inline]
    pub fn recent(&self, span: Span, bin: Bin) -> Offset {
        Offset(span.word(self.recent_word(bin)))
    }

    /// All bins, empty ones too.
    pub fn all(&self) -> impl Iterator<Item = Bin> + use<> {
        (0..self.count).map(Bin)
    }

    /// Whether a bin is noted as one that has chunks.
    pub fn is_noted(&self, span: Span, bin: Bin) -> bool {
        self.first_from(span, bin) == Some(bin)
    }

    /// The bin of a size.
    pub fn bin_of(&self, size: Granules) -> Bin {
        self.shape.bin(size)
    }

    /// Whether a bin holds chunks of one size only.
    #[inline]
    pub fn is_linear(&self, bin: Bin) -> bool {
        bin.0 >> self.shape.linear_log2 == 0
    }

    /// The chunk after this one among those of its size.
    pub fn next_of_size(&self, span: Span, chunk: Offset) -> Option<Offset> {
        let next = Offset(span.field(chunk, Field::Next));
        (!next.is_none()).then_some(next)
    }

    /// The size of the largest chunk, or zero.
    pub fn largest(&self, span: Span) -> Granules {
        let mut largest = Granules::ZERO;
        let Some(bin) = (0..self.count)
            .rev()
            .map(Bin)
            .find(|&bin| !self.head(span, bin).is_none())
        else {
            return largest;
        };
        if self.is_linear(bin) {
            return Granules(bin.0);
        }
        let mut node = self.head(span, bin);
        while !node.is_none() {
            largest = largest.max(span.size_from(node));
            let right = self.child(span, node, 1);
            node = if right.is_none() {
                self.child(span, node, 0)
            } else {
                right
            };
        }
        largest
    }

    fn link_node(&mut self, span: Span, bin: Bin, root: Offset, chunk: Offset, size: Granules) {
        if root.is_none() {
            self.note(span, bin);
            self.set_head(span, bin, chunk);
            return Self::plant(span, chunk, Offset::NONE);
        }
        let mut node = root;
        let mut bit = self.shape.open_bits(size);
        while span.size_from(node) != size {
            bit -= 1;
            let side = size.0 >> bit & 1;
            let child = self.child(span, node, side);
            if child.is_none() {
                span.set_field(node, child_field(side), chunk.0);
                return Self::plant(span, chunk, node);
            }
            node = child;
        }
        let next = span.field(node, Field::Next);
        span.set_field(chunk, Field::Next, next);
        span.set_field(chunk, Field::Previous, node.0);
        span.set_field(node, Field::Next, chunk.0);
        if next != Offset::NONE.0 {
            span.set_field(Offset(next), Field::Previous, chunk.0);
        }
    }

    /// Writes a chunk as a trie's leaf.
    fn plant(span: Span, chunk: Offset, parent: Offset) {
        span.set_field(chunk, Field::Next, Offset::NONE.0);
        span.set_field(chunk, Field::Previous, Offset::NONE.0);
        span.set_field(chunk, Field::Left, Offset::NONE.0);
        span.set_field(chunk, Field::Right, Offset::NONE.0);
        span.set_field(chunk, Field::Parent, parent.0);
    }

    /// Removes a trie's node, in whose place comes the next chunk of its
    /// size, or else a leaf from below it, or nothing.
    fn unlink_node(&mut self, span: Span, node: Offset, size: Granules, next: Offset) {
        let children = [self.child(span, node, 0), self.child(span, node, 1)];
        let leaf = children == [Offset::NONE; 2];
        let heir = if next.is_none() && !leaf {
            self.pluck_leaf(span, node)
        } else {
            next
        };
        let parent = Offset(span.field(node, Field::Parent));
        if parent.is_none() {
            self.replace_head(span, self.shape.bin(size), heir);
        } else {
            let side = u32::from(self.child(span, parent, 1) == node);
            span.set_field(parent, child_field(side), heir.0);
        }
        if heir.is_none() {
            return;
        }
        span.set_field(heir, Field::Parent, parent.0);
        if leaf {
            span.set_field(heir, Field::Left, Offset::NONE.0);
            span.set_field(heir, Field::Right, Offset::NONE.0);
            return;
        }
        for side in [0, 1] {
            let child = self.child(span, node, side);
            span.set_field(heir, child_field(side), child.0);
            if !child.is_none() {
                span.set_field(child, Field::Parent, heir.0);
            }
        }
    }

    /// Takes a leaf out of the trie below `node`, if anything is below it.
    fn pluck_leaf(&self, span: Span, node: Offset) -> Offset {
        let (mut parent, mut side, mut leaf) = (node, 0, Offset::NONE);
        let mut at = node;
        loop {
            let right = self.child(span, at, 1);
            let (child, of) = if right.is_none() {
                (self.child(span, at, 0), 0)
            } else {
                (right, 1)
            };
            if child.is_none() {
                break;
            }
            (parent, side, leaf, at) = (at, of, child, child);
        }
        if !leaf.is_none() {
            span.set_field(parent, child_field(side), Offset::NONE.0);
        }
        leaf
    }

    /// The best fit in a bin for a size of its own range: down the size's
    /// bits, remembering the last larger subtree that was passed by.
    fn at_least_in_trie(&self, span: Span, bin: Bin, size: Granules) -> Option<(Offset, Granules)> {
        let mut node = self.head(span, bin);
        let mut bit = self.shape.open_bits(size);
        let mut best: Option<(Offset, Granules)> = None;
        let mut larger = Offset::NONE;
        while !node.is_none() {
            let found = span.size_from(node);
            if found >= size && best.is_none_or(|(_, least)| found < least) {
                best = Some((node, found));
                if found == size {
                    return best;
                }
            }
            if bit == 0 {
                break;
            }
            bit -= 1;
            let side = size.0 >> bit & 1;
            if side == 0 {
                let right = self.child(span, node, 1);
                if !right.is_none() {
                    larger = right;
                }
            }
            node = self.child(span, node, side);
        }
        if !larger.is_none() {
            let (chunk, found) = self.smallest_in_trie(span, larger);
            if best.is_none_or(|(_, least)| found < least) {
                best = Some((chunk, found));
            }
        }
        best
    }

    fn smallest_in_trie(&self, span: Span, root: Offset) -> (Offset, Granules) {
        let mut best = (root, span.size_from(root));
        let mut node = root;
        loop {
            let left = self.child(span, node, 0);
            node = if left.is_none() {
                self.child(span, node, 1)
            } else {
                left
            };
            if node.is_none() {
                return best;
            }
            let size = span.size_from(node);
            if size < best.1 {
                best = (node, size);
            }
        }
    }

    /// A node's child: the smaller sizes for 0, the larger for 1.
    #[inline]
    pub fn child(&self, span: Span, node: Offset, side: u32) -> Offset {
        Offset(span.field(node, child_field(side)))
    }

    /// The first chunk of a bin.
    #[inline]
    pub fn head(&self, span: Span, bin: Bin) -> Offset {
        Offset(span.word(bin.0 as usize))
    }

    #[inline]
    fn set_head(&self, span: Span, bin: Bin, chunk: Offset) {
        span.set_word(bin.0 as usize, chunk.0);
    }

    #[inline]
    fn replace_head(&mut self, span: Span, bin: Bin, chunk: Offset) {
        self.set_head(span, bin, chunk);
        if chunk.is_none() {
            self.forget(span, bin);
        }
    }

    /// Where the chunk that was linked last is noted, for a ranged bin, while
    /// it is there.
    #[inline]
    fn recent_word(&self, bin: Bin) -> usize {
        let ranged = bin.0 - (1 << self.shape.linear_log2);
        (self.count + self.count.div_ceil(BITS) + ranged) as usize
    }

    #[inline]
    fn map_word(&self, bin: Bin) -> usize {
        (self.count + bin.0 / BITS) as usize
    }

    /// Notes that a bin is no longer empty.
    #[inline]
    fn note(&mut self, span: Span, bin: Bin) {
        let word = self.map_word(bin);
        span.set_word(word, span.word(word) | 1 << (bin.0 % BITS));
        self.summary |= 1 << (bin.0 / BITS);
    }

    /// Notes that a bin is empty.
    #[inline]
    fn forget(&mut self, span: Span, bin: Bin) {
        let word = self.map_word(bin);
        let bits = span.word(word) & !(1 << (bin.0 % BITS));
        span.set_word(word, bits);
        if bits == 0 {
            self.summary &= !(1 << (bin.0 / BITS));
        }
    }

    /// The first bin from `bin` on that is not empty.
    #[inline]
    fn first_from(&self, span: Span, bin: Bin) -> Option<Bin> {
        if bin.0 >= self.count {
            return None;
        }
        let bits = span.word(self.map_word(bin)) & (u32::MAX << (bin.0 % BITS));
        if bits != 0 {
            return Some(Bin(bin.0 / BITS * BITS + bits.trailing_zeros()));
        }
        let later = self.summary & (u32::MAX << (bin.0 / BITS) << 1);
        if later == 0 {
            return None;
        }
        let word = later.trailing_zeros();
        let bits = span.word((self.count + word) as usize);
        Some(Bin(word * BITS + bits.trailing_zeros()))
    }
}

#[inline]
fn log2(size: Granules) -> u32 {
    BITS - 1 - (size.0 | 1).leading_zeros()
}

#[inline]
fn child_field(side: u32) -> Field {
    if side == 0 { Field::Left } else { Field::Right }
}
