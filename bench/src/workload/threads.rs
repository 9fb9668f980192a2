//! Several threads on one allocator.

use std::mem;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context, Result};
use fastrand::Rng;

use super::{Bench, Better, Effort, Measures, Metric, Plan, Workload, crew};
use crate::hands::{Block, Hands};

pub struct Threads;

const HEAP: usize = 512 << 20;
/// Blocks that each thread has at a time.
const LIVE: usize = 1000;
const LARGEST: usize = 512;

#[derive(Clone, Copy)]
enum Pattern {
    /// Every thread allocates and frees its own blocks.
    Private,
    /// Every thread replaces random blocks, and all of them pass to the next thread now and then.
    Larson,
    /// Half of the threads allocate, the others free.
    Pipeline,
    /// Every thread writes again and again to one small block, the first of which it allocated itself, or another did.
    SmallWrites { given: bool },
}

const PATTERNS: [(&str, Pattern); 5] = [
    ("private", Pattern::Private),
    ("larson", Pattern::Larson),
    ("producer to consumer", Pattern::Pipeline),
    ("small writes", Pattern::SmallWrites { given: false }),
    (
        "small writes to given blocks",
        Pattern::SmallWrites { given: true },
    ),
];

impl Workload for Threads {
    fn name(&self) -> &'static str {
        "threads"
    }

    fn about(&self) -> &'static str {
        "Blocks of 1 to 512 bytes, 1000 live per thread: private ones; ones that pass from thread to thread (larson); ones \
         that one thread allocates and another frees. Allocations and frees of all threads per second. Small writes: each thread \
         writes a hundred times to a block of 8 bytes and gets another, the first of which is its own or was given to it; it \
         shows whether threads get blocks of one cache line. Writes per second."
    }

    fn metrics(&self) -> &'static [Metric] {
        const {
            &[Metric {
                name: "throughput",
                unit: "Mops/s",
                better: Better::More,
                net: false,
            }]
        }
    }

    fn cases(&self, plan: &Plan) -> Vec<String> {
        let most = if plan.effort == Effort::Full {
            plan.cores.len().max(4)
        } else {
            plan.cores.len().max(2)
        };
        let counts: Vec<usize> = [1, 2, 4, 8, 16, 32]
            .into_iter()
            .filter(|&count| count <= most)
            .collect();
        let of = |(name, pattern)| {
            let counts = counts
                .iter()
                .filter(move |&&count| count > 1 || !matches!(pattern, Pattern::Pipeline));
            counts.map(move |count| format!("{name}, {count}"))
        };
        PATTERNS.into_iter().flat_map(of).collect()
    }

    fn run(&self, bench: &Bench) -> Result<Measures> {
        let (name, threads) = bench.case.split_once(", ").context("no such case")?;
        let (_, pattern) = PATTERNS
            .into_iter()
            .find(|(found, _)| *found == name)
            .context("no such case")?;
        let threads: usize = threads.parse()?;
        let count = match bench.plan.effort {
            Effort::Smoke => 20_000,
            Effort::Usual => 500_000,
            Effort::Full => 3_000_000,
        };
        bench.fresh(HEAP)?;
        let team = Team {
            hands: bench.hands(),
            seed: bench.plan.seed,
            count,
        };
        let speed = match pattern {
            Pattern::Private => team.private(&bench.plan.cores, threads)?,
            Pattern::Larson => team.larson(&bench.plan.cores, threads)?,
            Pattern::Pipeline => team.pipeline(&bench.plan.cores, threads)?,
            Pattern::SmallWrites { given } => {
                team.small_writes(&bench.plan.cores, threads, given)?
            }
        };
        Ok(Measures::from([("throughput".to_owned(), speed)]))
    }
}

#[derive(Clone, Copy)]
struct Team {
    hands: Hands,
    seed: u64,
    /// Blocks that each thread allocates.
    count: usize,
}

impl Team {
    fn rng(self, member: usize) -> Rng {
        Rng::with_seed(self.seed * 64 + member as u64)
    }

    fn blocks(self, rng: &mut Rng) -> Vec<Option<Block>> {
        (0..LIVE)
            .map(|_| self.hands.alloc(rng.usize(1..=LARGEST), 8))
            .collect()
    }

    /// Frees a random block and allocates another in its place, so often.
    fn replace(self, rng: &mut Rng, blocks: &mut [Option<Block>], count: usize) {
        for _ in 0..count {
            let slot = &mut blocks[rng.usize(0..LIVE)];
            if let Some(block) = slot.take() {
                self.hands.free(block);
            }
            *slot = self.hands.alloc(rng.usize(1..=LARGEST), 8);
        }
    }

    fn release(self, blocks: Vec<Option<Block>>) {
        blocks
            .into_iter()
            .flatten()
            .for_each(|block| self.hands.free(block));
    }

    fn private(self, cores: &[usize], threads: usize) -> Result<f64> {
        let speeds = crew::run(cores, threads, |member, start| {
            let mut rng = self.rng(member);
            let mut blocks = self.blocks(&mut rng);
            start.wait();
            let begin = Instant::now();
            self.replace(&mut rng, &mut blocks, self.count);
            let speed = mops(2 * self.count, begin);
            self.release(blocks);
            speed
        })?;
        Ok(speeds.iter().sum())
    }

    fn larson(self, cores: &[usize], threads: usize) -> Result<f64> {
        const PASSES: usize = 50;
        let table: Vec<Mutex<Vec<Option<Block>>>> = (0..threads)
            .map(|member| Mutex::new(self.blocks(&mut self.rng(member))))
            .collect();
        let speeds = crew::run(cores, threads, |member, start| {
            let mut rng = self.rng(threads + member);
            start.wait();
            let begin = Instant::now();
            for pass in 0..PASSES {
                let place = &table[(member + pass) % threads];
                let mut blocks = place.lock().unwrap_or_else(PoisonError::into_inner);
                self.replace(&mut rng, &mut blocks, self.count / PASSES);
            }
            mops(2 * self.count, begin)
        })?;
        for place in table {
            self.release(place.into_inner().unwrap_or_else(PoisonError::into_inner));
        }
        Ok(speeds.iter().sum())
    }

    fn small_writes(self, cores: &[usize], threads: usize, given: bool) -> Result<f64> {
        const SIZE: usize = 8;
        const WRITES: usize = 100;
        let first: Vec<Mutex<Option<Block>>> = (0..threads)
            .map(|_| {
                Mutex::new(if given {
                    self.hands.alloc(SIZE, 8)
                } else {
                    None
                })
            })
            .collect();
        let rounds = self.count / 10;
        let speeds = crew::run(cores, threads, |member, start| {
            let mut block =
                mem::take(&mut *first[member].lock().unwrap_or_else(PoisonError::into_inner));
            if block.is_none() {
                block = self.hands.alloc(SIZE, 8);
            }
            start.wait();
            let begin = Instant::now();
            for _ in 0..rounds {
                if let Some(block) = &mut block {
                    (0..WRITES).for_each(|_| block.write());
                }
                block
                    .take()
                    .into_iter()
                    .for_each(|block| self.hands.free(block));
                block = self.hands.alloc(SIZE, 8);
            }
            let speed = mops(rounds * WRITES, begin);
            self.release(vec![block]);
            speed
        })?;
        Ok(speeds.iter().sum())
    }

    /// Each pair of threads has a channel for batches of blocks.
    fn pipeline(self, cores: &[usize], threads: usize) -> Result<f64> {
        let (senders, receivers): (Vec<_>, Vec<_>) = (0..threads / 2)
            .map(|_| {
                let (sender, receiver) = sync_channel(16);
                (Mutex::new(Some(sender)), Mutex::new(Some(receiver)))
            })
            .unzip();
        let take = |ends: &Mutex<Option<_>>| {
            mem::take(&mut *ends.lock().unwrap_or_else(PoisonError::into_inner))
        };
        let speeds = crew::run(cores, threads, |member, start| {
            let sender = (member % 2 == 0)
                .then(|| take(&senders[member / 2]))
                .flatten();
            let receiver = receivers[member / 2]
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take_if(|_| member % 2 == 1);
            start.wait();
            let begin = Instant::now();
            if let Some(sender) = sender {
                self.produce(&mut self.rng(member), &sender);
            }
            if let Some(receiver) = receiver {
                self.consume(&receiver);
            }
            mops(self.count, begin)
        })?;
        Ok(speeds.iter().sum())
    }

    fn produce(self, rng: &mut Rng, sender: &SyncSender<Vec<Block>>) {
        const BATCH: usize = 64;
        for _ in 0..self.count / BATCH {
            let batch = (0..BATCH)
                .filter_map(|_| self.hands.alloc(rng.usize(1..=LARGEST), 8))
                .collect();
            if sender.send(batch).is_err() {
                return;
            }
        }
    }

    fn consume(self, receiver: &Receiver<Vec<Block>>) {
        receiver
            .iter()
            .flatten()
            .for_each(|block| self.hands.free(block));
    }
}

/// Millions of operations per second since `begin`.
fn mops(count: usize, begin: Instant) -> f64 {
    count as f64 / 1e6 / begin.elapsed().as_secs_f64()
}
