//! The smallest heap in which a real program runs.

use anyhow::{Result, ensure};

use super::{Bench, Better, Effort, Measures, Metric, Plan, Workload};
use crate::bisect::smallest;
use crate::machine::region::Region;
use crate::trace::{file, replay::Replay};

pub struct TraceRegion;

const METRICS: &[Metric] = &[Metric {
    name: "region / live",
    unit: "",
    better: Better::Less,
    net: false,
}];
/// No heap larger than this many times the live bytes is tried.
const LARGEST: usize = 32;

impl Workload for TraceRegion {
    fn name(&self) -> &'static str {
        "trace-region"
    }

    fn about(&self) -> &'static str {
        "The smallest heap in which a recorded program succeeds, over the most bytes that it has live at once."
    }

    fn metrics(&self) -> &'static [Metric] {
        METRICS
    }

    fn cases(&self, plan: &Plan) -> Vec<String> {
        plan.traces.iter().map(|file| file::name(file)).collect()
    }

    fn needs_region(&self) -> bool {
        true
    }

    fn varies(&self) -> bool {
        false
    }

    fn run(&self, bench: &Bench) -> Result<Measures> {
        let trace = bench.trace()?;
        let mut replay = Replay::new(&trace);
        let memory = Region::map(trace.peak * LARGEST)?;
        let precision = match bench.plan.effort {
            Effort::Smoke => trace.peak / 16,
            Effort::Usual | Effort::Full => trace.peak / 2000,
        };
        let found = smallest(trace.peak, trace.peak * LARGEST, precision.max(8), |len| {
            replay.forget();
            bench.reset(memory.first(len / 8 * 8)) && replay.run(bench.calls)
        });
        ensure!(
            found.is_some(),
            "fails even in {LARGEST} times the live bytes"
        );
        let ratio = found.unwrap_or_default() as f64 / trace.peak as f64;
        Ok(Measures::from([("region / live".to_owned(), ratio)]))
    }
}
