//! The simulation: CPUs in virtual time, each with its lists, and the locks that they share.
//!
//! An event is what may depend on another CPU: wanting or leaving a lock, passing blocks on. Between two of them a CPU
//! goes through its own lists alone, and is simulated in one go.

mod central;
mod cpu;
mod kept;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scaling::costs::Line;
    use crate::scaling::design::TODAY;

    /// Round numbers.
    const COSTS: Costs = Costs {
        loop_pair: 10.0,
        pair: 20.0,
        mixed: 0.0,
        locked_pair: 110.0,
        locked_contended: 50.0,
        produce: 10.0,
        consume: 10.0,
        consume_foreign: 0.0,
        channel: 0.0,
        cut: NOTHING,
        refill_own: NOTHING,
        refill_foreign: NOTHING,
        refill_cut: NOTHING,
        give_back: NOTHING,
        give_back_travelled: NOTHING,
        heap_alloc: 0.0,
        heap_free: 0.0,
        kept_alloc: 0.0,
        kept_free: 0.0,
        swap: 0.0,
        transfer: 0.0,
        ping_pong: 0.0,
        hand_over: 0.0,
    };
    const THROUGH_HEAP: Design = Design { out: 0, ..TODAY };
    const NOTHING: Line = Line {
        base: 0.0,
        each: 0.0,
    };

    fn mops(cpus: usize, pattern: Pattern, front: Front, costs: &Costs) -> f64 {
        run(&Setup {
            cpus,
            pattern,
            load: Load::default(),
            front,
            costs,
            crowd: 1.0,
            length: Length {
                warm: 20_000,
                measured: 20_000,
            },
        })
        .mops
    }

    #[test]
    fn a_pipeline_of_whose_blocks_half_a_list_is_put_out_does_without_the_lock() {
        let outcome = run(&Setup {
            cpus: 16,
            pattern: Pattern::Pipeline,
            load: Load::default(),
            front: Front::PerCpu(TODAY),
            costs: &COSTS,
            crowd: 1.0,
            length: Length {
                warm: 100_000,
                measured: 20_000,
            },
        });
        assert!(outcome.locked < 1e-3, "{outcome:?}");
        assert_eq!(outcome.deferred, 0.0);
    }

    fn close(value: f64, expected: f64) -> bool {
        (value / expected - 1.0).abs() < 0.03
    }

    #[test]
    fn without_contention_throughput_is_linear() {
        // Nothing takes time under the lock.
        let costs = Costs {
            locked_pair: COSTS.loop_pair,
            ..COSTS
        };
        for pattern in [Pattern::Private, Pattern::Larson, Pattern::Pipeline] {
            for cpus in [2, 8, 64] {
                let mops = mops(cpus, pattern, Front::PerCpu(TODAY), &costs);
                assert!(
                    close(mops, 100.0 * cpus as f64),
                    "{pattern:?}, {cpus}: {mops}"
                );
            }
        }
    }

    #[test]
    fn where_every_operation_locks_it_is_flat_at_one_per_time_held() {
        // 50 ns under the lock, and 5 outside.
        assert!(close(
            mops(1, Pattern::Private, Front::Locked, &COSTS),
            1e3 / 55.0
        ));
        for cpus in [2, 8, 64] {
            let mops = mops(cpus, Pattern::Private, Front::Locked, &COSTS);
            assert!(close(mops, 1e3 / 50.0), "{cpus}: {mops}");
        }
    }

    #[test]
    fn waiters_and_hand_overs_take_their_time_from_everybody() {
        let costs = Costs {
            transfer: 10.0,
            locked_contended: 80.0,
            ..COSTS
        };
        // Of 8 CPUs one has just left, one is the next, and six wait besides.
        let mops = mops(8, Pattern::Private, Front::Locked, &costs);
        assert!(close(mops, 1e3 / (80.0 + 60.0)), "{mops}");
    }

    #[test]
    fn a_pipeline_is_bound_by_what_its_batches_hold_the_lock_for() {
        let base = 64_000.0;
        let line = Line { base, each: 0.0 };
        let costs = Costs {
            refill_own: line,
            refill_foreign: line,
            refill_cut: line,
            ..COSTS
        };
        // No grant is revoked, and all blocks go through the heap.
        let roomy = Design {
            heap: TODAY.heap * 16,
            ..THROUGH_HEAP
        };
        let outcome = |cpus| mops(cpus, Pattern::Pipeline, Front::PerCpu(roomy), &costs);
        // A refill brings as many blocks to every pair, however many pairs wait for it.
        let (few, many) = (outcome(8), outcome(64));
        assert!(close(few, many), "{few}, {many}");
        // Lists have grown to batches of 64, and each block is two operations.
        let per_refill = many * base / 1e3 / 2.0;
        assert!((60.0..65.0).contains(&per_refill), "{per_refill}");
    }

    #[test]
    fn a_free_that_finds_the_lock_held_is_deferred_and_never_waits() {
        let line = Line {
            base: 1000.0,
            each: 0.0,
        };
        let costs = Costs {
            give_back: line,
            give_back_travelled: line,
            refill_own: line,
            refill_foreign: line,
            refill_cut: line,
            ..COSTS
        };
        let outcome = run(&Setup {
            cpus: 16,
            pattern: Pattern::Pipeline,
            load: Load::default(),
            front: Front::PerCpu(THROUGH_HEAP),
            costs: &costs,
            crowd: 1.0,
            length: Length {
                warm: 20_000,
                measured: 20_000,
            },
        });
        assert!(outcome.deferred > 1e-3 && outcome.held > 0.9, "{outcome:?}");
        // The producers wait, half of the CPUs.
        assert!(outcome.waited <= 0.5, "{outcome:?}");
    }
}
