//! A spin lock that waiting CPUs read until it is free, and then all try to take.
//!
//! Its cache line serves one access after the other. When it is released, the line first comes back to the holder, then to
//! one waiter, and then to that one again for its swap: what that takes together was measured with one waiter. The
//! others read the line too, some of them before the swap of the one that wins gets through.

use fastrand::Rng;

use super::time::Time;

/// What the line costs.
#[derive(Clone, Copy, Debug)]
pub struct LineCosts {
    /// A transfer of the line between two CPUs.
    pub transfer: Time,
    /// From a release to the entry of the only waiter.
    pub hand_over: Time,
    /// What each further waiter adds.
    pub crowd: Time,
}

#[derive(Default)]
pub struct Lock {
    held: bool,
    waiting: Vec<(usize, Time)>,
    /// When the line is done with what was asked of it.
    line_free: Time,
    entered: Time,
    /// Time during which it was held.
    pub total_held: Time,
    /// Time during which CPUs waited for it, summed over them.
    pub total_waited: Time,
    pub entries: u64,
}

/// The one who enters next, and when.
#[derive(Debug, PartialEq)]
pub struct Next {
    pub cpu: usize,
    pub at: Time,
}

impl Lock {
    pub fn is_held(&self) -> bool {
        self.held
    }

    /// Takes the lock, which is free or was handed over.
    pub fn enter(&mut self, now: Time) {
        self.held = true;
        self.entered = now;
        self.entries += 1;
    }

    pub fn wait(&mut self, cpu: usize, now: Time) {
        self.waiting.push((cpu, now));
    }

    /// A swap in vain: it takes the line away from the holder. Says when the swap is done.
    pub fn refuse(&mut self, now: Time, costs: &LineCosts) -> Time {
        self.line_free = self.line_free.max(now) + costs.transfer;
        self.line_free
    }

    /// Gives the lock back, to a waiter if there is any.
    pub fn leave(&mut self, now: Time, costs: &LineCosts, rng: &mut Rng) -> Option<Next> {
        self.total_held += now - self.entered;
        if self.waiting.is_empty() {
            self.held = false;
            return None;
        }
        let (cpu, since) = self.waiting.swap_remove(rng.usize(0..self.waiting.len()));
        let begin = self.line_free.max(now);
        let at = begin + costs.hand_over + costs.crowd * self.waiting.len() as Time;
        self.total_waited += at - since;
        Some(Next { cpu, at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COSTS: LineCosts = LineCosts {
        transfer: 10,
        hand_over: 30,
        crowd: 10,
    };

    #[test]
    fn every_further_waiter_delays_the_next_entry() {
        let mut lock = Lock::default();
        lock.enter(100);
        (1..=4).for_each(|cpu| lock.wait(cpu, 110));
        let next = lock.leave(200, &COSTS, &mut Rng::with_seed(1)).unwrap();
        assert_eq!(next.at, 200 + 30 + 3 * 10);
        assert_eq!(lock.total_held, 100);
        assert_eq!(lock.total_waited, next.at - 110);
        assert!(lock.is_held());
    }

    #[test]
    fn tries_in_vain_delay_the_hand_over() {
        let mut lock = Lock::default();
        lock.enter(0);
        lock.wait(1, 0);
        assert_eq!(lock.refuse(95, &COSTS), 105);
        assert_eq!(lock.refuse(95, &COSTS), 115);
        let next = lock.leave(100, &COSTS, &mut Rng::with_seed(1));
        assert_eq!(
            next,
            Some(Next {
                cpu: 1,
                at: 115 + 30
            })
        );
    }
}
