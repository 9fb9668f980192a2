//! Nanoseconds from the processor's counter.

use std::hint::spin_loop;
use std::time::{Duration, Instant};

use crate::machine::ticks::ticks;
use crate::stats::interquartile_mean;

#[derive(Clone, Copy)]
pub struct Clock {
    ns_per_tick: f64,
    /// What reading the counter takes.
    overhead: f64,
}

impl Clock {
    pub fn calibrated() -> Self {
        let (begin, first) = (Instant::now(), ticks());
        while begin.elapsed() < Duration::from_millis(50) {
            spin_loop();
        }
        let last = ticks();
        let ns_per_tick = begin.elapsed().as_nanos() as f64 / (last - first) as f64;
        let empty: Vec<f64> = (0..10_000)
            .map(|_| {
                let begin = ticks();
                (ticks() - begin) as f64 * ns_per_tick
            })
            .collect();
        Self {
            ns_per_tick,
            overhead: interquartile_mean(&empty),
        }
    }

    /// How long `work` takes.
    #[inline(always)]
    pub fn time<T>(self, work: impl FnOnce() -> T) -> (f64, T) {
        let begin = ticks();
        let done = work();
        (self.since(begin), done)
    }

    /// The nanoseconds since the counter was at `begin`.
    #[inline(always)]
    pub fn since(self, begin: u64) -> f64 {
        self.between(begin, ticks())
    }

    /// The nanoseconds between two readings of the counter.
    #[inline(always)]
    pub fn between(self, begin: u64, end: u64) -> f64 {
        // Those of two cores may differ a little.
        end.saturating_sub(begin) as f64 * self.ns_per_tick - self.overhead
    }

    /// Does nothing for so long.
    pub fn idle(self, ns: f64) {
        let begin = ticks();
        while self.since(begin) < ns {
            spin_loop();
        }
    }
}
