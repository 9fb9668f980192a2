//! Blocks on their way from one CPU to another.

use core::alloc::GlobalAlloc;

use super::{block::Block, random::Random};
use crate::masking_lock::Mutex;

const PLACES: usize = 64;

/// Places for blocks that nobody has just now. A handler may use it too.
pub struct Pool([Mutex<Option<Block>>; PLACES]);

impl Pool {
    pub const fn new() -> Self {
        Self([const { Mutex::new(None) }; PLACES])
    }

    /// Puts a block, or none, into some place, for what was there.
    pub fn exchange(&self, random: &mut Random, block: Option<Block>) -> Option<Block> {
        let place = &self.0[random.below(PLACES)];
        core::mem::replace(&mut place.lock(), block)
    }

    /// Frees what is in the pool.
    pub fn free_all(&self, heap: &dyn GlobalAlloc) {
        for place in &self.0 {
            let block = place.lock().take();
            if let Some(block) = block {
                block.free(heap);
            }
        }
    }
}
