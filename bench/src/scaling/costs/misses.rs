//! What misses cost, by how many blocks move.
//!
//! The simulation's lists go along with the real ones, and say of each call whether it is a miss, and of what kind.

use std::collections::{BTreeMap, VecDeque};

use anyhow::Result;
use fastrand::Rng;

use super::Line;
use super::clock::Clock;
use super::turns;
use super::{PER_CPU, PER_CPU_CACHES, fresh_of};
use crate::hands::{Block, Hands};
use crate::scaling::design::{Class, TODAY, class_of};
use crate::scaling::model::lists::{Batch, Lists};
use crate::scaling::model::{Central, Moved};
use crate::stats::interquartile_mean;

/// About the mean of the workload's.
const SIZES: [usize; 3] = [192, 256, 320];
/// Heaps whose budgets allow a list its full length, and an eighth of it at the least.
const HEAPS: [usize; 4] = [1 << 18, 1 << 19, 1 << 20, 4 << 20];
const ROUNDS: usize = 10;
const TURNS: usize = 150;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Alloc,
    Refill(Source),
    Free,
    GiveBack,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    Own,
    Foreign,
    Cut,
}

/// Times of calls, by what they do, and with how many blocks.
#[derive(Default)]
pub struct Samples(BTreeMap<(Kind, u32), Vec<f64>>);

struct Script {
    hands: Hands,
    clock: Clock,
    rng: Rng,
    lists: [Lists; 2],
    central: Central,
    blocks: VecDeque<Block>,
    samples: Samples,
}

impl Script {
    /// With a new heap of so many bytes.
    fn new(clock: Clock, heap: usize, samples: Samples) -> Result<Self> {
        let (hands, capacity) = fresh_of(PER_CPU, heap)?;
        let design = TODAY.in_heap(capacity);
        Ok(Self {
            hands,
            clock,
            rng: Rng::with_seed(1),
            lists: [(); 2].map(|()| Lists::new(design, PER_CPU_CACHES)),
            central: Central::default(),
            blocks: VecDeque::with_capacity(count_in(heap)),
            samples,
        })
    }

    fn fill(&mut self, cpu: usize, size: usize, count: usize) {
        let class = class_of(size);
        for _ in 0..count {
            let (time, block) = self.clock.time(|| self.hands.alloc(size, 8));
            self.blocks.extend(block);
            self.note_alloc(cpu, class, time);
        }
    }

    fn note_alloc(&mut self, cpu: usize, class: Class, time: f64) {
        if self.lists[cpu].pop(class) {
            return self.samples.add(Kind::Alloc, 0, time);
        }
        self.lists[cpu].grow(class);
        if self.lists[cpu].may_adopt() {
            let chain = (0..2).find_map(|step| self.lists[(cpu + step) % 2].take_chain(class));
            if let Some(count) = chain {
                return self.lists[cpu].adopt(class, count);
            }
        }
        let Batch { count, revoked } = self.lists[cpu].refill(class);
        let source = match self.central.take(class, count, cpu as u16) {
            Moved { own, .. } if own == count => Source::Own,
            Moved { foreign, .. } if foreign == count => Source::Foreign,
            Moved { cut, .. } if cut == count => Source::Cut,
            _ => return,
        };
        if revoked.is_none() {
            self.samples.add(Kind::Refill(source), count, time);
        }
    }

    /// Frees so many of the blocks, the first ones.
    fn empty(&mut self, cpu: usize, size: usize, count: usize) {
        let class = class_of(size);
        for _ in 0..count {
            let Some(block) = self.blocks.pop_front() else {
                return;
            };
            let (time, ()) = self.clock.time(|| self.hands.free(block));
            if self.lists[cpu].push(class) {
                self.samples.add(Kind::Free, 0, time);
                continue;
            }
            self.lists[cpu].grow(class);
            if !self.lists[cpu].push(class) && self.lists[cpu].put_out(class).is_none() {
                let Batch { count, revoked } = self.lists[cpu].make_room(class);
                self.central.give(class, count, cpu as u16);
                if revoked.is_none() {
                    self.samples.add(Kind::GiveBack, count, time);
                }
            }
        }
    }
}

/// Blocks of each size that are allocated: more than lists hold, and less than half of the heap.
fn count_in(heap: usize) -> usize {
    (heap / 1024).min(1024)
}

/// One CPU allocates and frees.
pub fn alone(clock: Clock) -> Result<Samples> {
    let mut samples = Samples::default();
    for heap in HEAPS {
        let mut script = Script::new(clock, heap, samples)?;
        let count = count_in(heap);
        for _ in 0..ROUNDS {
            for size in SIZES {
                script.fill(0, size, count);
                script.rng.shuffle(script.blocks.make_contiguous());
                script.empty(0, size, count);
            }
        }
        samples = script.samples;
    }
    Ok(samples)
}

/// One CPU allocates what the other frees, about one batch in each turn.
pub fn in_turns(clock: Clock, cores: &[usize]) -> Result<Samples> {
    let mut samples = Samples::default();
    for (heap, size) in HEAPS
        .into_iter()
        .flat_map(|heap| SIZES.map(|size| (heap, size)))
    {
        let script = Script::new(clock, heap, samples)?;
        let count = count_in(heap);
        let batch = script.lists[0].longest_half(class_of(size)) as usize;
        let script = turns::run(cores, count / batch + TURNS, script, |member, script| {
            if member == 0 {
                script.fill(member, size, batch);
            } else if script.blocks.len() > count / 2 {
                script.empty(member, size, batch);
            }
        })?;
        samples = script.samples;
    }
    Ok(samples)
}

impl Samples {
    fn add(&mut self, kind: Kind, count: u32, time: f64) {
        self.0.entry((kind, count)).or_default().push(time);
    }

    /// What misses of a kind take beyond a hit: the line of least squares through the means.
    pub fn line(&self, kind: Kind) -> Line {
        let hits = match kind {
            Kind::Free | Kind::GiveBack => Kind::Free,
            Kind::Alloc | Kind::Refill(_) => Kind::Alloc,
        };
        let hits = self.0.get(&(hits, 0)).map_or(&[][..], Vec::as_slice);
        let hit = interquartile_mean(hits);
        let of_kind = self.0.iter().filter(|((found, _), _)| *found == kind);
        let points: Vec<(f64, f64)> = of_kind
            .map(|((_, count), times)| (f64::from(*count), interquartile_mean(times) - hit))
            .collect();
        Line::through(&points)
    }
}
