//! The shadow: what an allocator's blocks must be, kept beside it.
//!
//! It knows every live block's place and content, so it knows the gaps too,
//! and that is what makes it exact. A block is right if it lies in a gap. A
//! refusal is right if no gap holds the request, because everything that is
//! not live is free, and two free neighbours are one.

use std::{alloc::Layout, collections::BTreeMap, ops::Range};

use super::{Block, GRANULE, Op, Subject, Verdict, ensure, footprint, layout, pattern};

/// Up to this capacity everything is examined after every operation.
const SMALL: usize = 16 << 10;

/// From one size of up to this to another, a block may move to a parked one.
const CHEAPLY_COPIED: usize = 1024;

/// Does operations with an allocator that has no blocks yet and can have them
/// in `space`, and in the end frees everything.
pub fn follow(subject: &mut dyn Subject, space: Range<usize>, ops: &[Op]) -> Verdict {
    let mut shadow = Shadow::new(space);
    for &op in ops {
        shadow.step(subject, op)?;
        if shadow.capacity() <= SMALL {
            shadow.examine(subject)?;
        }
    }
    shadow.examine(subject)?;
    shadow.finish(subject)
}

/// What the blocks of an allocator must be.
#[derive(Clone)]
pub struct Shadow {
    space: Range<usize>,
    blocks: Vec<Block>,
    /// The end of every live block's footprint, by its start.
    taken: BTreeMap<usize, usize>,
    live: usize,
    tags: u32,
    /// Whether what would fit may be refused.
    bounded: bool,
}

impl Shadow {
    /// The shadow of an allocator that has no blocks yet, and can have them
    /// in this space.
    pub fn new(space: Range<usize>) -> Self {
        Self {
            space,
            blocks: Vec::new(),
            taken: BTreeMap::new(),
            live: 0,
            tags: 0,
            bounded: false,
        }
    }

    /// As [`new`](Self::new), of a bounded allocator: it may refuse what would
    /// fit.
    pub fn of_bounded(space: Range<usize>) -> Self {
        Self {
            bounded: true,
            ..Self::new(space)
        }
    }

    /// The bytes that blocks can have.
    pub fn capacity(&self) -> usize {
        self.space.len()
    }

    /// How many blocks are live.
    pub fn blocks(&self) -> usize {
        self.blocks.len()
    }

    /// A live block.
    pub fn block(&self, index: usize) -> Block {
        self.blocks[index]
    }

    /// Does an operation, and judges what came of it.
    pub fn step(&mut self, subject: &mut dyn Subject, op: Op) -> Verdict {
        match op {
            Op::Alloc(layout) => self.alloc(subject, layout, false),
            Op::AllocZeroed(layout) => self.alloc(subject, layout, true),
            Op::Realloc { .. } | Op::Dealloc { .. } if self.blocks.is_empty() => Ok(()),
            Op::Realloc { block, size } => self.realloc(subject, block % self.blocks.len(), size),
            Op::Dealloc { block } => self.dealloc(subject, block % self.blocks.len()),
        }
    }

    /// Judges everything that can be seen without an operation: contents,
    /// the allocator's own invariants, and its account of itself.
    pub fn examine(&self, subject: &dyn Subject) -> Verdict {
        subject.check()?;
        for block in &self.blocks {
            ensure!(block.is_intact(), "the content of {block:?} changed");
        }
        let stats = subject.stats();
        ensure!(
            stats.capacity == self.capacity(),
            "{stats:?}, but blocks could have {} bytes",
            self.capacity()
        );
        ensure!(
            stats.live == self.live,
            "{stats:?}, but {} bytes are live",
            self.live
        );
        ensure!(
            stats.live + stats.parked + stats.free == stats.capacity,
            "{stats:?} do not add up"
        );
        let largest = self.gaps().map(|gap| gap.len()).max().unwrap_or(0);
        ensure!(
            stats.largest_free <= largest,
            "{stats:?}, but the largest gap has {largest} bytes"
        );
        ensure!(
            stats.largest_free == largest || stats.parked > 0,
            "{stats:?}, but nothing is parked and the largest gap has {largest} bytes"
        );
        Ok(())
    }

    /// Takes over a block that somebody else got from the allocator, and
    /// judges it.
    pub fn adopt(&mut self, block: Block) -> Verdict {
        self.judge_place(block.at, block.layout)?;
        ensure!(block.is_intact(), "the content of {block:?} changed");
        self.count(block);
        Ok(())
    }

    /// Frees every block, after which the whole space must be one again.
    pub fn finish(&mut self, subject: &mut dyn Subject) -> Verdict {
        while let Some(last) = self.blocks.len().checked_sub(1) {
            self.dealloc(subject, last)?;
        }
        self.examine(subject)?;
        let whole = layout(self.capacity(), GRANULE);
        self.alloc(subject, whole, false)?;
        // Every refusal of a bounded allocator gives back some of what is
        // parked.
        while self.bounded && self.blocks.is_empty() && subject.stats().parked > 0 {
            self.alloc(subject, whole, false)?;
        }
        ensure!(
            self.live == self.capacity(),
            "the largest block is not the whole space"
        );
        self.examine(subject)?;
        self.dealloc(subject, 0)?;
        self.examine(subject)
    }

    fn alloc(&mut self, subject: &mut dyn Subject, layout: Layout, zeroed: bool) -> Verdict {
        // SAFETY: an allocation needs none.
        let at = unsafe {
            if zeroed {
                subject.alloc_zeroed(layout)
            } else {
                subject.alloc(layout)
            }
        };
        if at.is_null() {
            return self.judge_refusal(layout);
        }
        self.judge_place(at, layout)?;
        if zeroed {
            // SAFETY: the block is in the space, overlaps no other, and is
            // said to be written with zeros.
            let zero = unsafe { pattern::is_zero(at, layout.size()) };
            ensure!(zero, "{layout:?} at {at:p} is not zeroed");
        }
        self.insert(at, layout);
        Ok(())
    }

    fn dealloc(&mut self, subject: &mut dyn Subject, index: usize) -> Verdict {
        let block = self.remove(index);
        ensure!(block.is_intact(), "the content of {block:?} changed");
        // SAFETY: the block is live, and from now on forgotten.
        unsafe { subject.dealloc(block.at, block.layout) };
        Ok(())
    }

    fn realloc(&mut self, subject: &mut dyn Subject, index: usize, size: usize) -> Verdict {
        let old = self.blocks[index];
        let Ok(layout) = Layout::from_size_align(size, old.layout.align()) else {
            return Ok(());
        };
        let stays_or_shrinks = footprint(size) <= footprint(old.layout.size());
        let grows_in_place = self.room_at(&old) >= footprint(size);
        let stays = footprint(size) == footprint(old.layout.size());
        let must_stay = stays
            || (stays_or_shrinks && old.layout.size() > CHEAPLY_COPIED)
            || ((stays_or_shrinks || grows_in_place) && subject.stats().parked == 0);
        // SAFETY: the block is live, and has moved if it is not null.
        let at = unsafe { subject.realloc(old.at, old.layout, size) };
        if at.is_null() {
            ensure!(
                !stays_or_shrinks,
                "{old:?} could not shrink to {size} bytes"
            );
            ensure!(
                !grows_in_place || self.bounded,
                "false out-of-memory: {old:?} could grow to {size} bytes where it is"
            );
            if let Some(gap) = self.gap_for(layout) {
                return Err(format!(
                    "false out-of-memory: {old:?} could grow to {size} bytes at {gap:#x}"
                ));
            }
            ensure!(
                old.is_intact(),
                "a realloc that failed changed the content of {old:?}"
            );
            return Ok(());
        }
        ensure!(
            at == old.at || !must_stay,
            "{old:?} moved although it could change to {size} bytes where it is"
        );
        self.remove(index);
        self.judge_place(at, layout)?;
        let moved = old.moved(at, size);
        ensure!(
            moved.begins_intact(size.min(old.layout.size())),
            "the content of {old:?} was lost on its way to {moved:?}"
        );
        self.insert(at, layout);
        Ok(())
    }

    /// Judges whether it was right to refuse this layout.
    pub fn judge_refusal(&self, layout: Layout) -> Verdict {
        match self.gap_for(layout) {
            None => Ok(()),
            Some(gap) => Err(format!("false out-of-memory: {layout:?} fits at {gap:#x}")),
        }
    }

    /// Judges whether a block may be where it is.
    fn judge_place(&self, at: *mut u8, layout: Layout) -> Verdict {
        let start = at.addr();
        ensure!(
            start % layout.align() == 0,
            "{layout:?} at {at:p} is not aligned"
        );
        ensure!(
            start % GRANULE == 0,
            "{layout:?} at {at:p} is not aligned to a granule"
        );
        ensure!(
            start >= self.space.start && start <= self.space.end,
            "{layout:?} at {at:p} is not in {:#x?}",
            self.space
        );
        ensure!(
            footprint(layout.size()) <= self.space.end - start,
            "{layout:?} at {at:p} is not in {:#x?}",
            self.space
        );
        let end = start + footprint(layout.size());
        if let Some((&other, &other_end)) = self.taken.range(..end).next_back() {
            ensure!(
                other_end <= start,
                "{layout:?} at {at:p} overlaps the block from {other:#x} to {other_end:#x}"
            );
        }
        Ok(())
    }

    /// Fills a block that was judged, and counts it among the live ones.
    fn insert(&mut self, at: *mut u8, layout: Layout) {
        self.tags += 1;
        // SAFETY: the block is in the space and overlaps no other.
        let block = unsafe { Block::fill(at, layout, self.tags) };
        self.count(block);
    }

    fn count(&mut self, block: Block) {
        let Range { start, end } = block.footprint();
        self.taken.insert(start, end);
        self.live += end - start;
        self.blocks.push(block);
    }

    /// Forgets a block, which is the caller's from now on.
    pub fn remove(&mut self, index: usize) -> Block {
        let block = self.blocks.swap_remove(index);
        let footprint = block.footprint();
        self.taken.remove(&footprint.start);
        self.live -= footprint.len();
        block
    }

    /// The runs of bytes that no live block has.
    fn gaps(&self) -> impl Iterator<Item = Range<usize>> {
        let starts = std::iter::once(&self.space.start).chain(self.taken.values());
        let ends = self.taken.keys().chain(std::iter::once(&self.space.end));
        starts.zip(ends).map(|(&start, &end)| start..end)
    }

    /// An address at which a block of this layout would lie in a gap, and
    /// must have been had there.
    fn gap_for(&self, layout: Layout) -> Option<usize> {
        let size = footprint(layout.size());
        if self.bounded || size > self.capacity() - self.live {
            return None;
        }
        self.gaps().find_map(|gap| {
            let start = gap.start.checked_next_multiple_of(layout.align())?;
            (start.checked_add(size)? <= gap.end).then_some(start)
        })
    }

    /// The bytes from a block's start to the next block's.
    fn room_at(&self, block: &Block) -> usize {
        let Range { start, end } = block.footprint();
        let next = self.taken.range(end..).next();
        next.map_or(self.space.end, |(&next, _)| next) - start
    }
}
