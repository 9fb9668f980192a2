//! A block is resized where it is, if it shrinks or what comes after it is
//! free, wherever that is parked and whatever others do.

use std::sync::Arc;

use crate::{
    checker::{explore, thread},
    heap::{BLOCK, Block, Heap},
};

const TWICE: usize = 2 * BLOCK.size();
const HALF: usize = BLOCK.size() / 2;

/// A full heap of two blocks.
fn two_blocks() -> (Arc<Heap>, Block, Block) {
    let heap = Arc::new(<Heap>::with_room_for(2));
    let [block, after] = heap.take_all().try_into().unwrap();
    (heap, block, after)
}

/// A block grows while another thread gives back what comes after it.
fn grow_meanwhile(cpu: usize, cpu_of_other: usize) {
    let (heap, block, after) = two_blocks();
    let other = thread::spawn({
        let heap = Arc::clone(&heap);
        move || heap.give(cpu_of_other, after)
    });
    let kept = heap.give_resized(cpu, block, TWICE).err();
    other.join().unwrap();
    if let Some(block) = kept {
        heap.give_resized(cpu, block, TWICE).expect("no room");
    }
    heap.finish([]);
}

/// A block grows into what was given back before, while another thread has the
/// lock now and then.
fn grow_contended(cpu: usize, parked: Option<usize>) {
    let (heap, block, after) = two_blocks();
    heap.give(parked.unwrap_or(0), after);
    if parked.is_none() {
        heap.unpark_all();
    }
    resize_contended(&heap, cpu, block, TWICE);
    heap.finish([]);
}

/// A block shrinks, though the heap is full and another thread has the lock
/// now and then.
fn shrink_contended() {
    let (heap, block, after) = two_blocks();
    resize_contended(&heap, 0, block, HALF);
    heap.finish([after]);
}

fn resize_contended(heap: &Arc<Heap>, cpu: usize, block: Block, size: usize) {
    let other = thread::spawn({
        let heap = Arc::clone(heap);
        move || heap.unpark_all()
    });
    heap.give_resized(cpu, block, size)
        .expect("null, though there is room");
    other.join().unwrap();
}

#[test]
fn a_block_grows_when_its_neighbour_is_given_back() {
    for (cpu, cpu_of_other) in [(0, 0), (0, 1), (1, 0)] {
        explore(move || grow_meanwhile(cpu, cpu_of_other));
    }
}

#[test]
fn a_block_grows_while_another_has_the_lock() {
    for (cpu, parked) in [(0, None), (0, Some(0)), (0, Some(1)), (1, Some(0))] {
        explore(move || grow_contended(cpu, parked));
    }
}

#[test]
fn a_block_shrinks_while_another_has_the_lock() {
    explore(shrink_contended);
}
