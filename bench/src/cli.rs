//! The command line.

use clap::{Args, Parser, Subcommand};

use crate::contender::{self, Entry};
use crate::workload::Effort;

/// Which allocator should I use?
#[derive(Parser)]
#[command(version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Recorded programs: time, and the smallest heap in which each succeeds.
    Traces(Traces),
    /// One run, in a process of its own, which the suite starts.
    #[command(hide = true)]
    Child { job: String },
}

#[derive(Args)]
pub struct Traces {
    #[command(flatten)]
    pub common: Common,
    /// Only these traces, by name.
    #[arg(long, value_delimiter = ',')]
    pub traces: Vec<String>,
    /// Only the time.
    #[arg(long, conflicts_with = "region_only")]
    pub time_only: bool,
    /// Only the smallest heap.
    #[arg(long)]
    pub region_only: bool,
}

#[derive(Args)]
pub struct Common {
    /// Only these contenders, by name.
    #[arg(long, short, value_delimiter = ',', value_parser = contender_name)]
    pub contenders: Vec<&'static Entry>,
    /// How often each contender runs each case.
    #[arg(long, short, default_value_t = 5)]
    pub rounds: usize,
    /// How much each run does.
    #[arg(long, value_enum, default_value = "usual")]
    pub effort: Effort,
    /// Of all random choices.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// The core to run on; by default the last one.
    #[arg(long)]
    pub core: Option<usize>,
    /// Fill and verify every block instead of measuring well.
    #[arg(long)]
    pub check: bool,
}

fn contender_name(name: &str) -> Result<&'static Entry, String> {
    contender::named(name).ok_or_else(|| {
        let names: Vec<_> = contender::ALL.iter().map(|entry| entry.name).collect();
        format!("the contenders are: {}", names.join(", "))
    })
}
