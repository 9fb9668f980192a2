//! Many vectors that grow.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use fastrand::Rng;

use super::{Bench, Better, Effort, Measures, Metric, Plan, Workload};
use crate::hands::{Block, Hands};

pub struct Growth;

const HEAP: usize = 512 << 20;
const VECTORS: usize = 1000;

/// From what to what a vector grows, and how.
#[derive(Clone, Copy)]
struct Pattern {
    first: usize,
    last: usize,
    next: fn(usize) -> usize,
}

const PATTERNS: [(&str, Pattern); 3] = [
    (
        "doubling to 64 KiB",
        Pattern {
            first: 32,
            last: 64 << 10,
            next: |size| size * 2,
        },
    ),
    (
        "by 64 to 8 KiB",
        Pattern {
            first: 64,
            last: 8 << 10,
            next: |size| size + 64,
        },
    ),
    (
        "by 4 KiB to 256 KiB",
        Pattern {
            first: 4 << 10,
            last: 256 << 10,
            next: |size| size + (4 << 10),
        },
    ),
];

const METRICS: &[Metric] = &[
    Metric {
        name: "time",
        unit: "ns/op",
        better: Better::Less,
        net: true,
    },
    Metric {
        name: "copied",
        unit: "bytes/op",
        better: Better::Less,
        net: false,
    },
];

impl Workload for Growth {
    fn name(&self) -> &'static str {
        "growth"
    }

    fn about(&self) -> &'static str {
        "1000 vectors in random turn grow by realloc and begin anew when they are full: the time of a step, and how many \
         bytes moved with blocks that did not stay where they were."
    }

    fn metrics(&self) -> &'static [Metric] {
        METRICS
    }

    fn cases(&self, _plan: &Plan) -> Vec<String> {
        PATTERNS
            .iter()
            .map(|(name, _)| (*name).to_owned())
            .collect()
    }

    fn run(&self, bench: &Bench) -> Result<Measures> {
        let pattern = PATTERNS.iter().find(|(name, _)| *name == bench.case);
        let (_, pattern) = *pattern.context("no such case")?;
        let count = match bench.plan.effort {
            Effort::Smoke => 2_000,
            Effort::Usual => 100_000,
            Effort::Full => 1_000_000,
        };
        let mut rng = Rng::with_seed(bench.plan.seed);
        let heap = bench.fresh(HEAP)?;
        grow(bench.hands(), &mut rng, pattern, count / 4)?;
        ensure!(bench.reset(heap), "cannot be reset");
        grow(bench.hands(), &mut rng, pattern, count)
    }
}

fn grow(hands: Hands, rng: &mut Rng, pattern: Pattern, count: usize) -> Result<Measures> {
    let mut vectors: Vec<Option<Block>> = (0..VECTORS).map(|_| None).collect();
    let mut copied = 0;
    let start = Instant::now();
    for _ in 0..count {
        let slot = &mut vectors[rng.usize(0..VECTORS)];
        copied += step(hands, slot, pattern)?;
    }
    let time = start.elapsed().as_nanos() as f64 / count as f64;
    vectors
        .into_iter()
        .flatten()
        .for_each(|block| hands.free(block));
    Ok(Measures::from([
        ("time".to_owned(), time),
        ("copied".to_owned(), copied as f64 / count as f64),
    ]))
}

/// Lets one vector grow once; the bytes that moved.
#[inline(always)]
fn step(hands: Hands, slot: &mut Option<Block>, pattern: Pattern) -> Result<usize> {
    match slot.take() {
        None => *slot = Some(hands.alloc(pattern.first, 8).context("out of memory")?),
        Some(block) if block.size() >= pattern.last => hands.free(block),
        Some(mut block) => {
            let (size, address) = (block.size(), block.address());
            ensure!(
                hands.realloc(&mut block, (pattern.next)(size)),
                "out of memory"
            );
            let moved = block.address() != address;
            *slot = Some(block);
            return Ok(if moved { size } else { 0 });
        }
    }
    Ok(0)
}
