//! What one CPU has put out others take, once, with what is in it, and it is
//! never in the way of a request.

use std::sync::Arc;

use crate::{
    checker::{explore, thread},
    cpu::wander_by,
    heap::{BLOCK, Block, CPUS, FULL, Heap},
};

/// Half of a list, which is put out when the list overflows.
const HALF: usize = FULL / 2;

/// A heap, all of whose blocks are held but for one half of a list that is out
/// of a CPU.
fn half_is_out(of: usize) -> (Arc<Heap>, Vec<Block>) {
    let heap = Arc::new(<Heap>::with_room_for(FULL + 1));
    for block in heap.take_all() {
        heap.give(of, block);
    }
    // What is in the list.
    let kept = (HALF..=FULL).map(|_| heap.take(of).unwrap()).collect();
    (heap, kept)
}

/// Threads on these CPUs take a block each, as many as are out, and may give
/// it back and take one again.
fn take(cpus: [usize; HALF], again: bool, wanders_by: usize) {
    let (heap, mut kept) = half_is_out(0);
    let threads = cpus.map(|cpu| {
        let heap = Arc::clone(&heap);
        thread::spawn(move || {
            wander_by(wanders_by);
            let mut block = heap.take(cpu).expect("null, though there is a block");
            if again {
                heap.give(cpu, block);
                block = heap.take(cpu).expect("null, though there is a block");
            }
            wander_by(0);
            block
        })
    });
    kept.extend(threads.map(|thread| thread.join().unwrap()));
    heap.finish(kept);
}

/// A thread takes what another CPU has put out, while one asks for something
/// else, for which that has to be taken back.
fn take_while_it_is_taken_back(cpu: usize) {
    let (heap, mut kept) = half_is_out(1);
    let other = thread::spawn({
        let heap = Arc::clone(&heap);
        move || heap.take(cpu).expect("null, though there is a block")
    });
    let can_take = heap.can_take(BLOCK.size() / 2);
    assert!(can_take, "null, though there is a block");
    kept.push(other.join().unwrap());
    heap.finish(kept);
}

/// A thread's list overflows, so that it puts out half of it, while another
/// takes two blocks, all that there are besides.
fn put_out_and_take(cpu: usize) {
    let heap = Arc::new(<Heap>::with_room_for(FULL + 1));
    let mut blocks = heap.take_all();
    let own = blocks.pop().unwrap();
    blocks.into_iter().for_each(|block| heap.give(0, block));
    let other = thread::spawn({
        let heap = Arc::clone(&heap);
        move || [0, 1].map(|_| heap.take(cpu).expect("null, though there is a block"))
    });
    heap.give(0, own);
    heap.finish(other.join().unwrap());
}

/// Two halves are put out, one on top of the other, while another thread takes
/// what is out: two blocks, of which the second was just given back.
fn put_out_twice_and_take() {
    let heap = Arc::new(<Heap>::with_room_for(FULL + 1 + HALF));
    let mut blocks = heap.take_all();
    let own = blocks.split_off(FULL - 1);
    blocks.into_iter().for_each(|block| heap.give(0, block));
    let other = thread::spawn({
        let heap = Arc::clone(&heap);
        move || [0, 1].map(|_| heap.take(1).expect("null, though there is a block"))
    });
    own.into_iter().for_each(|block| heap.give(0, block));
    heap.finish(other.join().unwrap());
}

#[test]
fn two_threads_take_what_is_out() {
    for cpus in [[0, 1], [1, 1], [1, 0]] {
        for wanders_by in [0, 1] {
            explore(move || take(cpus, false, wanders_by));
        }
    }
}

#[test]
fn two_threads_take_what_is_out_and_give_it_back() {
    for cpus in [[0, 1], [1, 1], [0, CPUS - 1]] {
        explore(move || take(cpus, true, 0));
    }
}

#[test]
fn what_is_out_is_taken_and_taken_back() {
    for cpu in [0, 1] {
        explore(move || take_while_it_is_taken_back(cpu));
    }
}

#[test]
fn a_thread_puts_out_what_another_takes() {
    for cpu in [0, 1] {
        explore(move || put_out_and_take(cpu));
    }
}

#[test]
fn a_thread_puts_out_more_while_another_takes() {
    explore(put_out_twice_and_take);
}
