//! What allocators are best at: blocks of the same size, a few at a time.

use core::alloc::{GlobalAlloc, Layout};

use super::block::{Block, Filled};

/// How many blocks there are at once.
pub const BLOCKS: usize = 32;

/// Allocates some blocks and frees them, `rounds` times.
pub fn run(heap: &dyn GlobalAlloc, filled: Filled, rounds: usize) {
    for round in 0..rounds {
        let blocks: [Block; BLOCKS] = core::array::from_fn(|i| {
            let block = Block::new(heap, Layout::new::<[u64; 8]>(), (round + i) as u8, filled);
            block.expect("out of memory")
        });
        for block in blocks {
            block.free(heap);
        }
    }
}
