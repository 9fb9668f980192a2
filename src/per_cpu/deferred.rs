//! Blocks that were freed while the shared heap's lock was held by another.

use crate::{
    cache::Link,
    heap::chunk::Span,
    sync::{AtomicU32, Ordering},
    unit::{Granules, Offset},
};

/// A list that anybody can push to at any time, in any context (Treiber's
/// stack), and that is taken whole, so that no pop can mistake a block that
/// came back for one that never left.
#[derive(Debug)]
pub(super) struct Deferred {
    /// The place of the block that was pushed last.
    newest: AtomicU32,
}

/// Blocks that are linked, each with its size.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chain {
    first: Offset,
    last: Offset,
    last_size: Granules,
}

impl Chain {
    pub fn of_one(block: Offset, size: Granules) -> Self {
        Self {
            first: block,
            last: block,
            last_size: size,
        }
    }

    /// Adds a block before the first.
    pub fn and(self, span: Span, block: Offset, size: Granules) -> Self {
        span.set_link(block, Link::new(self.first, size).0);
        Self {
            first: block,
            ..self
        }
    }
}

impl Deferred {
    pub const fn empty() -> Self {
        Self {
            newest: AtomicU32::new(0),
        }
    }

    /// Adds blocks. Lock-free: another try means that another push, or a
    /// taking, succeeded.
    pub fn push(&self, span: Span, blocks: Chain) {
        let mut next = self.newest.load(Ordering::Relaxed);
        loop {
            span.set_link(blocks.last, Link::new(Offset(next), blocks.last_size).0);
            match self.newest.compare_exchange_weak(
                next,
                blocks.first.0,
                Ordering::Release,
                Ordering::Relaxed,
            ) {
                Ok(_) => return,
                Err(newer) => next = newer,
            }
        }
    }

    /// Whether there were no blocks a moment ago.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.newest.load(Ordering::Relaxed) == 0
    }

    /// Takes all blocks; they are linked.
    pub fn take_all(&self) -> Offset {
        if self.is_empty() {
            return Offset::NONE;
        }
        Offset(self.newest.swap(0, Ordering::Acquire))
    }
}
