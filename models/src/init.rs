//! A heap may be given its memory while threads ask for some already.

use std::{iter, sync::Arc};

use crate::{
    checker::{explore, thread},
    heap::{Block, CPUS, FULL, Heap},
};

/// A thread asks for a block while another asks in vain, gives the heap its
/// memory, takes all blocks and gives them back, of which half a list is put
/// out.
fn init_while_another_takes(cpu: usize, given_on: usize) {
    let heap = Arc::new(<Heap>::to_be_given_room_for(FULL + 1));
    // Loom wants every atomic to be used before threads share it.
    for cpu in 0..CPUS {
        assert!(heap.take(cpu).is_none(), "a block of no memory");
    }
    let other = thread::spawn({
        let heap = Arc::clone(&heap);
        move || heap.take(cpu)
    });
    let none = heap.take(0);
    assert!(none.is_none(), "a block of no memory");
    heap.init();
    // Null would come after a wait for the other's cache only.
    let blocks = iter::from_fn(|| heap.take(0)).take(FULL + 1);
    let blocks: Vec<Block> = blocks.collect();
    for block in blocks {
        heap.give(given_on, block);
    }
    heap.finish(other.join().unwrap());
}

#[test]
fn a_heap_is_given_memory_while_a_thread_asks_for_some() {
    for (cpu, given_on) in [(0, 1), (1, 0)] {
        explore(move || init_while_another_takes(cpu, given_on));
    }
}
