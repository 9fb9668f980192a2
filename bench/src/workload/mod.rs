//! What the contenders are made to do.
//!
//! To add a workload: implement [`Workload`] in a file of its own and add a line to [`ALL`].

mod aligned;
mod chunk_bench;
pub mod crew;
mod durations;
mod fill;
mod growth;
mod heap_exhaustion;
mod latency;
mod random_actions;
mod random_ops;
mod sizes;
mod speed;
mod state;
mod talc_loads;
mod threads;
mod trace_region;
mod trace_time;
mod worst_case;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::check;
use crate::contender::{Calls, Entry};
use crate::hands::Hands;
use crate::machine::region::Region;
use crate::trace::file::{self, Trace};

pub use trace_region::TraceRegion;
pub use trace_time::TraceTime;

/// Something to do with an allocator, in several cases, and what to measure in it.
pub trait Workload: Sync {
    /// The name in tables and on the command line.
    fn name(&self) -> &'static str;

    /// One sentence for the report.
    fn about(&self) -> &'static str;

    fn metrics(&self) -> &'static [Metric];

    fn plot(&self) -> Plot {
        Plot::Bars
    }

    /// The names of the cases.
    fn cases(&self, plan: &Plan) -> Vec<String>;

    /// Whether the workload has anything to say about contenders that take memory from the system.
    fn needs_region(&self) -> bool {
        false
    }

    /// Whether another round with the same contender says more than the first. What is not a time does not change.
    fn varies(&self) -> bool {
        true
    }

    /// Runs one case with one contender, in a process that does nothing else.
    fn run(&self, bench: &Bench) -> Result<Measures>;
}

pub const ALL: &[&dyn Workload] = &[
    &TraceTime,
    &TraceRegion,
    &random_actions::RandomActions,
    &random_ops::RandomOps,
    &heap_exhaustion::HeapExhaustion,
    &fill::Fill,
    &fill::Churn,
    &chunk_bench::ChunkBench,
    &talc_loads::TalcLoads,
    &talc_loads::HeapEfficiency,
    &growth::Growth,
    &aligned::Aligned,
    &aligned::HighAlignment,
    &worst_case::WorstCase,
    &threads::Threads,
    &state::State,
];

pub fn named(name: &str) -> Option<&'static dyn Workload> {
    ALL.iter().copied().find(|workload| workload.name() == name)
}

/// Values by the name of their metric.
pub type Measures = BTreeMap<String, f64>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    Less,
    More,
}

pub struct Metric {
    pub name: &'static str,
    pub unit: &'static str,
    pub better: Better,
    /// Whether the no-op's figure, the cost of the loop, is to be taken off before contenders are compared.
    pub net: bool,
}

/// How a workload is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plot {
    /// A bar for each contender, the mean ratio over all cases.
    Bars,
    /// A line for each contender over the metrics.
    Lines,
}

/// How much to do.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum,
)]
pub enum Effort {
    /// As little as shows that everything works.
    Smoke,
    /// What fits in five to seven minutes.
    Usual,
    /// As much as the original benchmarks do.
    Full,
}

impl Effort {
    /// How long one run of one case may take before it counts as hung.
    pub fn patience(self) -> Duration {
        Duration::from_secs(match self {
            Self::Smoke => 4,
            Self::Usual => 5,
            Self::Full => 180,
        })
    }
}

/// What the user asked for, as far as workloads need it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Plan {
    pub effort: Effort,
    pub seed: u64,
    /// The cores that threads may run on.
    pub cores: Vec<usize>,
    /// Trace files, unpacked.
    pub traces: Vec<PathBuf>,
}

/// Everything that one run gets.
pub struct Bench<'p> {
    pub case: &'p str,
    pub plan: &'p Plan,
    pub entry: &'static Entry,
    /// The contender's verbs; those of the checking mode around it when the run is checked.
    pub calls: Calls,
}

impl Bench<'_> {
    pub fn hands(&self) -> Hands {
        Hands(self.calls)
    }

    /// The trace that the case is named after.
    pub fn trace(&self) -> Result<Trace> {
        let file = self
            .plan
            .traces
            .iter()
            .find(|path| file::name(path) == self.case);
        file::load(file.context("no such trace")?)
    }

    /// A new heap of `len` bytes for the contender.
    pub fn fresh(&self, len: usize) -> Result<Region> {
        let region = Region::map(len)?;
        anyhow::ensure!(self.reset(region), "cannot live in {len} bytes");
        Ok(region)
    }

    /// Gives the contender `region` as its heap, with all earlier blocks forgotten.
    pub fn reset(&self, region: Region) -> bool {
        check::forget();
        // SAFETY: a run has one thread between its parts, and forgets its blocks before it asks for a new heap.
        unsafe { self.entry.reset(region) }
    }
}
