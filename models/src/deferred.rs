//! Freed blocks come back, though the heap's lock is held by another.

use std::sync::Arc;

use crate::{
    checker::{explore, thread},
    heap::{CPUS, FULL, Heap, PARKED},
};

/// What is deferred at once: a block, and half of the list that it does not fit
/// into.
const DEFERRED: usize = 1 + FULL / 2;

/// Threads that give back so many blocks each.
fn run(threads: usize, each: usize) {
    let heap = Arc::new(<Heap>::with_room_for(threads * each));
    let mut blocks = heap.take_all();
    let threads: Vec<_> = (0..threads)
        .map(|number| {
            let (heap, own) = (Arc::clone(&heap), blocks.split_off(blocks.len() - each));
            thread::spawn(move || own.into_iter().for_each(|block| heap.give(number, block)))
        })
        .collect();
    threads
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
    heap.finish([]);
}

#[test]
fn two_threads_give_back_two_blocks_each() {
    explore(|| run(2, 2));
}

#[test]
fn three_threads_give_back_a_block_each() {
    explore(|| run(3, 1));
}

/// A CPU's list is full, and as much is out, so that it does not park a block
/// which it gives back while another thread has the lock. That thread takes what
/// is out, then the free block, for which it has the lock, and then what was
/// deferred, and shares nothing else with the first.
#[test]
fn another_thread_takes_over_a_block() {
    explore(|| {
        let heap = Arc::new(<Heap>::with_room_for(PARKED + 2));
        let mut blocks = heap.take_all();
        let [free, block] = [0, 1].map(|_| blocks.pop().unwrap());
        heap.give(0, free);
        heap.unpark_all();
        blocks.into_iter().for_each(|block| heap.give(1, block));
        let other = thread::spawn({
            let heap = Arc::clone(&heap);
            move || {
                [(); FULL + 1 + DEFERRED]
                    .map(|()| heap.take(0).expect("null, though there is a block"))
            }
        });
        heap.give(1, block);
        heap.finish(other.join().unwrap());
    });
}

/// Each cache's list is full, as much is out, and it overflows while another thread has the lock
/// now and then: half of a list is deferred at once.
#[test]
fn lists_overflow() {
    explore(|| {
        let heap = Arc::new(<Heap>::with_room_for(CPUS * (PARKED + 1)));
        let mut blocks = heap.take_all();
        for cpu in 0..CPUS {
            let parked = blocks.split_off(blocks.len() - PARKED);
            parked.into_iter().for_each(|block| heap.give(cpu, block));
        }
        let threads: Vec<_> = blocks
            .into_iter()
            .enumerate()
            .map(|(cpu, block)| {
                let heap = Arc::clone(&heap);
                thread::spawn(move || heap.give(cpu, block))
            })
            .collect();
        heap.unpark_all();
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
        heap.finish([]);
    });
}
