//! Which allocator should I use? See `BENCHMARKS.md` at the root of the repository for method and results.

mod bisect;
mod check;
mod cli;
mod contender;
mod counts;
mod hands;
mod machine;
mod report;
mod results;
mod run;
mod scaling;
mod size;
mod smoke;
mod stats;
mod suite;
mod touch;
mod trace;
mod workload;

use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::Parser;

use cli::{Cli, Command, Options, Run, Traces};
use report::Report;
use suite::Suite;
use trace::file;
use workload::{Effort, TraceRegion, TraceTime, Workload};

fn main() -> Result<()> {
    let cli = Cli::parse();
    match cli.command {
        None => run(&cli.run),
        Some(Command::Run(options)) => run(&options),
        Some(Command::Traces(options)) => traces(&options),
        Some(Command::Smoke(options)) => smoke(options),
        Some(Command::Record { output, program }) => trace::record::record(&program, &output),
        Some(Command::Replay { files, run }) => replay(&files, &run),
        Some(Command::Report { folders, out }) => Report::read(&folders)?.write(&out),
        Some(Command::Size) => size::print(),
        Some(Command::Counts(options)) => counts::run(&options),
        Some(Command::Scaling(options)) => scaling::run(&options),
        Some(Command::List) => list(),
        Some(Command::Child { job }) => run::child::serve(&job),
    }
}

fn run(run: &Run) -> Result<()> {
    let workloads = if run.workloads.is_empty() {
        workload::ALL.to_vec()
    } else {
        run.workloads.clone()
    };
    measure(run, workloads, &file::bundled()?)
}

fn replay(files: &[PathBuf], run: &Run) -> Result<()> {
    measure(run, vec![&TraceTime, &TraceRegion], files)
}

fn measure(run: &Run, workloads: Vec<&'static dyn Workload>, traces: &[PathBuf]) -> Result<()> {
    let report = Suite::new(&run.options, workloads, traces)?.report(run.check)?;
    report.print();
    report.write(&run.out)
}

fn traces(traces: &Traces) -> Result<()> {
    let mut files = file::bundled()?;
    if !traces.traces.is_empty() {
        files.retain(|file| traces.traces.contains(&file::name(file)));
        ensure!(!files.is_empty(), "no such trace");
    }
    let both: [(bool, &'static dyn Workload); 2] = [
        (!traces.region_only, &TraceTime),
        (!traces.time_only, &TraceRegion),
    ];
    let workloads = both
        .into_iter()
        .filter_map(|(wanted, workload)| wanted.then_some(workload))
        .collect();
    Suite::new(&traces.options, workloads, &files)?
        .report(traces.check)?
        .print();
    Ok(())
}

/// With the shortest traces, as the others are like them.
fn smoke(mut options: Options) -> Result<()> {
    const SHORT: [&str; 2] = ["rs_json", "sqlite"];
    options.effort = Effort::Smoke;
    let mut files = file::bundled()?;
    files.retain(|file| SHORT.contains(&file::name(file).as_str()));
    smoke::run(&Suite::new(&options, workload::ALL.to_vec(), &files)?)
}

fn list() -> Result<()> {
    contender::ALL
        .iter()
        .for_each(|entry| println!("contender  {}", entry.name));
    contender::LEFT_OUT
        .iter()
        .for_each(|(name, why)| println!("left out   {name}: {why}"));
    workload::ALL
        .iter()
        .for_each(|workload| println!("workload   {}: {}", workload.name(), workload.about()));
    Ok(())
}
