//! A fixed number of random operations: how long does one take?

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use fastrand::Rng;

use super::{Bench, Effort, Measures, Metric, Plan, Workload, random_actions, speed};
use crate::hands::{Block, Hands};

pub struct RandomOps;

const ORIGINAL: &str = "as random-actions";
/// Blocks live at once, on average.
const SMALL: [(&str, usize); 3] = [
    ("1 k live", 1_000),
    ("50 k live", 50_000),
    ("1 M live", 1_000_000),
];
const LARGEST: usize = 1024;

impl Workload for RandomOps {
    fn name(&self) -> &'static str {
        "random-ops"
    }

    fn about(&self) -> &'static str {
        "A fixed number of random operations: those of random-actions, and sizes of 1 to 1024 bytes with so many blocks \
         live on average, where each step allocates, frees or reallocates a random block, each a third."
    }

    fn metrics(&self) -> &'static [Metric] {
        speed::METRICS
    }

    fn cases(&self, plan: &Plan) -> Vec<String> {
        let live = match plan.effort {
            Effort::Smoke => &SMALL[..1],
            Effort::Usual => &SMALL[..2],
            Effort::Full => &SMALL[..],
        };
        [ORIGINAL]
            .into_iter()
            .chain(live.iter().map(|(name, _)| *name))
            .map(str::to_owned)
            .collect()
    }

    fn run(&self, bench: &Bench) -> Result<Measures> {
        let hands = bench.hands();
        let mut rng = Rng::with_seed(bench.plan.seed);
        let count = random_actions::count(bench.plan.effort);
        let live = SMALL
            .iter()
            .find(|(name, _)| *name == bench.case)
            .map(|(_, live)| *live);
        let heap = bench.fresh(live.map_or(256 << 20, |live| (16 << 20) + live * 2 * LARGEST))?;
        let mut once = || match live {
            None => Ok(random_actions::operations(hands, &mut rng, count)),
            Some(live) => steady(hands, &mut rng, live, count),
        };
        once()?;
        ensure!(bench.reset(heap), "cannot be reset");
        Ok(speed::measures(count, once()?))
    }
}

/// Fills the slots, then steps. Two thirds of the slots are full: of the steps, that is what the full ones get, half of
/// them a free, and what the empty ones get is as many allocations.
fn steady(hands: Hands, rng: &mut Rng, live: usize, count: usize) -> Result<Duration> {
    let mut slots: Vec<Option<Block>> = Vec::with_capacity(live * 3 / 2);
    for index in 0..live * 3 / 2 {
        slots.push(if index % 3 == 2 {
            None
        } else {
            hands.alloc(rng.usize(1..=LARGEST), 8)
        });
    }
    let start = Instant::now();
    let mut failures = 0;
    for _ in 0..count {
        let slot = rng.usize(0..slots.len());
        match slots[slot].take() {
            None => slots[slot] = hands.alloc(rng.usize(1..=LARGEST), 8),
            Some(block) if rng.bool() => hands.free(block),
            Some(mut block) => {
                failures += usize::from(!hands.realloc(&mut block, rng.usize(1..=LARGEST)));
                slots[slot] = Some(block);
            }
        }
    }
    let time = start.elapsed();
    slots
        .into_iter()
        .flatten()
        .for_each(|block| hands.free(block));
    ensure!(failures == 0, "out of memory");
    Ok(time)
}
