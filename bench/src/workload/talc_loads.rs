//! The loads that talc measures itself with.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use fastrand::Rng;

use super::{Bench, Better, Effort, Measures, Metric, Plan, Workload, crew};
use crate::hands::{Block, Hands};

/// Operations per second on about 300 live blocks.
pub struct TalcLoads;

/// How full a heap is when an allocation fails in wild growth and shrinking.
pub struct HeapEfficiency;

const HEAP: usize = 128 << 20;
const LIVE: usize = 300;

/// One load. Its case is named after it.
#[derive(Clone, Copy)]
struct Load {
    largest: usize,
    realloc: bool,
    threads: usize,
}

impl Load {
    fn name(self) -> String {
        let verbs = if self.realloc { "" } else { ", no realloc" };
        let threads = if self.threads == 1 {
            String::new()
        } else {
            format!(", {} threads", self.threads)
        };
        format!("to {}{verbs}{threads}", self.largest)
    }

    fn all(effort: Effort) -> Vec<Self> {
        let (sizes, threads): (&[usize], &[usize]) = match effort {
            Effort::Smoke => (&[1000], &[2]),
            Effort::Usual => (&[200, 1000, 3000, 30000], &[1]),
            Effort::Full => (&[200, 1000, 3000, 10000, 30000], &[1, 2, 3, 4]),
        };
        let mut loads = Vec::new();
        for &threads in threads {
            for realloc in [true, false] {
                loads.extend(sizes.iter().map(|&largest| Self {
                    largest,
                    realloc,
                    threads,
                }));
            }
        }
        loads
    }
}

impl Workload for TalcLoads {
    fn name(&self) -> &'static str {
        "talc-loads"
    }

    fn about(&self) -> &'static str {
        "Random operations on about 300 live blocks, as talc measures itself: sizes of 4 to a random bound of at most the \
         case's, a seventh of the steps reallocates to at most three times as much. 128 MiB heap."
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
        Load::all(plan.effort).into_iter().map(Load::name).collect()
    }

    fn run(&self, bench: &Bench) -> Result<Measures> {
        let duration = match bench.plan.effort {
            Effort::Smoke => Duration::from_millis(10),
            Effort::Usual => Duration::from_millis(60),
            Effort::Full => Duration::from_millis(200),
        };
        let loads = Load::all(bench.plan.effort);
        let load = loads
            .into_iter()
            .find(|load| load.name() == bench.case)
            .context("no such case")?;
        bench.fresh(HEAP)?;
        let hands = bench.hands();
        let scores = crew::run(&bench.plan.cores, load.threads, |member, start| {
            let mut rng = Rng::with_seed(bench.plan.seed * 64 + member as u64);
            churn(hands, &mut rng, load, duration / 4);
            start.wait();
            churn(hands, &mut rng, load, duration)
        })?;
        Ok(Measures::from([(
            "throughput".to_owned(),
            scores.iter().sum(),
        )]))
    }
}

/// Steps for so long, in millions per second.
fn churn(hands: Hands, rng: &mut Rng, load: Load, duration: Duration) -> f64 {
    let mut blocks = Vec::with_capacity(4 * LIVE);
    let mut score = 0;
    let start = Instant::now();
    while start.elapsed() < duration {
        for _ in 0..100 {
            score += u32::from(step(hands, rng, load, &mut blocks));
        }
    }
    let time = start.elapsed();
    blocks.into_iter().for_each(|block| hands.free(block));
    f64::from(score) / 1e6 / time.as_secs_f64()
}

/// One random operation; whether it was done.
#[inline(always)]
fn step(hands: Hands, rng: &mut Rng, load: Load, blocks: &mut Vec<Block>) -> bool {
    let actions = if load.realloc { 7 } else { 6 };
    match rng.u8(0..actions) {
        6 if blocks.is_empty() => false,
        6 => {
            let chosen = rng.usize(0..blocks.len());
            hands.realloc(&mut blocks[chosen], rng.usize(1..load.largest * 3))
        }
        action if action < 3 || blocks.len() < LIVE => {
            let block = hands.alloc(size(rng, load.largest), align(rng));
            let done = block.is_some();
            blocks.extend(block);
            done
        }
        _ => {
            hands.free(blocks.swap_remove(rng.usize(0..blocks.len())));
            true
        }
    }
}

/// Small sizes more often than large ones.
fn size(rng: &mut Rng, largest: usize) -> usize {
    let bound = rng.usize(16..largest);
    rng.usize(4..bound)
}

/// Eight for three blocks of four, and each doubling for a quarter of the rest.
fn align(rng: &mut Rng) -> usize {
    8 << (rng.u16(..).trailing_zeros() / 2)
}

impl Workload for HeapEfficiency {
    fn name(&self) -> &'static str {
        "heap-efficiency"
    }

    fn about(&self) -> &'static str {
        "talc's measure of heap efficiency: the share of 128 MiB that lives when an operation fails, with sizes to 10000, \
         half of the steps an allocation, a tenth a free, the others a realloc to at most 100000."
    }

    fn metrics(&self) -> &'static [Metric] {
        const {
            &[Metric {
                name: "live / heap",
                unit: "%",
                better: Better::More,
                net: false,
            }]
        }
    }

    fn cases(&self, _plan: &Plan) -> Vec<String> {
        vec!["128 MiB".to_owned()]
    }

    fn needs_region(&self) -> bool {
        true
    }

    fn varies(&self) -> bool {
        false
    }

    /// The heap is emptied between the rounds, not reset, so that what one round spoils the next one has to bear.
    fn run(&self, bench: &Bench) -> Result<Measures> {
        let rounds = match bench.plan.effort {
            Effort::Smoke => 1,
            Effort::Usual => 10,
            Effort::Full => 300,
        };
        bench.fresh(HEAP)?;
        let mut rng = Rng::with_seed(bench.plan.seed);
        let mut live = 0;
        for _ in 0..rounds {
            let blocks = exhaust(bench.hands(), &mut rng);
            live += blocks.iter().map(Block::size).sum::<usize>();
            blocks
                .into_iter()
                .for_each(|block| bench.hands().free(block));
        }
        Ok(Measures::from([(
            "live / heap".to_owned(),
            live as f64 / (rounds * HEAP) as f64 * 100.0,
        )]))
    }
}

/// Steps until an operation fails.
fn exhaust(hands: Hands, rng: &mut Rng) -> Vec<Block> {
    const LARGEST: usize = 10_000;
    let mut blocks = Vec::new();
    loop {
        match rng.u8(0..10) {
            0..=4 => match hands.alloc(size(rng, LARGEST), align(rng)) {
                Some(block) => blocks.push(block),
                None => return blocks,
            },
            _ if blocks.is_empty() => {}
            5 => hands.free(blocks.swap_remove(rng.usize(0..blocks.len()))),
            _ => {
                let chosen = rng.usize(0..blocks.len());
                if !hands.realloc(&mut blocks[chosen], rng.usize(1..LARGEST * 10)) {
                    return blocks;
                }
            }
        }
    }
}
