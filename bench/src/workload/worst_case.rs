//! Single operations, timed one by one, in heaps that are made to be hard.

use anyhow::{Context, Result, ensure};
use fastrand::Rng;

use super::{Bench, Better, Effort, Measures, Metric, Plan, Workload, latency};
use crate::hands::{Block, Hands};
use crate::machine::ticks::ticks;

pub struct WorstCase;

/// Identical runs. An operation's time is its least over all of them, so that what the machine did meanwhile drops out.
const RUNS: usize = 9;
/// What separates the fragments.
const SEPARATOR: usize = 16;

const METRICS: &[Metric] = &[
    Metric {
        name: "median",
        unit: "ticks",
        better: Better::Less,
        net: false,
    },
    Metric {
        name: "p99",
        unit: "ticks",
        better: Better::Less,
        net: false,
    },
    Metric {
        name: "p99.9",
        unit: "ticks",
        better: Better::Less,
        net: false,
    },
    Metric {
        name: "maximum",
        unit: "ticks",
        better: Better::Less,
        net: false,
    },
];

/// A heap with free fragments, and the operations on it.
#[derive(Clone, Copy)]
struct Scenario {
    fragments: (usize, usize),
    /// Whether the rest of the heap is in use.
    full: bool,
    probes: (usize, usize),
    align: usize,
}

const SCENARIOS: [(&str, Scenario); 6] = [
    (
        "fragments",
        Scenario {
            fragments: (16, 512),
            full: false,
            probes: (16, 512),
            align: 8,
        },
    ),
    (
        "just above",
        Scenario {
            fragments: (1024, 1087),
            full: false,
            probes: (1088, 1151),
            align: 8,
        },
    ),
    (
        "aligned 4096",
        Scenario {
            fragments: (16, 512),
            full: false,
            probes: (16, 512),
            align: 4096,
        },
    ),
    (
        "top gone",
        Scenario {
            fragments: (16, 512),
            full: true,
            probes: (16, 256),
            align: 8,
        },
    ),
    (
        "top gone, aligned",
        Scenario {
            fragments: (16, 512),
            full: true,
            probes: (16, 256),
            align: 256,
        },
    ),
    (
        "exhausted",
        Scenario {
            fragments: (16, 512),
            full: true,
            probes: (4096, 8192),
            align: 8,
        },
    ),
];

impl Workload for WorstCase {
    fn name(&self) -> &'static str {
        "worst-case"
    }

    fn about(&self) -> &'static str {
        "Ticks of single allocations, frees and reallocations in place, in a heap with so many free fragments. Just above: \
         all fragments a little too small; top gone: nothing else is free; exhausted: nothing is large enough. Each \
         operation's least of nine identical runs."
    }

    fn metrics(&self) -> &'static [Metric] {
        METRICS
    }

    fn cases(&self, plan: &Plan) -> Vec<String> {
        let counts: &[usize] = match plan.effort {
            Effort::Smoke => &[1_000],
            Effort::Usual => &[1_000, 100_000],
            Effort::Full => &[1_000, 10_000, 100_000, 1_000_000],
        };
        let of = |count: &usize| SCENARIOS.map(|(name, _)| format!("{name}: {count}"));
        counts.iter().flat_map(of).collect()
    }

    fn needs_region(&self) -> bool {
        true
    }

    /// Its runs are rounds already.
    fn varies(&self) -> bool {
        false
    }

    fn run(&self, bench: &Bench) -> Result<Measures> {
        let (name, count) = bench.case.split_once(": ").context("no such case")?;
        let (_, scenario) = *SCENARIOS
            .iter()
            .find(|(found, _)| *found == name)
            .context("no such case")?;
        let count: usize = count.parse()?;
        let heap = bench.fresh((4 << 20) + count * (scenario.fragments.1 + SEPARATOR) * 5 / 4)?;
        let mut least = Vec::new();
        for _ in 0..RUNS {
            ensure!(bench.reset(heap), "cannot be reset");
            let mut rng = Rng::with_seed(bench.plan.seed);
            let _live = scenario.prepare(bench.hands(), &mut rng, count);
            let times = scenario.probe(bench.hands(), &mut rng);
            if least.is_empty() {
                least = times;
            } else {
                least
                    .iter_mut()
                    .zip(times)
                    .for_each(|(least, time)| *least = time.min(*least));
            }
        }
        let mut latencies = latency::histogram()?;
        for time in least {
            latencies.record(time)?;
        }
        Ok(latency::measures(&latencies))
    }
}

impl Scenario {
    /// Makes the heap; all that lives in it then.
    fn prepare(self, hands: Hands, rng: &mut Rng, count: usize) -> Vec<Block> {
        let (least, most) = self.fragments;
        let (mut fragments, mut live) = (Vec::with_capacity(count), Vec::with_capacity(count));
        for _ in 0..count {
            fragments.extend(hands.alloc(rng.usize(least..=most), 8));
            live.extend(hands.alloc(SEPARATOR, 8));
        }
        if self.full {
            take_the_rest(hands, most, &mut live);
        }
        rng.shuffle(&mut fragments);
        fragments
            .into_iter()
            .for_each(|fragment| hands.free(fragment));
        live
    }

    /// The ticks of each operation.
    fn probe(self, hands: Hands, rng: &mut Rng) -> Vec<u64> {
        const PROBES: usize = 1000;
        const LIVE: usize = 16;
        let mut times = Vec::with_capacity(4 * PROBES);
        let mut blocks: Vec<Block> = Vec::with_capacity(LIVE + 1);
        for _ in 0..PROBES {
            let size = rng.usize(self.probes.0..=self.probes.1);
            let block = timed(&mut times, || hands.alloc(size, self.align));
            if let Some(mut block) = block {
                timed(&mut times, || hands.realloc(&mut block, size / 2));
                timed(&mut times, || hands.realloc(&mut block, size));
                blocks.push(block);
            }
            if blocks.len() > LIVE {
                let block = blocks.swap_remove(rng.usize(0..LIVE));
                timed(&mut times, || hands.free(block));
            }
        }
        blocks.into_iter().for_each(|block| hands.free(block));
        times
    }
}

/// Allocates what else is free, in ever smaller blocks down to `least` bytes.
fn take_the_rest(hands: Hands, least: usize, live: &mut Vec<Block>) {
    let mut size = 64 << 20;
    while size >= least {
        match hands.alloc(size, 8) {
            Some(block) => live.push(block),
            None => size /= 2,
        }
    }
}

#[inline(always)]
fn timed<T>(times: &mut Vec<u64>, operation: impl FnOnce() -> T) -> T {
    let before = ticks();
    let result = operation();
    times.push(ticks() - before);
    result
}
