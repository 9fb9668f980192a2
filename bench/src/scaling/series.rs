//! Throughput over the number of CPUs.

use std::thread;

use super::costs::Costs;
use super::load::{Load, Pattern};
use super::model::{self, Front, Length, Outcome, Setup};

/// The numbers of CPUs in the plot.
pub const CPUS: [usize; 14] = [2, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256];

/// Most operations go by until lists are about as full as they stay.
const USUAL: Length = Length {
    warm: 24_000,
    measured: 10_000,
};
/// One that is locked has no lists that would have to fill.
const LOCKED: Length = Length {
    warm: 2_000,
    measured: 4_000,
};

/// What waiters beyond the first cost, in transfers of the lock's line: on average half of the others are served before
/// the one that wins.
pub const CROWD: f64 = 0.5;

pub struct Series(pub Vec<(usize, Outcome)>);

/// One load on one allocator.
#[derive(Clone, Copy)]
pub struct Case {
    pub pattern: Pattern,
    pub load: Load,
    pub front: Front,
    pub crowd: f64,
}

impl Case {
    pub fn new(pattern: Pattern, front: Front) -> Self {
        Self {
            pattern,
            load: Load::default(),
            front,
            crowd: CROWD,
        }
    }

    fn simulate(&self, costs: &Costs, cpus: &[usize]) -> Series {
        let length = match self.front {
            Front::PerCpu(_) => USUAL,
            Front::Locked => LOCKED,
        };
        let outcome = |&cpus: &usize| {
            let setup = Setup {
                cpus,
                pattern: self.pattern,
                load: self.load,
                front: self.front,
                costs,
                crowd: self.crowd,
                length,
            };
            (cpus, model::run(&setup))
        };
        Series(cpus.iter().map(outcome).collect())
    }
}

/// Simulates several cases at once, each with these numbers of CPUs.
pub fn simulate_all(cases: &[Case], costs: &Costs, cpus: &[usize]) -> Vec<Series> {
    thread::scope(|scope| {
        let handles: Vec<_> = cases
            .iter()
            .map(|case| scope.spawn(|| case.simulate(costs, cpus)))
            .collect();
        let joined = handles.into_iter().map(|handle| handle.join());
        joined
            .map(|series| series.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

impl Series {
    pub fn at(&self, cpus: usize) -> Option<&Outcome> {
        self.0
            .iter()
            .find(|(found, _)| *found == cpus)
            .map(|(_, outcome)| outcome)
    }

    /// The throughput if every two CPUs did what the first two do.
    pub fn ideal(&self, cpus: usize) -> f64 {
        let (first, outcome) = &self.0[0];
        outcome.mops / *first as f64 * cpus as f64
    }

    /// The most CPUs, up to which all numbers of them do at least half of that.
    pub fn scales_to(&self) -> usize {
        let good = self
            .0
            .iter()
            .take_while(|(cpus, outcome)| outcome.mops >= self.ideal(*cpus) / 2.0);
        good.last().map_or(0, |(cpus, _)| *cpus)
    }

    /// The number of CPUs with the highest throughput, and that.
    pub fn peak(&self) -> (usize, f64) {
        let points = self.0.iter().map(|(cpus, outcome)| (*cpus, outcome.mops));
        points.fold(
            (0, 0.0),
            |best, point| if point.1 > best.1 { point } else { best },
        )
    }
}
