//! From what the user asks for to tables and files.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::cli::Options;
use crate::contender::{self, Entry, LEFT_OUT, NOOP};
use crate::machine::{self, core_pin::cores};
use crate::report::Report;
use crate::results::Results;
use crate::run::schedule::Schedule;
use crate::trace::file;
use crate::workload::{Effort, Plan, Workload};

/// Contenders, workloads, and all that they need.
pub struct Suite {
    pub contenders: Vec<&'static Entry>,
    pub workloads: Vec<&'static dyn Workload>,
    pub plan: Plan,
    pub rounds: usize,
    core: usize,
    /// Where unpacked traces live as long as the suite does.
    _scratch: tempfile::TempDir,
}

impl Suite {
    pub fn new(
        options: &Options,
        workloads: Vec<&'static dyn Workload>,
        traces: &[PathBuf],
    ) -> Result<Self> {
        let scratch = tempfile::tempdir()?;
        let cores = cores()?;
        let core = options
            .core
            .or(cores.last().copied())
            .context("no core to run on")?;
        let plan = Plan {
            effort: options.effort,
            seed: options.seed,
            traces: unpack(traces, scratch.path())?,
            cores,
        };
        let rounds = options.rounds.unwrap_or(match options.effort {
            Effort::Smoke => 1,
            Effort::Usual => 3,
            Effort::Full => 5,
        });
        ensure!(rounds > 0, "at least one round is needed");
        Ok(Self {
            contenders: chosen(&options.contenders),
            workloads,
            plan,
            rounds,
            core,
            _scratch: scratch,
        })
    }

    /// Runs everything, and says how.
    pub fn report(&self, check: bool) -> Result<Report> {
        let about = self.preface();
        about.iter().for_each(|line| println!("{line}"));
        Ok(Report::new(about, self.plan.clone(), self.run(check)?))
    }

    /// Runs everything; with `check`, every block is filled and verified.
    pub fn run(&self, check: bool) -> Result<Results> {
        let schedule = Schedule {
            workloads: &self.workloads,
            contenders: &self.contenders,
            plan: &self.plan,
            rounds: self.rounds,
            core: self.core,
            check,
        };
        schedule.run()
    }

    /// The lines that say how it was run and who is missing.
    fn preface(&self) -> Vec<String> {
        let mut lines = machine::description();
        lines.push(format!(
            "seed {}, {} rounds, effort {:?}, core {} of {}",
            self.plan.seed,
            self.rounds,
            self.plan.effort,
            self.core,
            self.plan.cores.len()
        ));
        lines.extend(
            LEFT_OUT
                .iter()
                .map(|(name, why)| format!("left out: {name} ({why})")),
        );
        lines
    }
}

/// Decompresses traces once, for all children.
fn unpack(files: &[PathBuf], folder: &Path) -> Result<Vec<PathBuf>> {
    let unpack = |file: &PathBuf| {
        let target = folder.join(file::name(file)).with_extension("pbt");
        fs::write(&target, file::unpacked(file)?)?;
        Ok(target)
    };
    files.iter().map(unpack).collect()
}

/// The chosen contenders, all if none is chosen, and always the no-op, which the others' times are net of.
fn chosen(names: &[&'static Entry]) -> Vec<&'static Entry> {
    if names.is_empty() {
        return contender::ALL.iter().collect();
    }
    let noop = contender::ALL.iter().filter(|entry| entry.name == NOOP);
    let missing = noop.filter(|noop| names.iter().all(|entry| entry.name != noop.name));
    names.iter().copied().chain(missing).collect()
}
