//! The 2022 crate's other benchmark: as many large allocations as possible in a given time, where a full heap costs 30 ms.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use fastrand::Rng;

use super::{Bench, Better, Measures, Metric, Plan, Plot, Workload, durations};
use crate::hands::Hands;

pub struct HeapExhaustion;

const HEAP: usize = 256 << 20;
const PENALTY: Duration = Duration::from_millis(30);

impl Workload for HeapExhaustion {
    fn name(&self) -> &'static str {
        "heap-exhaustion"
    }

    fn about(&self) -> &'static str {
        "Allocations of 10000 to 300000 bytes at an alignment of 1 to 1024 in a given time; a full heap is emptied at the \
         cost of 30 ms. The pause bounds every score alike, so see the fill workloads too. 256 MiB heap."
    }

    fn metrics(&self) -> &'static [Metric] {
        const { &durations::metrics("allocations", Better::More) }
    }

    fn plot(&self) -> Plot {
        Plot::Lines
    }

    fn cases(&self, _plan: &Plan) -> Vec<String> {
        vec!["256 MiB".to_owned()]
    }

    fn needs_region(&self) -> bool {
        true
    }

    fn varies(&self) -> bool {
        false
    }

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

fn scores(hands: Hands, rng: &mut Rng, longest: Duration) -> Vec<f64> {
    let start = Instant::now();
    let (mut scores, mut score) = (Vec::new(), 0);
    let mut blocks = Vec::new();
    while scores.len() < durations::STEPS {
        match hands.alloc(rng.usize(10_000..=300_000), 1 << rng.u8(0..=10)) {
            Some(block) => {
                blocks.push(block);
                score += 1;
            }
            None => {
                sleep(PENALTY);
                blocks.drain(..).for_each(|block| hands.free(block));
            }
        }
        while scores.len() < durations::STEPS
            && start.elapsed() >= durations::step(longest, scores.len() + 1)
        {
            scores.push(f64::from(score));
        }
    }
    blocks.into_iter().for_each(|block| hands.free(block));
    scores
}
