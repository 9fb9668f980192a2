//! The time that real programs' allocations take.

use std::time::Instant;

use anyhow::{Result, ensure};

use super::{Bench, Better, Effort, Measures, Metric, Plan, Workload};
use crate::stats::median;
use crate::trace::{file, replay::Replay};

pub struct TraceTime;

const METRICS: &[Metric] = &[Metric {
    name: "time",
    unit: "ns/op",
    better: Better::Less,
    net: true,
}];
const HEAP: usize = 1 << 30;

impl Workload for TraceTime {
    fn name(&self) -> &'static str {
        "trace-time"
    }

    fn about(&self) -> &'static str {
        "Recorded programs replayed in a heap that is large enough; time per operation."
    }

    fn metrics(&self) -> &'static [Metric] {
        METRICS
    }

    fn cases(&self, plan: &Plan) -> Vec<String> {
        plan.traces.iter().map(|file| file::name(file)).collect()
    }

    /// Replays once to bring the memory in, then several times from a fresh heap.
    fn run(&self, bench: &Bench) -> Result<Measures> {
        let passes = match bench.plan.effort {
            Effort::Smoke => 1,
            Effort::Usual => 3,
            Effort::Full => 9,
        };
        let trace = bench.trace()?;
        let mut replay = Replay::new(&trace);
        let heap = bench.fresh(HEAP)?;
        let mut times = Vec::new();
        for _ in 0..=passes {
            replay.forget();
            ensure!(bench.reset(heap), "cannot be reset");
            let start = Instant::now();
            ensure!(replay.run(bench.calls), "out of memory");
            times.push(start.elapsed().as_nanos() as f64 / trace.ops.len() as f64);
            replay.finish(bench.calls);
        }
        Ok(Measures::from([("time".to_owned(), median(&times[1..]))]))
    }
}
