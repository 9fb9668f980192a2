//! What misses cost, by how many blocks move.
//!
//! The simulation's lists go along with the real ones, and say of each call whether it is a miss, and of what kind.

use std::collections::{BTreeMap, VecDeque};

use anyhow::Result;
use fastrand::Rng;

use super::clock::Clock;
use super::turns;
use super::{Line, Point};
use super::{PER_CPU, PER_CPU_CACHES, fresh_of};
use crate::hands::{Block, Hands};
use crate::scaling::design::{Miss, TODAY, class_of};
use crate::scaling::model::lists::{Batch, Lists};
use crate::scaling::model::{Central, Moved};
use crate::stats::interquartile_mean;

/// About the mean of the workload's.
const SIZES: [usize; 3] = [192, 256, 320];
/// Heaps whose budgets allow a list its full length, and an eighth of it at the least.
const HEAPS: [usize; 4] = [1 << 18, 1 << 19, 1 << 20, 4 << 20];
/// New heaps of each kind: only there blocks are cut from free memory.
const HEAPS_OF_A_KIND: usize = 8;
const ROUNDS: usize = 3;
const TURNS: usize = 150;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Alloc,
    /// From the CPU's own piece.
    Cut,
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

    /// Allocates a block, and says whether the heap's lock was taken for it.
    fn alloc(&mut self, cpu: usize, size: usize) -> bool {
        let class = class_of(size);
        let (time, block) = self.clock.time(|| self.hands.alloc(size, 8));
        self.blocks.extend(block);
        if self.lists[cpu].pop(class) {
            self.samples.add(Kind::Alloc, 0, time);
            return false;
        }
        self.lists[cpu].grow(class, Miss::Empty);
        if self.lists[cpu].may_adopt() {
            let chain = (0..2).find_map(|step| self.lists[(cpu + step) % 2].take_chain(class));
            if let Some(count) = chain {
                self.lists[cpu].adopt(class, count);
                return false;
            }
        }
        if let Some(count) = self.lists[cpu].cut(class) {
            self.samples.add(Kind::Cut, count, time);
            return false;
        }
        let Batch { count, revoked } = self.lists[cpu].refill(class);
        let moved = self.central.take(class, count, cpu as u16);
        if moved.own + moved.foreign == 0 {
            self.lists[cpu].renew_piece(class, count);
        }
        let source = match moved {
            Moved { own, .. } if own == count => Source::Own,
            Moved { foreign, .. } if foreign == count => Source::Foreign,
            Moved { cut, .. } if cut == count => Source::Cut,
            _ => return true,
        };
        if revoked.is_none() {
            self.samples.add(Kind::Refill(source), count, time);
        }
        true
    }

    /// Frees the first of the blocks, and says whether the heap's lock was taken for it.
    fn free(&mut self, cpu: usize, size: usize) -> bool {
        let class = class_of(size);
        let Some(block) = self.blocks.pop_front() else {
            return false;
        };
        let (time, ()) = self.clock.time(|| self.hands.free(block));
        if self.lists[cpu].push(class) {
            self.samples.add(Kind::Free, 0, time);
            return false;
        }
        self.lists[cpu].grow(class, Miss::Full);
        if self.lists[cpu].push(class) || self.lists[cpu].put_out(class).is_some() {
            return false;
        }
        let Batch { count, revoked } = self.lists[cpu].make_room(class);
        self.central.give(class, count, cpu as u16);
        if revoked.is_none() {
            self.samples.add(Kind::GiveBack, count, time);
        }
        true
    }
}

/// Blocks of each size that are allocated: more than lists hold, and less than half of the heap.
fn count_in(heap: usize) -> usize {
    (heap / 1024).min(1024)
}

/// Each heap with each size: with several, grants would be revoked, and free chunks come about of which the lists that
/// go along do not know.
fn cases() -> impl Iterator<Item = (usize, usize)> {
    let with_sizes = |heap| SIZES.map(|size| (heap, size));
    HEAPS.into_iter().flat_map(with_sizes)
}

/// One CPU allocates and frees.
pub fn alone(clock: Clock) -> Result<Samples> {
    let mut samples = Samples::default();
    for (heap, size) in (0..HEAPS_OF_A_KIND).flat_map(|_| cases()) {
        let mut script = Script::new(clock, heap, samples)?;
        let count = count_in(heap);
        for _ in 0..ROUNDS {
            (0..count).for_each(|_| {
                script.alloc(0, size);
            });
            script.rng.shuffle(script.blocks.make_contiguous());
            (0..count).for_each(|_| {
                script.free(0, size);
            });
        }
        samples = script.samples;
    }
    Ok(samples)
}

/// One CPU allocates what the other frees, until it takes the heap's lock once in each turn: first it takes what the other
/// has put out.
pub fn in_turns(clock: Clock, cores: &[usize]) -> Result<Samples> {
    let mut samples = Samples::default();
    for (heap, size) in cases() {
        let script = Script::new(clock, heap, samples)?;
        let count = count_in(heap);
        let batch = script.lists[0].longest_half(class_of(size)) as usize;
        let script = turns::run(cores, count / batch + TURNS, script, |member, script| {
            if member == 0 {
                while script.blocks.len() < count && !script.alloc(member, size) {}
            } else {
                while script.blocks.len() > count / 2 && !script.free(member, size) {}
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

    /// What misses of a kind take beyond a hit: the line of least squares through the means, by how many there are of each.
    pub fn line(&self, kind: Kind) -> Line {
        let hits = match kind {
            Kind::Free | Kind::GiveBack => Kind::Free,
            Kind::Alloc | Kind::Cut | Kind::Refill(_) => Kind::Alloc,
        };
        let hits = self.0.get(&(hits, 0)).map_or(&[][..], Vec::as_slice);
        let hit = interquartile_mean(hits);
        let of_kind = self.0.iter().filter(|((found, _), _)| *found == kind);
        let points: Vec<Point> = of_kind
            .map(|((_, count), times)| Point {
                x: f64::from(*count),
                y: interquartile_mean(times) - hit,
                weight: times.len() as f64,
            })
            .collect();
        Line::through(&points)
    }
}
