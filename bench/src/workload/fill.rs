//! How full a heap gets.

use anyhow::{Context, Result};
use fastrand::Rng;

use super::sizes::{ALIGNED, Aligns, LARGE, SMALL, Shape, Sizes, WIDE};
use super::{Bench, Better, Effort, Measures, Metric, Plan, Workload};
use crate::hands::{Block, Hands};

/// Once, from empty to the first failure.
pub struct Fill;

/// In steady churn, until an allocation fails.
pub struct Churn;

const METRICS: &[Metric] = &[Metric {
    name: "live / heap",
    unit: "%",
    better: Better::More,
    net: false,
}];

type Case = (&'static str, usize, Shape);

const fn to(most: usize) -> Shape {
    Shape(Sizes::Uniform(1, most), Aligns::Eight)
}

const FILLS: &[Case] = &[
    ("4 KiB, to 128", 4 << 10, to(128)),
    ("16 KiB, to 512", 16 << 10, to(512)),
    ("64 KiB, to 64", 64 << 10, to(64)),
    ("64 KiB, to 4096", 64 << 10, to(4096)),
    ("16 MiB, small", 16 << 20, SMALL),
    ("16 MiB, wide", 16 << 20, WIDE),
    ("16 MiB, aligned", 16 << 20, ALIGNED),
    ("256 MiB, large", 256 << 20, LARGE),
];

const CHURNS: &[Case] = &[
    ("4 KiB, to 128", 4 << 10, to(128)),
    ("64 KiB, small", 64 << 10, SMALL),
    ("4 MiB, small", 4 << 20, SMALL),
    ("16 MiB, wide", 16 << 20, WIDE),
    ("16 MiB, aligned", 16 << 20, ALIGNED),
    ("64 MiB, large", 64 << 20, LARGE),
];

impl Workload for Fill {
    fn name(&self) -> &'static str {
        "fill"
    }

    fn about(&self) -> &'static str {
        "The bytes that live when a heap that is only ever allocated from fails for the first time. Small: 1 to 256 bytes; \
         wide: 8 bytes to 64 KiB, all orders of magnitude alike; aligned: 1 to 4096 bytes at 1 to 1024; large: those of \
         heap-exhaustion."
    }

    fn metrics(&self) -> &'static [Metric] {
        METRICS
    }

    fn cases(&self, plan: &Plan) -> Vec<String> {
        names(FILLS, plan)
    }

    fn needs_region(&self) -> bool {
        true
    }

    fn varies(&self) -> bool {
        false
    }

    fn run(&self, bench: &Bench) -> Result<Measures> {
        run(bench, FILLS, |hands, rng, _, shape| {
            fill(hands, rng, shape, usize::MAX).blocks
        })
    }
}

impl Workload for Churn {
    fn name(&self) -> &'static str {
        "churn"
    }

    fn about(&self) -> &'static str {
        "The bytes that live when an allocation first fails in a heap in which random blocks are freed and new ones \
         allocated all the time, while the share that lives rises slowly: at each half percent of the heap from a half on, \
         as many blocks are replaced as live."
    }

    fn metrics(&self) -> &'static [Metric] {
        METRICS
    }

    fn cases(&self, plan: &Plan) -> Vec<String> {
        names(CHURNS, plan)
    }

    fn needs_region(&self) -> bool {
        true
    }

    fn varies(&self) -> bool {
        false
    }

    fn run(&self, bench: &Bench) -> Result<Measures> {
        run(bench, CHURNS, churn)
    }
}

/// The cases of a load, those in small heaps for a smoke test.
fn names(cases: &[Case], plan: &Plan) -> Vec<String> {
    let short = |heap: usize| plan.effort > Effort::Smoke || heap <= 64 << 10;
    cases
        .iter()
        .filter(|(_, heap, _)| short(*heap))
        .map(|(name, ..)| (*name).to_owned())
        .collect()
}

/// The mean over several seeds of how full the heap gets.
fn run(
    bench: &Bench,
    cases: &[Case],
    load: impl Fn(Hands, &mut Rng, usize, Shape) -> Vec<Block>,
) -> Result<Measures> {
    let case = cases.iter().find(|(name, ..)| *name == bench.case);
    let (_, heap, shape) = *case.context("no such case")?;
    let repeats = match bench.plan.effort {
        Effort::Smoke => 1,
        Effort::Usual if heap > 1 << 20 => 1,
        Effort::Usual | Effort::Full => 5,
    };
    let region = bench.fresh(heap)?;
    let mut share = 0.0;
    for repeat in 0..repeats {
        anyhow::ensure!(bench.reset(region), "cannot be reset");
        let mut rng = Rng::with_seed(bench.plan.seed + repeat);
        let blocks = load(bench.hands(), &mut rng, heap, shape);
        let live: usize = blocks.iter().map(Block::size).sum();
        share += live as f64 / heap as f64 / repeats as f64;
    }
    Ok(Measures::from([("live / heap".to_owned(), share * 100.0)]))
}

struct Filled {
    blocks: Vec<Block>,
    live: usize,
    failed: bool,
}

/// Allocates until `enough` bytes live or an allocation fails.
fn fill(hands: Hands, rng: &mut Rng, shape: Shape, enough: usize) -> Filled {
    let mut filled = Filled {
        blocks: Vec::new(),
        live: 0,
        failed: false,
    };
    top_up(hands, rng, shape, enough, &mut filled);
    filled
}

fn top_up(hands: Hands, rng: &mut Rng, shape: Shape, enough: usize, filled: &mut Filled) {
    while filled.live < enough && !filled.failed {
        match hands.alloc(shape.size(rng), shape.align(rng)) {
            Some(block) => {
                filled.live += block.size();
                filled.blocks.push(block);
            }
            None => filled.failed = true,
        }
    }
}

/// Raises the live bytes by half a percent of the heap at a time, and replaces as many blocks as live at each level. What
/// lives when a replacement is refused is what the heap bore.
fn churn(hands: Hands, rng: &mut Rng, heap: usize, shape: Shape) -> Vec<Block> {
    let step = heap / 200;
    let mut level = heap / 2;
    let mut filled = fill(hands, rng, shape, level);
    let mut left = filled.blocks.len();
    while !filled.failed {
        if left == 0 {
            level += step;
            left = filled.blocks.len();
        } else {
            let freed = filled.blocks.swap_remove(rng.usize(0..filled.blocks.len()));
            filled.live -= freed.size();
            hands.free(freed);
            left -= 1;
        }
        top_up(hands, rng, shape, level, &mut filled);
    }
    filled.blocks
}
