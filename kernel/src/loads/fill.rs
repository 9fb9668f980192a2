//! Memory is used up, and all of it comes back.

use alloc::vec::Vec;
use core::{
    alloc::{GlobalAlloc, Layout},
    mem,
};

use super::{
    block::{Block, Filled},
    only_once,
};
use crate::{
    cpu::{self, CPUS},
    cpus::{self, meet},
    masking_lock::Mutex,
};

const SMALLEST: usize = 16;

/// How many blocks a CPU can have.
const BLOCKS: usize = 8192;

/// All CPUs allocate blocks of `largest` bytes, and shorter ones when there
/// are none, until there is nothing left of a heap of this capacity, and then
/// each frees what another one has allocated; all this twice, since only the
/// second time shows that everything came back. Gives back how many blocks the
/// CPU has had.
pub fn run(heap: &dyn GlobalAlloc, filled: Filled, capacity: usize, largest: usize) -> usize {
    static HOARDS: [Mutex<Vec<Block>>; CPUS] = [const { Mutex::new(Vec::new()) }; CPUS];
    let mut hoard = Vec::with_capacity(BLOCKS);
    let mut count = 0;
    for _ in 0..2 {
        take_all(heap, filled, largest, &mut hoard);
        count += hoard.len();
        mem::swap(&mut hoard, &mut HOARDS[cpu::index()].lock());
        only_once(|| {
            let bytes = HOARDS
                .iter()
                .map(|hoard| hoard.lock().iter().map(Block::size).sum::<usize>());
            let bytes: usize = bytes.sum();
            assert!(bytes > capacity / 10 * 9, "only {bytes} bytes were had");
            assert!(
                new(heap, filled, largest).is_none(),
                "{largest} bytes were left"
            );
        });
        let next = (cpu::index() + 1) % cpus::count();
        mem::swap(&mut hoard, &mut HOARDS[next].lock());
        for block in hoard.drain(..) {
            block.free(heap);
        }
        meet();
    }
    count
}

/// Allocates blocks that get smaller when no larger ones are left.
fn take_all(heap: &dyn GlobalAlloc, filled: Filled, largest: usize, hoard: &mut Vec<Block>) {
    let mut size = largest;
    while size >= SMALLEST {
        match new(heap, filled, size) {
            Some(block) => {
                assert!(hoard.len() < BLOCKS, "too many blocks");
                hoard.push(block);
            }
            None => size /= 2,
        }
    }
}

fn new(heap: &dyn GlobalAlloc, filled: Filled, size: usize) -> Option<Block> {
    let layout = Layout::from_size_align(size, 8).expect("the size is a heap's");
    Block::new(heap, layout, size as u8 ^ cpu::index() as u8, filled)
}
