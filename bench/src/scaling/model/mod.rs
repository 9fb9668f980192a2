//! The simulation: CPUs in virtual time, each with its lists, and the locks that they share.
//!
//! An event is what may depend on another CPU: wanting or leaving a lock, passing blocks on. Between two of them a CPU
//! goes through its own lists alone, and is simulated in one go.

mod central;
mod cpu;
pub mod lists;
mod lock;
mod machine;
mod prices;
mod time;

pub use central::{Central, Moved};

use super::costs::Costs;
use super::design::Design;
use super::load::{Load, Pattern};

#[derive(Clone, Copy)]
pub struct Setup<'c> {
    pub cpus: usize,
    pub pattern: Pattern,
    pub load: Load,
    pub front: Front,
    pub costs: &'c Costs,
    /// What each waiter beyond the first adds to a hand-over of the lock, in transfers of its line.
    pub crowd: f64,
    pub length: Length,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Front {
    PerCpu(Design),
    /// One allocator behind a lock.
    Locked,
}

/// Operations of each CPU, before and while it is measured.
#[derive(Clone, Copy, Debug)]
pub struct Length {
    pub warm: u64,
    pub measured: u64,
}

#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    /// Allocations and frees of all CPUs.
    pub mops: f64,
    /// The part of the time in which the lock is held; with several, the one that is held longest.
    pub held: f64,
    /// The part of the CPUs' time in which they wait for a lock.
    pub waited: f64,
    /// Operations that took the lock, and that were deferred since they did not get it.
    pub locked: f64,
    pub deferred: f64,
}

pub fn run(setup: &Setup) -> Outcome {
    machine::Machine::new(setup).run()
}
