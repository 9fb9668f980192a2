//! The benchmark that simple-chunk-allocator brings: allocations timed one by one in a heap that fills up.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use anyhow::Result;
use fastrand::Rng;
use hdrhistogram::Histogram;

use super::latency;
use super::{Bench, Better, Effort, Measures, Metric, Plan, Workload};
use crate::hands::Hands;
use crate::machine::ticks::ticks;

pub struct ChunkBench;

const HEAP: usize = 160 << 20;

const METRICS: &[Metric] = &[
    Metric {
        name: "attempts",
        unit: "k",
        better: Better::More,
        net: false,
    },
    Metric {
        name: "successes",
        unit: "k",
        better: Better::More,
        net: false,
    },
    Metric {
        name: "frees",
        unit: "k",
        better: Better::More,
        net: false,
    },
    Metric {
        name: "median",
        unit: "ticks",
        better: Better::Less,
        net: false,
    },
    Metric {
        name: "average",
        unit: "ticks",
        better: Better::Less,
        net: false,
    },
    Metric {
        name: "minimum",
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

impl Workload for ChunkBench {
    fn name(&self) -> &'static str {
        "chunk-bench"
    }

    fn about(&self) -> &'static str {
        "simple-chunk-allocator's own benchmark: allocations of 64 to 16384 bytes at an alignment of 1 to 64 in 160 MiB; \
         with more than ten live, a tenth of the steps free the seven oldest. Ticks of an allocation, and how many there \
         were in the given time."
    }

    fn metrics(&self) -> &'static [Metric] {
        METRICS
    }

    fn cases(&self, plan: &Plan) -> Vec<String> {
        let names: &[&str] = match plan.effort {
            Effort::Smoke => &["20 ms"],
            Effort::Usual => &["300 ms"],
            Effort::Full => &["1 s", "10 s"],
        };
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn needs_region(&self) -> bool {
        true
    }

    fn run(&self, bench: &Bench) -> Result<Measures> {
        let duration = match bench.case {
            "20 ms" => Duration::from_millis(20),
            "300 ms" => Duration::from_millis(300),
            "1 s" => Duration::from_secs(1),
            _ => Duration::from_secs(10),
        };
        bench.fresh(HEAP)?;
        let mut rng = Rng::with_seed(bench.plan.seed);
        load(bench.hands(), &mut rng, duration)
    }
}

fn load(hands: Hands, rng: &mut Rng, duration: Duration) -> Result<Measures> {
    let mut latencies = latency::histogram()?;
    let mut blocks = VecDeque::with_capacity(1 << 20);
    let (mut attempts, mut successes, mut frees) = (0u64, 0u64, 0u64);
    let start = Instant::now();
    while start.elapsed() < duration {
        let (size, align) = (rng.usize(64..16384), 1 << rng.u8(0..=6));
        let before = ticks();
        let block = hands.alloc(size, align);
        latencies.record(ticks() - before)?;
        attempts += 1;
        if let Some(block) = block {
            successes += 1;
            blocks.push_back(block);
        }
        if blocks.len() > 10 && rng.u8(0..10) == 0 {
            frees += 7;
            blocks.drain(..7).for_each(|block| hands.free(block));
        }
    }
    blocks.into_iter().for_each(|block| hands.free(block));
    Ok(measures(&latencies, [attempts, successes, frees]))
}

fn measures(latencies: &Histogram<u64>, counts: [u64; 3]) -> Measures {
    let mut measures = latency::measures(latencies);
    for (name, count) in ["attempts", "successes", "frees"].into_iter().zip(counts) {
        measures.insert(name.to_owned(), count as f64 / 1e3);
    }
    measures
}
