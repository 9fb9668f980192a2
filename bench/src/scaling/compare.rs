//! The simulation of one and two CPUs beside what the workload `threads` measures with them.

use super::costs::Costs;
use super::design::TODAY;
use super::load::{Load, PATTERNS, Pattern};
use super::measured::{CONTENDERS, Measured, WORKLOAD};
use super::model::{self, Front, Length, Setup};
use super::series::CROWD;
use crate::report::table::{Table, number};

/// Pairs of each thread, as in a run at usual effort, and blocks of each in producer to consumer.
const COUNT: u64 = 500_000;
const FRONTS: [Front; 2] = [Front::PerCpu(TODAY), Front::Locked];

pub fn table(measured: &Measured) -> Table {
    let mut rows = Vec::new();
    for (contender, front) in CONTENDERS.into_iter().zip(FRONTS) {
        for pattern in PATTERNS {
            for cpus in [1, 2] {
                let case = format!("{}, {cpus}", pattern.name());
                let found = measured
                    .throughputs
                    .iter()
                    .find(|found| found.contender == contender && found.case == case);
                if let Some(found) = found {
                    let simulated = simulated(&measured.costs, pattern, front, cpus);
                    rows.push(vec![
                        format!("{contender}, {case}"),
                        number(found.mops),
                        number(simulated),
                        format!("{:+.0} %", (simulated / found.mops - 1.0) * 100.0),
                    ]);
                }
            }
        }
    }
    Table {
        title: format!("{WORKLOAD}, Mops/s, measured and simulated"),
        header: ["", "measured", "simulated", "off by"]
            .map(str::to_owned)
            .to_vec(),
        rows,
        notes: Vec::new(),
    }
}

/// As much as the workload does, and from the same beginning.
fn simulated(costs: &Costs, pattern: Pattern, front: Front, cpus: usize) -> f64 {
    let each = if pattern == Pattern::Pipeline { 1 } else { 2 };
    model::run(&Setup {
        cpus,
        pattern,
        load: Load::default(),
        front,
        costs,
        crowd: CROWD,
        length: Length {
            warm: 0,
            measured: each * COUNT,
        },
    })
    .mops
}
