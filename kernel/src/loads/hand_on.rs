//! Every block is freed by another CPU than the one that allocated it, if
//! there are several.

use core::alloc::GlobalAlloc;

use super::{
    block::{Block, Filled},
    pool::Pool,
    random::Random,
};
use crate::cpu;

/// Allocates `steps` small blocks and puts them into the pool, and frees what
/// others put there.
pub fn run(heap: &dyn GlobalAlloc, pool: &Pool, filled: Filled, steps: usize) {
    let mut random = Random::new(cpu::index());
    for step in 0..steps {
        let layout = core::alloc::Layout::new::<[u64; 16]>();
        let block = Block::new(heap, layout, step as u8, filled);
        let block = Some(block.expect("out of memory"));
        if let Some(other) = pool.exchange(&mut random, block) {
            other.free(heap);
        }
    }
}
