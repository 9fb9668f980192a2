//! A request that there is room for is served, whatever else goes on.
//!
//! Each thread holds one block at most, and there is one for each.

use std::{alloc::Layout, sync::Arc};

use crate::{
    checker::{explore, thread},
    cpu::wander_by,
    heap::{BLOCK, Block, Heap, LARGE},
};

/// Where a thread's block is in the beginning.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    Held,
    ParkedBy(usize),
    Free,
}

/// Where blocks lie that stay.
#[derive(Clone, Copy, Debug)]
enum Kept {
    Nowhere,
    /// On either side of the threads' blocks: when these are free they are one
    /// run, and a cache may be filled with more than one.
    Around,
    /// Between any two, so that none coalesces.
    Between,
}

impl Kept {
    const ALL: [Self; 3] = [Self::Nowhere, Self::Around, Self::Between];

    /// How many there are beside so many others.
    fn count(self, others: usize) -> usize {
        match self {
            Self::Nowhere => 0,
            Self::Around => 2,
            Self::Between => others + 1,
        }
    }

    /// Whether such a block is one, in the order of their places.
    fn has(self, number: usize, blocks: usize) -> bool {
        match self {
            Self::Nowhere => false,
            Self::Around => number == 0 || number == blocks - 1,
            Self::Between => number % 2 == 0,
        }
    }
}

/// What a thread does: it takes a block or gives it back, in turns, on these
/// CPUs.
#[derive(Clone, Debug)]
struct Script {
    place: Place,
    cpus: Vec<usize>,
    /// By how many CPUs it goes on within its turns.
    wanders_by: usize,
}

/// Follows a script, and gives what the thread holds at the end.
fn follow(heap: &Heap, script: &Script, mut held: Option<Block>) -> Option<Block> {
    wander_by(script.wanders_by);
    for &cpu in &script.cpus {
        held = match held {
            Some(block) => {
                heap.give(cpu, block);
                None
            }
            None => Some(heap.take(cpu).expect("null, though there is a block")),
        };
    }
    wander_by(0);
    held
}

fn run(block: Layout, scripts: &[Script], kept_blocks: Kept) {
    let room = scripts.len() + kept_blocks.count(scripts.len());
    let heap = Arc::new(<Heap>::with_room_for_kind(block, room));
    let (mut own, mut kept) = (Vec::new(), Vec::new());
    for (number, block) in heap.take_all().into_iter().enumerate() {
        if kept_blocks.has(number, room) {
            kept.push(block);
        } else {
            own.push(Some(block));
        }
    }
    // First the free ones: to have them unparked unparks all.
    for (script, block) in scripts.iter().zip(&mut own) {
        if script.place == Place::Free {
            heap.give(0, block.take().unwrap());
        }
    }
    heap.unpark_all();
    for (script, block) in scripts.iter().zip(&mut own) {
        if let Place::ParkedBy(cpu) = script.place {
            heap.give(cpu, block.take().unwrap());
        }
    }
    let threads: Vec<_> = scripts
        .iter()
        .zip(own)
        .map(|(script, block)| {
            let (heap, script) = (Arc::clone(&heap), script.clone());
            thread::spawn(move || follow(&heap, &script, block))
        })
        .collect();
    for thread in threads {
        kept.extend(thread.join().unwrap());
    }
    heap.finish(kept);
}

/// Two threads, two caches: all there is to do in two steps each.
#[cfg(feature = "loom")]
#[test]
fn whatever_two_threads_do_in_two_steps() {
    let mut scripts = Vec::new();
    for place in [
        Place::Held,
        Place::Free,
        Place::ParkedBy(0),
        Place::ParkedBy(1),
    ] {
        for (cpus, wanders_by) in [
            ([0, 0], 0),
            ([0, 1], 0),
            ([1, 0], 0),
            ([1, 1], 0),
            ([0, 0], 1),
            ([1, 1], 1),
        ] {
            let cpus = cpus.to_vec();
            scripts.push(Script {
                place,
                cpus,
                wanders_by,
            });
        }
    }
    for (number, one) in scripts.iter().enumerate() {
        for other in &scripts[number..] {
            for kept in Kept::ALL {
                for block in [BLOCK, LARGE] {
                    let pair = [one.clone(), other.clone()];
                    explore(move || run(block, &pair, kept));
                }
            }
        }
    }
}

/// A thread gives its block back on one CPU and takes another's on the next,
/// while one looks for a block from cache to cache. Loom runs the like, but does
/// not see that the two meet in a list.
#[cfg(feature = "shuttle")]
#[test]
fn a_block_is_given_back_where_another_has_looked() {
    let giver = Script {
        place: Place::Held,
        cpus: vec![0, 1],
        wanders_by: 0,
    };
    let seeker = Script {
        place: Place::ParkedBy(1),
        cpus: vec![0],
        wanders_by: 0,
    };
    for block in [BLOCK, LARGE] {
        let pair = [giver.clone(), seeker.clone()];
        explore(move || run(block, &pair, Kept::Nowhere));
    }
}

/// Three threads, three caches: anything.
#[cfg(feature = "shuttle")]
#[test]
fn whatever_three_threads_do() {
    use shuttle::rand::{Rng, thread_rng};

    use crate::heap::CPUS;

    let script = || {
        let mut random = thread_rng();
        Script {
            place: match random.gen_range(0..3) {
                0 => Place::Held,
                1 => Place::Free,
                _ => Place::ParkedBy(random.gen_range(0..CPUS)),
            },
            cpus: (0..6).map(|_| random.gen_range(0..CPUS)).collect(),
            wanders_by: random.gen_range(0..2),
        }
    };
    let kept = || Kept::ALL[thread_rng().gen_range(0..Kept::ALL.len())];
    for block in [BLOCK, LARGE] {
        explore(move || run(block, &[script(), script(), script()], kept()));
    }
}
