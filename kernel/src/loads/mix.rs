//! Random operations on blocks of all sizes.

use core::alloc::GlobalAlloc;

use super::{
    block::{Block, Filled},
    pool::Pool,
    random::Random,
};
use crate::cpu;

/// How many blocks a CPU has at most.
const BLOCKS: usize = 512;

/// Allocates, resizes and frees blocks, `steps` times. Some it hands to other
/// CPUs by the pool, and frees theirs.
pub fn run(heap: &dyn GlobalAlloc, pool: &Pool, filled: Filled, steps: usize) {
    assert!(!cpu::in_handler());
    let mut random = Random::new(cpu::index());
    let mut blocks = [const { None }; BLOCKS];
    for _ in 0..steps {
        let place = &mut blocks[random.below(BLOCKS)];
        match place.take() {
            None => *place = Some(new(heap, filled, &mut random)),
            Some(mut block) => match random.below(4) {
                0 => {
                    assert!(block.resize(heap, random.size()), "out of memory");
                    *place = Some(block);
                }
                1 => *place = pool.exchange(&mut random, Some(block)),
                _ => block.free(heap),
            },
        }
    }
    for block in blocks.into_iter().flatten() {
        block.free(heap);
    }
}

fn new(heap: &dyn GlobalAlloc, filled: Filled, random: &mut Random) -> Block {
    let layout = random.layout();
    let block = if random.below(8) == 0 {
        Block::zeroed(heap, layout, filled)
    } else {
        Block::new(heap, layout, random.below(256) as u8, filled)
    };
    block.expect("out of memory")
}
