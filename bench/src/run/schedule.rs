//! Which job runs when.

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};

use super::child;
use super::job::{Job, Outcome};
use crate::contender::Entry;
use crate::results::{Record, Results};
use crate::workload::{Plan, Workload};

/// All that is to be run.
pub struct Schedule<'a> {
    pub workloads: Vec<&'static dyn Workload>,
    pub contenders: Vec<&'static Entry>,
    pub plan: &'a Plan,
    pub rounds: usize,
    pub core: usize,
    pub check: bool,
}

impl Schedule<'_> {
    /// Runs every case with every contender, once in each round. The order of the contenders rotates, so that nobody
    /// always runs after the same neighbour. A contender that failed a case is not tried again in it.
    pub fn run(&self) -> Result<Results> {
        let cases = self.cases();
        let bar = ProgressBar::new((self.rounds * cases.len() * self.contenders.len()) as u64);
        bar.set_style(ProgressStyle::with_template(
            "{bar:30} {pos}/{len} {elapsed}/{duration} {msg}",
        )?);
        let mut results = Results::default();
        for round in 0..self.rounds {
            for (turn, (workload, case)) in cases.iter().enumerate() {
                for position in 0..self.contenders.len() {
                    let contender =
                        self.contenders[(position + turn + round) % self.contenders.len()];
                    bar.set_message(format!("{} {case} {}", workload.name(), contender.name));
                    self.turn(*workload, case, contender, round, &mut results)?;
                    bar.inc(1);
                }
            }
        }
        bar.finish_and_clear();
        Ok(results)
    }

    fn cases(&self) -> Vec<(&'static dyn Workload, String)> {
        let of = |workload: &&'static dyn Workload| {
            let workload = *workload;
            workload
                .cases(self.plan)
                .into_iter()
                .map(move |case| (workload, case))
        };
        self.workloads.iter().flat_map(of).collect()
    }

    fn turn(
        &self,
        workload: &'static dyn Workload,
        case: &str,
        contender: &Entry,
        round: usize,
        results: &mut Results,
    ) -> Result<()> {
        let applies = contender.bounded || !workload.needs_region();
        if !applies
            || results
                .failure(workload.name(), case, contender.name)
                .is_some()
        {
            return Ok(());
        }
        let job = Job {
            workload: workload.name().to_owned(),
            case: case.to_owned(),
            contender: contender.name.to_owned(),
            core: self.core,
            check: self.check,
            plan: Plan {
                seed: self.plan.seed + round as u64,
                ..self.plan.clone()
            },
        };
        let record = |metric: &str, value| Record {
            workload: workload.name().to_owned(),
            case: case.to_owned(),
            contender: contender.name.to_owned(),
            round,
            metric: metric.to_owned(),
            value,
        };
        match child::run(&job, workload.patience(self.plan))? {
            Outcome::Measured(measures) => {
                results.records.extend(
                    measures
                        .iter()
                        .map(|(metric, value)| record(metric, *value)),
                );
            }
            Outcome::Failed(reason) => results.fail(workload.name(), case, contender.name, reason),
        }
        Ok(())
    }
}
