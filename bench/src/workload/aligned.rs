//! Blocks that must be aligned to more than a word.

use std::time::Instant;

use anyhow::{Result, ensure};
use fastrand::Rng;

use super::{Bench, Better, Effort, Measures, Metric, Plan, Workload};
use crate::bisect::smallest;
use crate::hands::{Block, Hands};

pub struct Aligned;

/// talc's check that a large alignment costs little more than a large size.
pub struct HighAlignment;

const HEAP: usize = 64 << 20;
const ALIGNMENTS: [usize; 4] = [8, 16, 64, 4096];
const LARGEST: usize = 1024;

const METRICS: &[Metric] = &[
    Metric {
        name: "time",
        unit: "ns/op",
        better: Better::Less,
        net: true,
    },
    Metric {
        name: "recovered",
        unit: "%",
        better: Better::More,
        net: false,
    },
];

impl Workload for Aligned {
    fn name(&self) -> &'static str {
        "aligned"
    }

    fn about(&self) -> &'static str {
        "Random blocks of 1 to 1024 bytes at the case's alignment allocated and freed, 1000 live on average; and the largest \
         block that can be had when all are freed again, of the largest in the fresh heap of 64 MiB."
    }

    fn metrics(&self) -> &'static [Metric] {
        METRICS
    }

    fn cases(&self, _plan: &Plan) -> Vec<String> {
        ALIGNMENTS.iter().map(ToString::to_string).collect()
    }

    fn run(&self, bench: &Bench) -> Result<Measures> {
        let align = bench.case.parse()?;
        let count = match bench.plan.effort {
            Effort::Smoke => 20_000,
            Effort::Usual => 500_000,
            Effort::Full => 3_000_000,
        };
        let mut rng = Rng::with_seed(bench.plan.seed);
        let heap = bench.fresh(HEAP)?;
        let before = bench.entry.bounded.then(|| largest(bench.hands()));
        ensure!(bench.reset(heap), "cannot be reset");
        churn(bench.hands(), &mut rng, align, count);
        let time = churn(bench.hands(), &mut rng, align, count);
        let mut measures = Measures::from([("time".to_owned(), time)]);
        if let Some(before) = before {
            let recovered = largest(bench.hands()) as f64 / before as f64;
            measures.insert("recovered".to_owned(), recovered * 100.0);
        }
        Ok(measures)
    }
}

/// Nanoseconds of one operation.
fn churn(hands: Hands, rng: &mut Rng, align: usize, count: usize) -> f64 {
    let mut slots: Vec<Option<Block>> = (0..2000).map(|_| None).collect();
    let start = Instant::now();
    for _ in 0..count {
        let slot = rng.usize(0..slots.len());
        match slots[slot].take() {
            Some(block) => hands.free(block),
            None => slots[slot] = hands.alloc(rng.usize(1..=LARGEST), align),
        }
    }
    let time = start.elapsed().as_nanos() as f64 / count as f64;
    slots
        .into_iter()
        .flatten()
        .for_each(|block| hands.free(block));
    time
}

/// The size of the largest block that can be had.
fn largest(hands: Hands) -> usize {
    let left_over = smallest(0, HEAP - 1, 64, |less| {
        let block = hands.alloc(HEAP - less, 8);
        let works = block.is_some();
        block.into_iter().for_each(|block| hands.free(block));
        works
    });
    left_over.map_or(0, |less| HEAP - less)
}

impl Workload for HighAlignment {
    fn name(&self) -> &'static str {
        "high-alignment"
    }

    fn about(&self) -> &'static str {
        "16384 allocations, then as many frees: of 4096 bytes at alignment 1, and of one byte at alignment 4096."
    }

    fn metrics(&self) -> &'static [Metric] {
        &METRICS[..1]
    }

    fn cases(&self, _plan: &Plan) -> Vec<String> {
        vec!["4096 at 1".to_owned(), "1 at 4096".to_owned()]
    }

    fn run(&self, bench: &Bench) -> Result<Measures> {
        const COUNT: usize = 0x4000;
        let (size, align) = if bench.case == "4096 at 1" {
            (4096, 1)
        } else {
            (1, 4096)
        };
        let heap = bench.fresh(256 << 20)?;
        let hands = bench.hands();
        let mut time = f64::NAN;
        // The first pass brings the memory in.
        for _ in 0..3 {
            ensure!(bench.reset(heap), "cannot be reset");
            let start = Instant::now();
            let mut blocks = Vec::with_capacity(COUNT);
            blocks.extend((0..COUNT).filter_map(|_| hands.alloc(size, align)));
            ensure!(blocks.len() == COUNT, "out of memory");
            blocks.into_iter().for_each(|block| hands.free(block));
            time = start.elapsed().as_nanos() as f64 / (2 * COUNT) as f64;
        }
        Ok(Measures::from([("time".to_owned(), time)]))
    }
}
