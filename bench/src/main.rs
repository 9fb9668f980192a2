//! Which allocator should I use? See `BENCHMARKS.md` at the root of the repository for method and results.

mod bisect;
mod check;
mod cli;
mod contender;
mod machine;
mod report;
mod results;
mod run;
mod stats;
mod touch;
mod trace;
mod workload;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::Parser;

use cli::{Cli, Command, Common, Traces};
use contender::{Entry, NOOP};
use run::schedule::Schedule;
use workload::{Plan, TraceRegion, TraceTime, Workload};

fn main() -> Result<()> {
    match Cli::parse().command {
        Command::Traces(options) => traces(&options),
        Command::Child { job } => run::child::serve(&job),
    }
}

fn traces(options: &Traces) -> Result<()> {
    let mut files = trace::file::bundled()?;
    if !options.traces.is_empty() {
        files.retain(|file| options.traces.contains(&trace::file::name(file)));
        ensure!(!files.is_empty(), "no such trace");
    }
    let scratch = tempfile::tempdir()?;
    let plan = Plan {
        effort: options.common.effort,
        seed: options.common.seed,
        traces: unpack(&files, scratch.path())?,
    };
    if !options.region_only {
        let results = run(&options.common, &plan, &TraceTime, options.common.rounds)?;
        print(&results, &options.common, &plan, &TraceTime);
    }
    if !options.time_only {
        // The same every time.
        let results = run(&options.common, &plan, &TraceRegion, 1)?;
        print(&results, &options.common, &plan, &TraceRegion);
    }
    Ok(())
}

/// Decompresses traces once, for all children.
fn unpack(files: &[PathBuf], folder: &Path) -> Result<Vec<PathBuf>> {
    let unpack = |file: &PathBuf| {
        let target = folder.join(trace::file::name(file)).with_extension("pbt");
        fs::write(&target, trace::file::unpacked(file)?)?;
        Ok(target)
    };
    files.iter().map(unpack).collect()
}

fn run(
    common: &Common,
    plan: &Plan,
    workload: &'static dyn Workload,
    rounds: usize,
) -> Result<results::Results> {
    let cores = machine::core_pin::cores()?;
    let core = common
        .core
        .or(cores.last().copied())
        .context("no core to run on")?;
    let schedule = Schedule {
        workloads: vec![workload],
        contenders: chosen(common),
        plan,
        rounds,
        core,
        check: common.check,
    };
    schedule.run()
}

/// The chosen contenders, and always the no-op, which the others' times are net of.
fn chosen(common: &Common) -> Vec<&'static Entry> {
    if common.contenders.is_empty() {
        return contender::ALL.iter().collect();
    }
    let mut chosen = common.contenders.clone();
    if !chosen.iter().any(|entry| entry.name == NOOP) {
        chosen.extend(contender::named(NOOP));
    }
    chosen
}

fn print(results: &results::Results, common: &Common, plan: &Plan, workload: &dyn Workload) {
    let yardstick = "talc";
    for metric in workload.metrics() {
        let cases = workload.cases(plan);
        println!(
            "{}",
            report::table::of(
                results,
                workload,
                metric,
                &cases,
                &chosen(common),
                yardstick
            )
        );
    }
}
