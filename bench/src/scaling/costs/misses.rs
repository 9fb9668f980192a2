//! What misses cost, by how many blocks move.
//!
//! The simulation's lists go along with the real ones, and say of each call whether it is a miss, and of what kind.

use std::collections::BTreeMap;

use anyhow::Result;

use super::Line;
use super::clock::Clock;
use super::turns;
use crate::hands::{Block, Hands};
use crate::scaling::design::{Class, TODAY, class_of};
use crate::scaling::model::lists::Lists;
use crate::scaling::model::{Central, Moved};
use crate::stats::median;

/// Sizes in whose lists different numbers of blocks have room.
const SIZES: [usize; 8] = [48, 96, 128, 192, 256, 320, 384, 512];
/// Blocks of each size that are allocated, more than lists hold.
const COUNT: usize = 1024;
const ROUNDS: usize = 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Hit,
    Refill(Source),
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
    lists: [Lists; 2],
    central: Central,
    blocks: Vec<Block>,
    samples: Samples,
}

impl Script {
    fn new(hands: Hands, clock: Clock) -> Self {
        Self {
            hands,
            clock,
            lists: [Lists::new(TODAY), Lists::new(TODAY)],
            central: Central::default(),
            blocks: Vec::with_capacity(COUNT),
            samples: Samples::default(),
        }
    }

    fn fill(&mut self, cpu: usize, size: usize) {
        let class = class_of(size);
        for _ in 0..COUNT {
            let (time, block) = self.clock.time(|| self.hands.alloc(size, 8));
            self.blocks.extend(block);
            self.note_alloc(cpu, class, time);
        }
    }

    fn note_alloc(&mut self, cpu: usize, class: Class, time: f64) {
        if self.lists[cpu].pop(class) {
            return self.samples.add(Kind::Hit, 0, time);
        }
        let count = 1 + self.lists[cpu].refill(class);
        let source = match self.central.take(class, count, cpu as u16) {
            Moved { own, .. } if own == count => Source::Own,
            Moved { foreign, .. } if foreign == count => Source::Foreign,
            Moved { cut, .. } if cut == count => Source::Cut,
            _ => return,
        };
        self.samples.add(Kind::Refill(source), count, time);
    }

    fn empty(&mut self, cpu: usize, size: usize) {
        let class = class_of(size);
        while let Some(block) = self.blocks.pop() {
            let (time, ()) = self.clock.time(|| self.hands.free(block));
            if self.lists[cpu].push(class) {
                self.samples.add(Kind::Hit, 0, time);
            } else {
                let count = self.lists[cpu].give_back(class);
                self.central.give(class, count, cpu as u16);
                self.samples.add(Kind::GiveBack, count, time);
            }
        }
    }
}

/// One CPU allocates and frees.
pub fn alone(hands: Hands, clock: Clock) -> Samples {
    let mut script = Script::new(hands, clock);
    for size in SIZES {
        for _ in 0..ROUNDS {
            script.fill(0, size);
            script.empty(0, size);
        }
    }
    script.samples
}

/// One CPU allocates what the other frees.
pub fn in_turns(hands: Hands, clock: Clock, cores: &[usize]) -> Result<Samples> {
    let mut script = Script::new(hands, clock);
    for size in SIZES {
        // All lists begin empty in each run, but the threads', hence the caches, are others.
        script.lists = [Lists::new(TODAY), Lists::new(TODAY)];
        script = turns::run(cores, ROUNDS, script, |member, script| {
            if member == 0 {
                script.fill(member, size);
            } else {
                script.empty(member, size);
            }
        })?;
    }
    Ok(script.samples)
}

impl Samples {
    fn add(&mut self, kind: Kind, count: u32, time: f64) {
        self.0.entry((kind, count)).or_default().push(time);
    }

    /// What misses of a kind take beyond a hit: the line of least squares through the medians.
    pub fn line(&self, kind: Kind) -> Line {
        let hit = self.0.get(&(Kind::Hit, 0)).map_or(f64::NAN, |hits| median(hits));
        let of_kind = self.0.iter().filter(|((found, _), _)| *found == kind);
        let points: Vec<(f64, f64)> = of_kind
            .map(|((_, count), times)| (f64::from(*count), median(times) - hit))
            .collect();
        Line::through(&points)
    }
}
