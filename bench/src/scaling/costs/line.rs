//! Cache lines that travel between two cores, and the lock's.

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::Result;
use fastrand::Rng;
use good_memory_allocator::RawSpinLock;
use lock_api::Mutex;

use super::clock::Clock;
use super::turns;
use crate::machine::ticks::ticks;
use crate::stats::{interquartile_mean, median};
use crate::workload::crew;

/// A pair of lines, which may be fetched together.
#[derive(Clone, Copy, Default)]
#[repr(align(128))]
struct Lines<T>(T);

/// A swap of a line that nobody else has.
pub fn swap() -> f64 {
    const COUNT: usize = 1_000_000;
    let flag = AtomicBool::new(false);
    let begin = Instant::now();
    for _ in 0..COUNT {
        black_box(flag.swap(true, Ordering::Acquire));
    }
    begin.elapsed().as_nanos() as f64 / COUNT as f64
}

/// A load of a line that the other core wrote: one after the other, as each says where the next is.
pub fn transfer(cores: &[usize], clock: Clock) -> Result<f64> {
    const LENGTH: usize = 256;
    const TURNS: usize = 200;
    let mut order: Vec<usize> = (0..LENGTH).collect();
    Rng::with_seed(1).shuffle(&mut order);
    let mut ring = vec![Lines(0); LENGTH];
    for (position, &at) in order.iter().enumerate() {
        ring[at] = Lines(order[(position + 1) % LENGTH]);
    }
    let (_, samples) = turns::run(
        cores,
        TURNS,
        (ring, Vec::new()),
        |member, (ring, samples)| {
            if member == 0 {
                ring.iter_mut().for_each(|next| *next = black_box(*next));
                return;
            }
            let (time, _) = clock.time(|| black_box((0..LENGTH).fold(0, |at, _| ring[at].0)));
            samples.push(time / LENGTH as f64);
        },
    )?;
    Ok(interquartile_mean(&samples))
}

/// The time from one core's store until the other, which waits for it, has stored an answer.
pub fn ping_pong(cores: &[usize]) -> Result<f64> {
    const COUNT: usize = 200_000;
    let ball = Lines(AtomicUsize::new(0));
    let times = crew::run(cores, 2, |member, start| {
        start.wait();
        let begin = Instant::now();
        for round in 0..COUNT {
            while ball.0.load(Ordering::Acquire) != 2 * round + member {}
            ball.0.store(2 * round + member + 1, Ordering::Release);
        }
        begin.elapsed().as_nanos() as f64 / (2 * COUNT) as f64
    })?;
    Ok(median(&times))
}

/// Who holds the lock writes down when it gives it back.
#[derive(Default)]
struct Handed {
    by: usize,
    at: u64,
}

/// The time from a release of the allocator's lock to the entry of the one who waits.
pub fn hand_over(cores: &[usize], clock: Clock) -> Result<f64> {
    const COUNT: usize = 20_000;
    /// Long enough for the other to wait, and for it to get in.
    const PAUSE_NS: f64 = 1000.0;
    let lock: Lines<Mutex<RawSpinLock, Lines<Handed>>> = Lines::default();
    let samples = crew::run(cores, 2, |member, start| {
        let mut samples = Vec::new();
        start.wait();
        for _ in 0..COUNT {
            let mut handed = lock.0.lock();
            let entered = ticks();
            let waited = clock.between(handed.0.at, entered);
            // Nobody waits for longer at the beginning and at the end, when one is alone.
            if handed.0.by != member && waited < PAUSE_NS {
                samples.push(waited);
            }
            clock.idle(PAUSE_NS);
            handed.0 = Handed {
                by: member,
                at: ticks(),
            };
            drop(handed);
            clock.idle(PAUSE_NS / 2.0);
        }
        samples
    })?;
    Ok(interquartile_mean(&samples.concat()))
}
