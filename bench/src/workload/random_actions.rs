//! The 2022 crate's own benchmark: as many random operations as possible in a given time.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use fastrand::Rng;

use super::{Bench, Better, Effort, Measures, Metric, Plan, Plot, Workload, durations};
use crate::hands::{Block, Hands};

pub struct RandomActions;

const HEAP: usize = 256 << 20;

impl Workload for RandomActions {
    fn name(&self) -> &'static str {
        "random-actions"
    }

    fn about(&self) -> &'static str {
        "Operations in a given time: each step allocates 100 to 1000 bytes at an alignment of 1 to 1024, frees a random \
         block, or reallocates one to 100 to 10000 bytes, each a third. 256 MiB heap."
    }

    fn metrics(&self) -> &'static [Metric] {
        const { &durations::metrics("operations", Better::More) }
    }

    fn plot(&self) -> Plot {
        Plot::Lines
    }

    fn cases(&self, _plan: &Plan) -> Vec<String> {
        vec!["256 MiB".to_owned()]
    }

    /// Its trials are rounds already.
    fn varies(&self) -> bool {
        false
    }

    /// A run of 100 ms is the first tenth of a run of a second, so one run gives the scores of all ten durations.
    fn run(&self, bench: &Bench) -> Result<Measures> {
        let (longest, trials) = durations::of(bench.plan.effort);
        let heap = bench.fresh(HEAP)?;
        heap.populate();
        durations::mean_of(trials, |trial| {
            ensure!(bench.reset(heap), "cannot be reset");
            let mut rng = Rng::with_seed(bench.plan.seed + trial);
            Ok(scores(bench.hands(), &mut rng, longest))
        })
    }
}

/// The number of operations done when each tenth of `longest` has passed.
fn scores(hands: Hands, rng: &mut Rng, longest: Duration) -> Vec<f64> {
    let mut blocks = Vec::with_capacity(1 << 20);
    let start = Instant::now();
    let (mut scores, mut score) = (Vec::new(), 0);
    while scores.len() < durations::STEPS {
        step(hands, rng, &mut blocks);
        score += 1;
        if start.elapsed() >= durations::step(longest, scores.len() + 1) {
            scores.push(f64::from(score));
        }
    }
    blocks.into_iter().for_each(|block| hands.free(block));
    scores
}

/// One random operation.
#[inline(always)]
pub fn step(hands: Hands, rng: &mut Rng, blocks: &mut Vec<Block>) {
    match rng.u8(0..3) {
        0 => blocks.extend(hands.alloc(rng.usize(100..=1000), 1 << rng.u8(0..=10))),
        1 if !blocks.is_empty() => hands.free(blocks.swap_remove(rng.usize(0..blocks.len()))),
        2 if !blocks.is_empty() => {
            let chosen = rng.usize(0..blocks.len());
            hands.realloc(&mut blocks[chosen], rng.usize(100..=10000));
        }
        _ => {}
    }
}

/// The same, with a fixed number of operations.
pub fn operations(hands: Hands, rng: &mut Rng, count: usize) -> Duration {
    let mut blocks = Vec::with_capacity(1 << 20);
    let start = Instant::now();
    for _ in 0..count {
        step(hands, rng, &mut blocks);
    }
    let time = start.elapsed();
    blocks.into_iter().for_each(|block| hands.free(block));
    time
}

/// How many operations each effort does where their number is fixed.
pub fn count(effort: Effort) -> usize {
    match effort {
        Effort::Smoke => 20_000,
        Effort::Usual => 1_000_000,
        Effort::Full => 5_000_000,
    }
}
