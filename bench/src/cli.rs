//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::contender::{self, Entry};
use crate::workload::{self, Effort, Workload};

/// Which allocator should I use?
#[derive(Parser)]
#[command(version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub run: Run,
}

#[derive(Subcommand)]
pub enum Command {
    /// All workloads, or some; what is done without a command, too.
    Run(Run),
    /// Recorded programs: time, and the smallest heap in which each succeeds.
    Traces(Traces),
    /// A short run of everything that fails if a result is missing or makes no sense.
    Smoke(Options),
    /// Records every allocation of a Linux program.
    Record {
        /// The trace; compressed if its name ends in .xz.
        #[arg(long, short, default_value = "recorded.pbt.xz")]
        output: PathBuf,
        /// The program and its arguments.
        #[arg(last = true, required = true)]
        program: Vec<OsString>,
    },
    /// Puts recorded programs through every contender.
    Replay {
        #[arg(required = true)]
        files: Vec<PathBuf>,
        #[command(flatten)]
        run: Run,
    },
    /// One report of several runs.
    Report {
        /// Where they wrote their results.
        #[arg(required = true)]
        folders: Vec<PathBuf>,
        #[arg(long, short, default_value = "target/galloc-bench")]
        out: PathBuf,
    },
    /// Where the allocator for many CPUs stops scaling, by simulation with what things cost here. Takes two cores.
    Scaling(Scaling),
    /// How much code allocators take.
    Size,
    /// What operations take in instructions, mispredicted branches and cache misses, beside what docs/counts.md says.
    /// Needs valgrind.
    Counts(Counts),
    /// What contenders and workloads there are.
    List,
    /// One run, in a process of its own, which the suite starts.
    #[command(hide = true)]
    Child { job: String },
}

#[derive(Args)]
pub struct Run {
    /// Only these workloads, by name.
    #[arg(long, short, value_delimiter = ',', value_parser = workload_name)]
    pub workloads: Vec<&'static dyn Workload>,
    /// Fill and verify every block instead of measuring well.
    #[arg(long)]
    pub check: bool,
    /// Where report, plots and figures go.
    #[arg(long, short, default_value = "target/galloc-bench")]
    pub out: PathBuf,
    #[command(flatten)]
    pub options: Options,
}

#[derive(Args)]
pub struct Scaling {
    /// What an earlier run measured, instead of measuring.
    #[arg(long)]
    pub measured: Option<PathBuf>,
    /// Only measure, which takes seconds in which nothing else should run, and leave the simulation for later.
    #[arg(long, conflicts_with = "measured")]
    pub only_measure: bool,
    /// Where tables, plot and measured.json go.
    #[arg(long, short, default_value = "target/galloc-bench")]
    pub out: PathBuf,
}

#[derive(Args)]
pub struct Counts {
    /// Fail if a figure is worse than in docs/counts.md, unless another compiler made that.
    #[arg(long)]
    pub check: bool,
    /// Write docs/counts.md.
    #[arg(long, conflicts_with = "check")]
    pub write: bool,
    /// Be the program whose instructions are counted.
    #[arg(long, hide = true)]
    pub inside: bool,
}

#[derive(Args)]
pub struct Traces {
    /// Only these traces, by name.
    #[arg(long, value_delimiter = ',')]
    pub traces: Vec<String>,
    /// Only the time.
    #[arg(long, conflicts_with = "region_only")]
    pub time_only: bool,
    /// Only the smallest heap.
    #[arg(long)]
    pub region_only: bool,
    /// Fill and verify every block instead of measuring well.
    #[arg(long)]
    pub check: bool,
    #[command(flatten)]
    pub options: Options,
}

#[derive(Args)]
pub struct Options {
    /// Only these contenders, by name.
    #[arg(long, short, value_delimiter = ',', value_parser = contender_name)]
    pub contenders: Vec<&'static Entry>,
    /// How often each contender runs each case; by default 3, or 5 at full effort.
    #[arg(long, short)]
    pub rounds: Option<usize>,
    /// How much each run does.
    #[arg(long, short, value_enum, default_value = "usual")]
    pub effort: Effort,
    /// Of all random choices.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// The core to run on; by default the last one.
    #[arg(long)]
    pub core: Option<usize>,
}

fn contender_name(name: &str) -> Result<&'static Entry, String> {
    contender::named(name).ok_or_else(|| {
        let names: Vec<_> = contender::ALL.iter().map(|entry| entry.name).collect();
        format!("the contenders are: {}", names.join(", "))
    })
}

fn workload_name(name: &str) -> Result<&'static dyn Workload, String> {
    workload::named(name).ok_or_else(|| {
        let names: Vec<_> = workload::ALL
            .iter()
            .map(|workload| workload.name())
            .collect();
        format!("the workloads are: {}", names.join(", "))
    })
}
