//! What the simulation is fed with, and what it is compared with.

use std::thread;

use anyhow::{Context, Result, anyhow};
use serde::{Deserialize, Serialize};

use super::costs::Costs;
use crate::cli::Options;
use crate::contender;
use crate::machine::{self, core_pin::cores};
use crate::stats::median;
use crate::suite::Suite;
use crate::workload::{self, Effort};

/// The workload whose loops are simulated.
pub const WORKLOAD: &str = "threads";
const METRIC: &str = "throughput";
pub const CONTENDERS: [&str; 2] = ["galloc-per-cpu", "galloc"];
const ROUNDS: usize = 7;

#[derive(Serialize, Deserialize)]
pub struct Measured {
    pub machine: Vec<String>,
    pub costs: Costs,
    pub throughputs: Vec<Throughput>,
}

#[derive(Serialize, Deserialize)]
pub struct Throughput {
    pub contender: String,
    pub case: String,
    /// The median of the rounds.
    pub mops: f64,
}

impl Measured {
    pub fn now() -> Result<Self> {
        let cores = cores()?;
        // In a thread of its own, which stays on its core.
        let costs = thread::spawn(move || Costs::measure(&cores)).join();
        Ok(Self {
            machine: machine::description(),
            costs: costs.map_err(|_| anyhow!("a measurement panicked"))??,
            throughputs: throughputs()?,
        })
    }
}

fn throughputs() -> Result<Vec<Throughput>> {
    let entries = CONTENDERS.map(|name| contender::named(name).context("no such contender"));
    let options = Options {
        contenders: entries.into_iter().collect::<Result<_>>()?,
        rounds: Some(ROUNDS),
        effort: Effort::Usual,
        seed: 1,
        core: None,
    };
    let threads = workload::named(WORKLOAD).context("no such workload")?;
    let results = Suite::new(&options, vec![threads], &[])?.run(false)?;
    let of_metric = results.samples.iter().filter_map(|(key, metrics)| {
        Some(Throughput {
            contender: key.contender.clone(),
            case: key.case.clone(),
            mops: median(metrics.get(METRIC)?),
        })
    });
    Ok(of_metric.collect())
}
