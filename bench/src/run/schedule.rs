//! Which job runs when.

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};

use super::child;
use super::job::{Job, Outcome};
use crate::contender::Entry;
use crate::results::{Key, Results};
use crate::workload::{Plan, Workload};

/// All that is to be run.
pub struct Schedule<'a> {
    pub workloads: &'a [&'static dyn Workload],
    pub contenders: &'a [&'static Entry],
    pub plan: &'a Plan,
    pub rounds: usize,
    pub core: usize,
    pub check: bool,
}

/// One case of one workload.
struct Turn {
    workload: &'static dyn Workload,
    case: String,
    round: usize,
}

impl Schedule<'_> {
    /// Runs every case with every contender, once in each round. The order of the contenders rotates, so that nobody
    /// always runs after the same neighbour.
    pub fn run(&self) -> Result<Results> {
        let turns = self.turns();
        let bar = ProgressBar::new((turns.len() * self.contenders.len()) as u64);
        bar.set_style(ProgressStyle::with_template(
            "{bar:30} {pos}/{len} {elapsed} {msg}",
        )?);
        let mut results = Results::default();
        for (number, turn) in turns.iter().enumerate() {
            for position in 0..self.contenders.len() {
                let contender = self.contenders[(position + number) % self.contenders.len()];
                bar.set_message(format!(
                    "{} {}: {}",
                    turn.workload.name(),
                    turn.case,
                    contender.name
                ));
                self.take(turn, contender, &mut results)?;
                bar.inc(1);
            }
        }
        bar.finish_and_clear();
        Ok(results)
    }

    fn turns(&self) -> Vec<Turn> {
        let mut turns = Vec::new();
        for round in 0..self.rounds {
            for &workload in self.workloads {
                if round == 0 || workload.varies() {
                    let cases = workload.cases(self.plan);
                    turns.extend(cases.into_iter().map(|case| Turn {
                        workload,
                        case,
                        round,
                    }));
                }
            }
        }
        turns
    }

    /// One run of one contender. What failed once is not tried again, nor is a workload in which a contender hung twice.
    fn take(&self, turn: &Turn, contender: &Entry, results: &mut Results) -> Result<()> {
        let workload = turn.workload;
        let key = Key::new(workload.name(), &turn.case, contender.name);
        let applies = contender.bounded || !workload.needs_region();
        if !applies || results.failures.contains_key(&key) {
            return Ok(());
        }
        if results.hangs(workload.name(), contender.name) >= 2 {
            results
                .failures
                .insert(key, "not tried, as it hung twice before".to_owned());
            return Ok(());
        }
        let job = Job {
            workload: workload.name().to_owned(),
            case: turn.case.clone(),
            contender: contender.name.to_owned(),
            core: self.core,
            check: self.check,
            plan: Plan {
                seed: self.plan.seed + turn.round as u64,
                ..self.plan.clone()
            },
        };
        match child::run(&job, self.plan.effort.patience())? {
            Outcome::Measured(measures) => results.add(&key, measures),
            Outcome::Failed(reason) => {
                results.failures.insert(key, reason);
            }
        }
        Ok(())
    }
}
