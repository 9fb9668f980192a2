//! Costs as times of the simulation.

use super::central::Settled;
use super::lock::LineCosts;
use super::time::{Time, from_ns};
use super::{Front, Moved, Setup};
use crate::scaling::costs::Costs;

/// How long something takes: under the lock, and after it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Price {
    pub held: Time,
    pub after: Time,
}

pub struct Prices {
    costs: Costs,
    pub line: LineCosts,
    pub loop_half: Time,
    pub hit: Time,
    /// What is added to half a pair where blocks of all CPUs are mixed.
    pub mixed_half: Time,
    pub produce: Time,
    pub consume: Time,
    pub consume_foreign: Time,
    pub channel: Time,
    /// Half of the loop, and a large block that the CPU keeps.
    pub kept_alloc: Time,
    pub kept_free: Time,
    /// Putting something onto the list of what is deferred: another line that everybody writes.
    pub deferral: Time,
    /// Taking a block out of one's own list.
    pub unlink: Time,
    /// Taking or putting something where no other CPU did.
    pub swap: Time,
    transfer: Time,
}

impl Prices {
    pub fn new(setup: &Setup) -> Self {
        let costs = setup.costs;
        let hand_over = match setup.front {
            Front::PerCpu(_) => costs.hand_over,
            // The one who gave the lock back often gets it again, and the lines need not travel. That is measured as one.
            Front::Locked => costs.locked_contended - locked(costs),
        };
        // The likelihood that the block next in memory is another CPU's, to that with the two CPUs of the measurement.
        let neighbours = 2.0 * (1.0 - 1.0 / setup.cpus as f64);
        Self {
            costs: *costs,
            line: LineCosts {
                transfer: from_ns(costs.transfer),
                hand_over: from_ns(hand_over),
                crowd: from_ns(costs.transfer * setup.crowd),
            },
            loop_half: from_ns(costs.loop_pair / 2.0),
            hit: from_ns(costs.pair / 2.0),
            mixed_half: from_ns(costs.mixed / 2.0 * neighbours),
            produce: from_ns(costs.produce),
            consume: from_ns(costs.consume),
            consume_foreign: from_ns(costs.consume_foreign),
            channel: from_ns(costs.channel),
            kept_alloc: from_ns(costs.loop_pair / 2.0 + costs.kept_alloc),
            kept_free: from_ns(costs.loop_pair / 2.0 + costs.kept_free),
            deferral: from_ns(costs.transfer * 2.0),
            unlink: from_ns(costs.refill_own.each),
            swap: from_ns(costs.swap),
            transfer: from_ns(costs.transfer),
        }
    }

    /// Looking into one's own outbox, and into so many others, which may have changed.
    pub fn look_into(&self, others: u64) -> Time {
        self.swap + self.transfer * others
    }

    /// Cutting so many blocks from one's own piece.
    pub fn cut(&self, count: u32) -> Time {
        from_ns(self.costs.cut.at(count).max(0.0))
    }

    /// What it adds that another CPU had the heap before.
    fn travel(&self) -> f64 {
        self.costs.refill_foreign.base - self.costs.refill_own.base
    }

    /// Filling a list, for which so many blocks of another were given back.
    pub fn refill(&self, moved: Moved, revoked: u32, travels: bool, whole: bool) -> Price {
        let costs = &self.costs;
        let mut base = if moved.cut > 0 {
            costs.refill_cut.base
        } else {
            costs.refill_own.base
        };
        if travels {
            base += self.travel();
        }
        let each = f64::from(moved.own) * costs.refill_own.each
            + f64::from(moved.foreign) * costs.refill_foreign.each
            + f64::from(moved.cut) * costs.refill_cut.each
            + f64::from(revoked) * freed(costs);
        self.move_blocks(base, each, whole)
    }

    /// Giving so many blocks of a list to the heap's, and freeing those of another.
    pub fn give_back(&self, count: u32, revoked: u32, travels: bool, whole: bool) -> Price {
        let costs = &self.costs;
        let mut base = costs.give_back.base;
        if travels {
            // What it was measured to be more with so many blocks, of which some of the way is made meanwhile.
            let (own, travelled) = (costs.give_back, costs.give_back_travelled);
            base += (travelled.at(count) - own.at(count)).max(0.0);
        }
        let each = f64::from(count) * costs.give_back.each + f64::from(revoked) * freed(costs);
        self.move_blocks(base, each, whole)
    }

    /// Moving blocks takes the lock, whatever the measured line says of none.
    fn move_blocks(&self, base: f64, each: f64, whole: bool) -> Price {
        price(base.max(locked(&self.costs)), each, whole)
    }

    /// What deferred blocks take: each has to come from the cache of the one who deferred it, and is freed. Whole batches do
    /// as one.
    pub fn settle(&self, settled: Settled, whole: bool) -> Time {
        let Settled { chains, blocks } = settled;
        let moved = if whole { chains } else { blocks };
        from_ns(f64::from(moved) * (freed(&self.costs) + self.costs.transfer))
    }

    pub fn heap_alloc(&self, travels: bool) -> Price {
        self.direct(self.costs.heap_alloc, travels)
    }

    /// Freeing so many blocks at once: the lock is taken for all of them.
    pub fn heap_free(&self, count: u32, travels: bool) -> Price {
        let cost = self.costs.heap_free + freed(&self.costs) * f64::from(count - 1);
        self.direct(cost, travels)
    }

    fn direct(&self, cost: f64, travels: bool) -> Price {
        let travel = if travels { self.travel() } else { 0.0 };
        price(cost + travel, 0.0, false)
    }

    /// An operation of one locked allocator.
    pub fn locked(&self) -> Price {
        price(locked(&self.costs), 0.0, false)
    }
}

fn locked(costs: &Costs) -> f64 {
    (costs.locked_pair - costs.loop_pair) / 2.0
}

/// Freeing a block while the lock is held: to the heap, not to its lists.
fn freed(costs: &Costs) -> f64 {
    (costs.heap_free - locked(costs)).max(0.0)
}

fn price(base: f64, each: f64, whole: bool) -> Price {
    let (held, after) = if whole {
        (base, each)
    } else {
        (base + each, 0.0)
    };
    Price {
        held: from_ns(held),
        after: from_ns(after),
    }
}
