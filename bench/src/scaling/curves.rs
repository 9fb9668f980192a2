//! The allocator as it is, and one locked allocator, for every pattern.

use super::costs::Costs;
use super::design::TODAY;
use super::load::{PATTERNS, Pattern};
use super::model::Front;
use super::series::{CPUS, Case, Series, simulate_all};
use crate::report::table::{Table, number};

pub struct Curves(pub Vec<Curve>);

pub struct Curve {
    pub pattern: Pattern,
    pub per_cpu: Series,
    pub locked: Series,
}

impl Curves {
    pub fn simulate(costs: &Costs) -> Self {
        let cases: Vec<Case> = PATTERNS
            .into_iter()
            .flat_map(|pattern| {
                [Front::PerCpu(TODAY), Front::Locked].map(|front| Case::new(pattern, front))
            })
            .collect();
        let mut series = simulate_all(&cases, costs, &CPUS).into_iter();
        let mut curves = Vec::new();
        for pattern in PATTERNS {
            if let (Some(per_cpu), Some(locked)) = (series.next(), series.next()) {
                curves.push(Curve {
                    pattern,
                    per_cpu,
                    locked,
                });
            }
        }
        Self(curves)
    }

    pub fn tables(&self) -> Vec<Table> {
        self.0.iter().map(Curve::table).collect()
    }
}

impl Curve {
    fn table(&self) -> Table {
        let row = |&cpus: &usize| {
            let (per_cpu, locked) = (self.per_cpu.at(cpus)?, self.locked.at(cpus)?);
            Some(vec![
                cpus.to_string(),
                number(per_cpu.mops),
                percent(per_cpu.mops / self.per_cpu.ideal(cpus)),
                percent(per_cpu.held),
                percent(per_cpu.waited),
                percent(per_cpu.locked),
                percent(per_cpu.deferred),
                number(locked.mops),
            ])
        };
        Table {
            title: format!(
                "{}, simulated: at least half of ideal to {} CPUs",
                self.pattern.name(),
                self.per_cpu.scales_to()
            ),
            header: [
                "CPUs",
                "Mops/s",
                "of ideal",
                "lock is held",
                "CPUs wait",
                "operations that lock",
                "that defer",
                "one locked allocator, Mops/s",
            ]
            .map(str::to_owned)
            .to_vec(),
            rows: CPUS.iter().filter_map(row).collect(),
            notes: Vec::new(),
        }
    }
}

pub fn percent(part: f64) -> String {
    let percent = part * 100.0;
    match percent {
        percent if percent >= 10.0 => format!("{percent:.0} %"),
        percent if percent >= 0.1 => format!("{percent:.1} %"),
        percent => format!("{percent:.3} %"),
    }
}
