//! What things cost on this machine, in nanoseconds.

mod clock;
mod line;
mod loops;
mod misses;
mod turns;

use anyhow::{Context, Result, ensure};
use good_memory_allocator::Allocator;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::contender;
use crate::hands::Hands;
use crate::machine::core_pin::pin;
use crate::machine::region::Region;
use crate::stats::median;
use clock::Clock;
use misses::{Kind, Source};

/// A cost that grows with the number of blocks.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Line {
    pub base: f64,
    pub each: f64,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Costs {
    /// Freeing a random block and allocating another: the loop alone.
    pub loop_pair: f64,
    /// The same with an allocator whose lists always have the block.
    pub pair: f64,
    /// The same with one locked allocator.
    pub locked_pair: f64,
    /// Between two operations of that, if two CPUs go on at it all the time.
    pub locked_contended: f64,
    /// Allocating into a batch for another CPU, all from lists.
    pub produce: f64,
    /// Freeing from a batch of one's own, all to lists.
    pub consume: f64,
    /// What is added where another CPU had allocated the block.
    pub consume_foreign: f64,
    /// What is added to a pair where the blocks of two CPUs are mixed, side by side in memory.
    pub mixed: f64,
    /// Passing a batch to another CPU.
    pub channel: f64,
    /// Filling a list from the CPU's piece.
    pub cut: Line,
    /// Filling a list from the heap's list, of blocks that the same CPU gave back.
    pub refill_own: Line,
    /// The same with blocks that another CPU gave back.
    pub refill_foreign: Line,
    /// Filling a list from a new piece, or with a run of free memory.
    pub refill_cut: Line,
    /// Giving blocks back to the heap's list.
    pub give_back: Line,
    /// The same after another CPU had the heap.
    pub give_back_travelled: Line,
    /// Allocating 4 to 16 KiB from the heap, which have no list, and freeing them.
    pub heap_alloc: f64,
    pub heap_free: f64,
    /// The same of blocks that the CPU keeps.
    pub kept_alloc: f64,
    pub kept_free: f64,
    /// An atomic swap of one's own line.
    pub swap: f64,
    /// Reading a line that another CPU wrote.
    pub transfer: f64,
    /// From one CPU's store to that of another that waited for it.
    pub ping_pong: f64,
    /// From a lock's release to the entry of the one that waits.
    pub hand_over: f64,
}

/// Large enough for lists to have their full length.
const HEAP: usize = 64 << 20;
const PER_CPU: &str = "galloc-per-cpu";
/// The caches that this contender has.
const PER_CPU_CACHES: u32 = 4;

/// The caches for so many CPUs: as many, but no fewer than those of the contender that is measured.
pub fn caches(cpus: usize) -> u32 {
    (cpus as u32).max(PER_CPU_CACHES)
}
const LOCKED: &str = "galloc";
const ROUNDS: usize = 7;

impl Costs {
    /// Measures everything some times, on two cores, and takes the median of each: virtual cores may move from one real
    /// core to another, and lines' ways with them.
    pub fn measure(cores: &[usize]) -> Result<Self> {
        let rounds = (0..ROUNDS)
            .map(|_| Ok(serde_json::to_value(Self::measure_once(cores)?)?))
            .collect::<Result<Vec<_>>>()?;
        Ok(serde_json::from_value(medians(&rounds))?)
    }

    fn measure_once(cores: &[usize]) -> Result<Self> {
        ensure!(cores.len() > 1, "this takes two cores");
        pin(cores[cores.len() - 1])?;
        let clock = Clock::calibrated();
        let pair = loops::pair(fresh(PER_CPU)?);
        let (produce, consume) = loops::batches(fresh(PER_CPU)?, clock);
        let alone = misses::alone(clock)?;
        let turns = misses::in_turns(clock, cores)?;

        let (heap_alloc, heap_free) = loops::heap(fresh(LOCKED)?, clock);
        let (kept_alloc, kept_free) = loops::kept(fresh(PER_CPU)?, clock);
        Ok(Self {
            loop_pair: loops::pair(fresh(contender::NOOP)?),
            pair,
            mixed: loops::mixed_pair(fresh(PER_CPU)?, cores)? - pair,
            locked_pair: loops::pair(fresh(LOCKED)?),
            locked_contended: loops::contended(fresh(LOCKED)?, cores)?,
            produce,
            consume,
            consume_foreign: loops::consume_foreign(fresh(PER_CPU)?, cores, clock)? - consume,
            channel: loops::channel(cores)?,
            cut: alone.line(Kind::Cut),
            refill_own: alone.line(Kind::Refill(Source::Own)),
            refill_foreign: turns.line(Kind::Refill(Source::Foreign)),
            refill_cut: alone.line(Kind::Refill(Source::Cut)),
            give_back: alone.line(Kind::GiveBack),
            give_back_travelled: turns.line(Kind::GiveBack),
            heap_alloc,
            heap_free,
            kept_alloc,
            kept_free,
            swap: line::swap(),
            transfer: line::transfer(cores, clock)?,
            ping_pong: line::ping_pong(cores)?,
            hand_over: line::hand_over(cores, clock)?,
        })
    }
}

/// The median of each number in some values of the same form.
fn medians(values: &[Value]) -> Value {
    if let Some(Value::Object(first)) = values.first() {
        let median = |key: &String| {
            let found: Vec<Value> = values.iter().map(|value| value[key].clone()).collect();
            (key.clone(), medians(&found))
        };
        return first.keys().map(median).collect();
    }
    let numbers: Vec<f64> = values.iter().filter_map(Value::as_f64).collect();
    median(&numbers).into()
}

/// A contender with a new heap.
fn fresh(name: &str) -> Result<Hands> {
    Ok(fresh_of(name, HEAP)?.0)
}

/// A contender with a new heap of so many bytes, and what blocks can have of it.
fn fresh_of(name: &str, len: usize) -> Result<(Hands, usize)> {
    let entry = contender::named(name).context("no such contender")?;
    let region = Region::map(len)?;
    region.populate();
    let mut probe: Allocator = Allocator::empty();
    // SAFETY: nothing else uses the region yet.
    unsafe { probe.try_init(region.start, len) }?;
    let capacity = probe.stats().capacity;
    // SAFETY: measurements run one after the other, and none keeps blocks.
    ensure!(unsafe { entry.reset(region) }, "{name} needs more room");
    Ok((Hands(entry.calls), capacity))
}

/// Something measured.
struct Point {
    x: f64,
    y: f64,
    /// How often.
    weight: f64,
}

impl Line {
    /// What so many blocks cost.
    pub fn at(&self, count: u32) -> f64 {
        self.base + self.each * f64::from(count)
    }

    /// The line of least squares.
    fn through(points: &[Point]) -> Self {
        let all: f64 = points.iter().map(|point| point.weight).sum();
        let mean = |of: &dyn Fn(&Point) -> f64| {
            let weighed = points.iter().map(|point| of(point) * point.weight);
            weighed.sum::<f64>() / all
        };
        let (x, y) = (mean(&|point| point.x), mean(&|point| point.y));
        let spread = mean(&|point| (point.x - x).powi(2));
        let each = mean(&|point| (point.x - x) * (point.y - y)) / spread;
        Self {
            base: y - each * x,
            each,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_found_again() {
        let point = |x, y| Point { x, y, weight: x };
        let line = Line::through(&[point(1.0, 12.0), point(2.0, 14.0), point(10.0, 30.0)]);
        assert!((line.base - 10.0).abs() < 1e-9 && (line.each - 2.0).abs() < 1e-9);
    }
}
