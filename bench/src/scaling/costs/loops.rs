//! The loops of the workload `threads`, where lists have what is asked for.

use std::hint::{black_box, spin_loop};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use anyhow::Result;
use fastrand::Rng;

use super::clock::Clock;
use super::turns;
use crate::hands::{Block, Hands};
use crate::scaling::load::{LARGEST, LARGEST_LARGE, LIVE, PASS, QUEUE, SENT};
use crate::stats::{interquartile_mean, median};
use crate::workload::crew;

/// Pairs until the lists have got to where they stay.
const WARM_UP: usize = 300_000;

type Blocks = Vec<Option<Block>>;

fn blocks(hands: Hands, rng: &mut Rng) -> Blocks {
    (0..LIVE)
        .map(|_| hands.alloc(rng.usize(1..=LARGEST), 8))
        .collect()
}

/// Frees a random block and allocates another, so often.
fn replace(hands: Hands, rng: &mut Rng, blocks: &mut Blocks, count: usize) {
    for _ in 0..count {
        let slot = &mut blocks[rng.usize(0..LIVE)];
        if let Some(block) = slot.take() {
            hands.free(block);
        }
        *slot = hands.alloc(rng.usize(1..=LARGEST), 8);
    }
}

/// Freeing a random block and allocating another.
pub fn pair(hands: Hands) -> f64 {
    const COUNT: usize = 100_000;
    let mut rng = Rng::with_seed(1);
    let mut blocks = blocks(hands, &mut rng);
    replace(hands, &mut rng, &mut blocks, WARM_UP);
    let samples: Vec<f64> = (0..15)
        .map(|_| {
            let begin = Instant::now();
            replace(hands, &mut rng, &mut blocks, COUNT);
            begin.elapsed().as_nanos() as f64 / COUNT as f64
        })
        .collect();
    median(&samples)
}

/// What goes by between two operations of two CPUs that both want one lock all the time.
pub fn contended(hands: Hands, cores: &[usize]) -> Result<f64> {
    const COUNT: usize = 200_000;
    let times = crew::run(cores, 2, |member, start| {
        let mut rng = Rng::with_seed(member as u64);
        let mut blocks = blocks(hands, &mut rng);
        start.wait();
        let begin = Instant::now();
        replace(hands, &mut rng, &mut blocks, COUNT);
        begin.elapsed().as_nanos() as f64 / (4 * COUNT) as f64
    })?;
    Ok(median(&times))
}

/// A pair where two CPUs exchange all their blocks again and again, while both are at it.
pub fn mixed_pair(hands: Hands, cores: &[usize]) -> Result<f64> {
    const PASSES: usize = 60;
    let mut rng = Rng::with_seed(1);
    let tables = [(); 2].map(|()| Mutex::new(blocks(hands, &mut rng)));
    let done = AtomicUsize::new(0);
    let samples = crew::run(cores, 2, |member, start| {
        let mut rng = Rng::with_seed(member as u64);
        let mut samples = Vec::new();
        start.wait();
        for pass in 0..PASSES {
            let table = &tables[(member + pass) % 2];
            let mut blocks = table.lock().unwrap_or_else(PoisonError::into_inner);
            let begin = Instant::now();
            replace(hands, &mut rng, &mut blocks, PASS as usize);
            samples.push(begin.elapsed().as_nanos() as f64 / f64::from(PASS));
            drop(blocks);
            // Nobody sleeps, as waking somebody takes long.
            done.fetch_add(1, Ordering::AcqRel);
            while done.load(Ordering::Acquire) < 2 * (pass + 1) {
                spin_loop();
            }
        }
        samples.split_off(PASSES / 2)
    })?;
    Ok(interquartile_mean(&samples.concat()))
}

/// Freeing and allocating what has no lists, each call timed.
pub fn heap(hands: Hands, clock: Clock) -> (f64, f64) {
    const LIVE: usize = 100;
    const COUNT: usize = 20_000;
    let mut rng = Rng::with_seed(1);
    let mut blocks: Vec<Option<Block>> = (0..LIVE).map(|_| None).collect();
    let (mut allocs, mut frees) = (Vec::new(), Vec::new());
    for _ in 0..COUNT {
        let slot = &mut blocks[rng.usize(0..LIVE)];
        if let Some(block) = slot.take() {
            frees.push(clock.time(|| hands.free(block)).0);
        }
        let size = rng.usize(4097..=LARGEST_LARGE);
        let (time, block) = clock.time(|| hands.alloc(size, 8));
        allocs.push(time);
        *slot = block;
    }
    (interquartile_mean(&allocs), interquartile_mean(&frees))
}

/// Freeing and allocating again what has no lists, but is kept, each call timed.
pub fn kept(hands: Hands, clock: Clock) -> (f64, f64) {
    const SIZES: usize = 4;
    const LIVE: usize = 100;
    const COUNT: usize = 20_000;
    let mut rng = Rng::with_seed(1);
    let size = |number| LARGEST_LARGE / (1 + number % SIZES) + 8;
    let mut blocks: Vec<_> = (0..LIVE)
        .map(|number| hands.alloc(size(number), 8))
        .collect();
    let (mut allocs, mut frees) = (Vec::new(), Vec::new());
    for _ in 0..COUNT {
        let number = rng.usize(0..LIVE);
        if let Some(block) = blocks[number].take() {
            frees.push(clock.time(|| hands.free(block)).0);
        }
        let (time, block) = clock.time(|| hands.alloc(size(number), 8));
        allocs.push(time);
        blocks[number] = block;
    }
    (interquartile_mean(&allocs), interquartile_mean(&frees))
}

/// Allocating a batch, and freeing it, for each block.
pub fn batches(hands: Hands, clock: Clock) -> (f64, f64) {
    const COUNT: usize = 20_000;
    let mut rng = Rng::with_seed(1);
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..COUNT {
        let (time, batch) = clock.time(|| batch(hands, &mut rng));
        times[0].push(time / SENT as f64);
        let (time, ()) = clock.time(|| batch.into_iter().for_each(|block| hands.free(block)));
        times[1].push(time / SENT as f64);
    }
    (interquartile_mean(&times[0]), interquartile_mean(&times[1]))
}

fn batch(hands: Hands, rng: &mut Rng) -> Vec<Block> {
    (0..SENT)
        .filter_map(|_| hands.alloc(rng.usize(1..=LARGEST), 8))
        .collect()
}

/// Freeing a batch that another CPU allocated, for each block. It always allocates the same, so that all are in its lists.
pub fn consume_foreign(hands: Hands, cores: &[usize], clock: Clock) -> Result<f64> {
    const TURNS: usize = 5_000;
    let same = || batch(hands, &mut Rng::with_seed(1));
    let state = (Vec::new(), Vec::new());
    let (_, samples) = turns::run(cores, TURNS, state, |member, (blocks, samples)| {
        let received = std::mem::take(blocks);
        let free = || received.into_iter().for_each(|block| hands.free(block));
        let (time, ()) = clock.time(free);
        *blocks = same();
        if member == 1 {
            samples.push(time / SENT as f64);
        }
    })?;
    Ok(interquartile_mean(&samples[samples.len() / 2..]))
}

/// Passing a batch on.
pub fn channel(cores: &[usize]) -> Result<f64> {
    const COUNT: usize = 20_000;
    let (sender, receiver) = sync_channel::<Vec<[usize; 3]>>(QUEUE);
    let (sender, receiver) = (Mutex::new(Some(sender)), Mutex::new(Some(receiver)));
    let times = crew::run(cores, 2, |member, start| {
        let sender = sender
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take_if(|_| member == 0);
        let receiver = receiver
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take_if(|_| member == 1);
        start.wait();
        let begin = Instant::now();
        if let Some(sender) = sender {
            for number in 0..COUNT {
                if sender.send(vec![[number; 3]; SENT]).is_err() {
                    break;
                }
            }
        }
        if let Some(receiver) = receiver {
            receiver.iter().for_each(|batch| drop(black_box(batch)));
        }
        begin.elapsed().as_nanos() as f64 / COUNT as f64
    })?;
    Ok(median(&times))
}
