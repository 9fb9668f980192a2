//! All CPUs, and the order of events.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use fastrand::Rng;

use super::central::Writer;
use super::cpu::{Cpu, Role, Wanted};
use super::lists::{Batch, Lists};
use super::lock::{Lock, Next};
use super::prices::{Price, Prices};
use super::time::{Time, as_ns};
use super::{Central, Front, Outcome, Setup};
use crate::scaling::costs::caches;
use crate::scaling::design::{self, CLASSES, Class, Design, LARGE, Miss, Overflow, is_large};
use crate::scaling::load::{LIVE, PASS, Pattern, QUEUE, SENT};

/// Operations that a CPU goes through before others have a turn.
const AT_ONCE: u64 = 256;

/// CPUs that have bits of their own.
const HINTS: usize = 32;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// A CPU goes on by itself.
    Continue(usize),
    /// It wants a lock.
    Want(usize),
    /// It got the lock that it waited for.
    Enter(usize),
    Leave {
        lock: usize,
    },
    /// It is done with a place.
    Pass(usize),
    Send(usize),
    Receive(usize),
}

/// Blocks that pass from CPU to CPU.
struct Place {
    blocks: Vec<Class>,
    is_taken: bool,
    waiting: Option<usize>,
}

#[derive(Default)]
struct Channel {
    batches: VecDeque<Vec<Class>>,
    is_sender_waiting: bool,
    is_receiver_waiting: bool,
}

pub struct Machine<'s> {
    setup: &'s Setup<'s>,
    prices: Prices,
    design: Design,
    events: BinaryHeap<Reverse<(Time, u64, Event)>>,
    /// Of all events so far, which keeps those of one time in order.
    number: u64,
    cpus: Vec<Cpu>,
    locks: Vec<Lock>,
    /// What each lock guards.
    centrals: Vec<Central>,
    /// For each list, which CPUs may have put something out.
    hints: Vec<u32>,
    places: Vec<Place>,
    channels: Vec<Channel>,
    rng: Rng,
    ops: u64,
}

impl<'s> Machine<'s> {
    pub fn new(setup: &'s Setup<'s>) -> Self {
        let design = match setup.front {
            Front::PerCpu(design) => design,
            Front::Locked => design::TODAY,
        };
        let locks = match design.central {
            design::Central::OneLock => 1,
            design::Central::LockPerClass => usize::from(CLASSES) + 1,
            design::Central::Shards(shards) => shards,
        };
        let cpus = (0..setup.cpus).map(|number| Cpu {
            clock: 0,
            lists: Lists::new(design, caches(setup.cpus)),
            rng: Rng::with_seed(number as u64 + 1),
            ops: 0,
            deferred: 0,
            role: role(setup.pattern, number),
            wanted: Wanted::Locked,
        });
        let mut machine = Self {
            setup,
            prices: Prices::new(setup),
            design,
            events: BinaryHeap::new(),
            number: 0,
            cpus: cpus.collect(),
            locks: (0..locks).map(|_| Lock::default()).collect(),
            centrals: (0..locks).map(|_| Central::default()).collect(),
            hints: vec![0; CLASSES.into()],
            places: Vec::new(),
            channels: (0..setup.cpus.div_ceil(2))
                .map(|_| Channel::default())
                .collect(),
            rng: Rng::with_seed(0),
            ops: 0,
        };
        if setup.pattern != Pattern::Pipeline {
            machine.places = (0..setup.cpus).map(|cpu| machine.place(cpu)).collect();
        }
        machine
    }

    /// The blocks that a CPU begins with, which it allocated before the time counts.
    fn place(&mut self, cpu: usize) -> Place {
        let block = |_| {
            let class = self.setup.load.class(&mut self.cpus[cpu].rng);
            let lists = &mut self.cpus[cpu].lists;
            if !is_large(class) && !lists.pop(class) {
                lists.grow(class, Miss::Empty);
                lists.refill(class);
            }
            class
        };
        Place {
            blocks: (0..LIVE).map(block).collect(),
            is_taken: true,
            waiting: None,
        }
    }

    pub fn run(mut self) -> Outcome {
        let cpus = self.setup.cpus as u64;
        (0..self.setup.cpus).for_each(|cpu| self.go_on(cpu));
        let begin = self.run_until(cpus * self.setup.length.warm);
        let before = self.totals();
        let ops_before = self.ops;
        let end = self.run_until(ops_before + cpus * self.setup.length.measured);
        let after = self.totals();
        let ops = (self.ops - ops_before) as f64;
        let time = (end - begin) as f64;
        let held = after.held.iter().zip(&before.held);
        let held = held.map(|(after, before)| after - before).max();
        Outcome {
            mops: ops / as_ns(end - begin) * 1e3,
            held: held.unwrap_or(0) as f64 / time,
            waited: (after.waited - before.waited) as f64 / time / cpus as f64,
            locked: (after.entries - before.entries) as f64 / ops,
            deferred: (after.deferred - before.deferred) as f64 / ops,
        }
    }

    /// Runs until so many operations are done, and says when that is.
    fn run_until(&mut self, ops: u64) -> Time {
        let mut now = 0;
        while self.ops < ops {
            let Some(Reverse((time, _, event))) = self.events.pop() else {
                unreachable!("all CPUs wait for each other");
            };
            now = time;
            self.handle(now, event);
        }
        now
    }

    fn totals(&self) -> Totals {
        Totals {
            held: self.locks.iter().map(|lock| lock.total_held).collect(),
            waited: self.locks.iter().map(|lock| lock.total_waited).sum(),
            entries: self.locks.iter().map(|lock| lock.entries).sum(),
            deferred: self.cpus.iter().map(|cpu| cpu.deferred).sum(),
        }
    }

    fn schedule(&mut self, at: Time, event: Event) {
        self.events.push(Reverse((at, self.number, event)));
        self.number += 1;
    }

    fn go_on(&mut self, cpu: usize) {
        self.schedule(self.cpus[cpu].clock, Event::Continue(cpu));
    }

    fn handle(&mut self, now: Time, event: Event) {
        match event {
            Event::Continue(cpu) => self.advance(cpu),
            Event::Want(cpu) => self.want(now, cpu),
            Event::Enter(cpu) => self.enter(now, cpu, true),
            Event::Leave { lock } => {
                let next = self.locks[lock].leave(now, &self.prices.line, &mut self.rng);
                if let Some(Next { cpu, at }) = next {
                    self.schedule(at, Event::Enter(cpu));
                }
            }
            Event::Pass(cpu) => self.pass(cpu),
            Event::Send(cpu) => self.send(cpu),
            Event::Receive(cpu) => self.receive(cpu),
        }
    }

    /// Goes through a CPU's own operations, up to one that others have to do with.
    fn advance(&mut self, cpu: usize) {
        for _ in 0..AT_ONCE {
            if let Some(event) = self.step(cpu) {
                self.schedule(self.cpus[cpu].clock, event);
                return;
            }
        }
        self.go_on(cpu);
    }

    fn step(&mut self, number: usize) -> Option<Event> {
        let load = &self.setup.load;
        let cpu = &mut self.cpus[number];
        match &mut cpu.role {
            Role::Replacer {
                place,
                pairs_left,
                emptied,
            } => {
                let hit = match self.setup.pattern {
                    Pattern::Larson => self.prices.hit + self.prices.mixed_half,
                    _ => self.prices.hit,
                };
                let blocks = &mut self.places[*place].blocks;
                if let Some(slot) = emptied.take() {
                    let class = load.class(&mut cpu.rng);
                    blocks[slot] = class;
                    *pairs_left -= 1;
                    return self.alloc(number, class, hit);
                }
                if *pairs_left == 0 {
                    *pairs_left = PASS;
                    if self.setup.pattern == Pattern::Larson {
                        return Some(Event::Pass(number));
                    }
                }
                let slot = cpu.rng.usize(0..LIVE);
                *emptied = Some(slot);
                let class = blocks[slot];
                self.free(number, class, hit)
            }
            Role::Producer { batch } => {
                if batch.len() == SENT {
                    return Some(Event::Send(number));
                }
                let class = load.class(&mut cpu.rng);
                batch.push(class);
                self.alloc(number, class, self.prices.produce)
            }
            Role::Consumer { batch } => match batch.pop() {
                Some(class) => {
                    let time = self.prices.consume + self.prices.consume_foreign;
                    self.free(number, class, time)
                }
                None => Some(Event::Receive(number)),
            },
        }
    }

    fn alloc(&mut self, number: usize, class: Class, hit: Time) -> Option<Event> {
        let cpu = &mut self.cpus[number];
        cpu.ops += 1;
        self.ops += 1;
        if self.setup.front == Front::Locked {
            return self.wanting(number, self.prices.loop_half, Wanted::Locked);
        }
        if is_large(class) {
            if !cpu.lists.kept.take(class) {
                return self.wanting(number, self.prices.loop_half, Wanted::HeapAlloc);
            }
            cpu.clock += self.prices.kept_alloc;
            return None;
        }
        if !cpu.lists.pop(class) {
            return self.wanting(number, hit, Wanted::Chain(class));
        }
        cpu.clock += hit;
        None
    }

    fn free(&mut self, number: usize, class: Class, hit: Time) -> Option<Event> {
        let cpu = &mut self.cpus[number];
        cpu.ops += 1;
        self.ops += 1;
        if self.setup.front == Front::Locked {
            return self.wanting(number, self.prices.loop_half, Wanted::Locked);
        }
        if is_large(class) {
            return match cpu.lists.kept.keep(class) {
                None => self.wanting(number, self.prices.loop_half, Wanted::HeapFree(1)),
                Some(0) => {
                    cpu.clock += self.prices.kept_free;
                    None
                }
                Some(others) => {
                    self.wanting(number, self.prices.kept_free, Wanted::HeapFree(others))
                }
            };
        }
        if !cpu.lists.push(class) {
            return self.wanting(number, hit, Wanted::MakeRoom(class));
        }
        cpu.clock += hit;
        None
    }

    fn wanting(&mut self, number: usize, time: Time, wanted: Wanted) -> Option<Event> {
        let cpu = &mut self.cpus[number];
        cpu.clock += time;
        cpu.wanted = wanted;
        Some(Event::Want(number))
    }

    /// Which lock a CPU wants.
    fn lock_of(&self, cpu: usize) -> usize {
        match self.design.central {
            design::Central::OneLock => 0,
            design::Central::LockPerClass => match self.cpus[cpu].wanted {
                Wanted::Chain(class) | Wanted::Refill(class) | Wanted::MakeRoom(class) => {
                    class.into()
                }
                Wanted::HeapAlloc | Wanted::HeapFree(_) | Wanted::Locked => LARGE.into(),
            },
            // A producer and its consumer have the same one.
            design::Central::Shards(shards) => cpu / 2 % shards,
        }
    }

    fn want(&mut self, now: Time, cpu: usize) {
        match self.cpus[cpu].wanted {
            Wanted::Chain(class) => return self.refill_outside(now, cpu, class),
            Wanted::MakeRoom(class) => {
                if let Some(time) = self.make_room_outside(now, cpu, class) {
                    self.cpus[cpu].clock = time;
                    return self.go_on(cpu);
                }
            }
            _ => (),
        }
        let lock = self.lock_of(cpu);
        let wanted = self.cpus[cpu].wanted;
        if self.design.overflow == Overflow::AlwaysDefers && matches!(wanted, Wanted::MakeRoom(_)) {
            self.defer(now, cpu, lock);
        } else if !self.locks[lock].is_held() {
            self.enter(now, cpu, false);
        } else if wanted.is_deferrable() {
            let refused = self.locks[lock].refuse(now, &self.prices.line);
            self.defer(refused, cpu, lock);
        } else {
            self.locks[lock].wait(cpu, now);
        }
    }

    /// Fills a list with a chain that is out, or else wants the heap to do that.
    fn refill_outside(&mut self, now: Time, number: usize, class: Class) {
        let mut looked = 0;
        let found = self.find_chain(number, class, &mut looked);
        let done = now + self.prices.look_into(looked);
        let cpu = &mut self.cpus[number];
        cpu.clock = done;
        let Some(Found { count, by }) = found else {
            if let Some(count) = cpu.lists.cut(class) {
                cpu.clock += self.prices.cut(count);
                return self.go_on(number);
            }
            cpu.wanted = Wanted::Refill(class);
            return self.schedule(done, Event::Want(number));
        };
        cpu.lists.adopt(class, count);
        if by != number {
            cpu.clock += self.prices.consume_foreign * Time::from(count);
        }
        self.go_on(number);
    }

    /// A chain of a CPU's own, or of another that may have put one out: the next ones first, by their bits.
    fn find_chain(&mut self, number: usize, class: Class, looked: &mut u64) -> Option<Found> {
        let lists = &mut self.cpus[number].lists;
        lists.grow(class, Miss::Empty);
        if self.design.out == 0 || !lists.may_adopt() {
            return None;
        }
        if let Some(count) = lists.take_chain(class) {
            return Some(Found { count, by: number });
        }
        // The bits' line.
        *looked += 1;
        let most = u64::from(self.design.looked_into) + 1;
        for step in 0..HINTS {
            let bit = (number + step) % HINTS;
            if self.hints[usize::from(class)] & 1 << bit == 0 {
                continue;
            }
            for by in (bit..self.cpus.len()).step_by(HINTS) {
                if *looked == most {
                    return None;
                }
                *looked += 1;
                if let Some(count) = self.cpus[by].lists.take_chain(class) {
                    return Some(Found { count, by });
                }
            }
            self.hints[usize::from(class)] &= !(1 << bit);
        }
        None
    }

    /// Lets a list grow, or puts half of it out, and says when that is done.
    fn make_room_outside(&mut self, now: Time, cpu: usize, class: Class) -> Option<Time> {
        let lists = &mut self.cpus[cpu].lists;
        lists.grow(class, Miss::Full);
        if lists.push(class) {
            return Some(now);
        }
        let count = lists.put_out(class)?;
        let hints = &mut self.hints[usize::from(class)];
        let bit = 1 << (cpu % HINTS);
        let told = u64::from(*hints & bit == 0);
        *hints |= bit;
        Some(now + self.prices.look_into(told) + self.prices.unlink * Time::from(count))
    }

    /// Leaves to its next holder what a CPU wants to free.
    fn defer(&mut self, now: Time, number: usize, lock: usize) {
        let cpu = &mut self.cpus[number];
        let central = &mut self.centrals[lock];
        let (class, count) = match (cpu.wanted, self.design.overflow) {
            (Wanted::MakeRoom(class), Overflow::DefersBlock) => (class, 1),
            (Wanted::MakeRoom(class), _) => (class, cpu.lists.defer_half(class)),
            (Wanted::HeapFree(count), _) => (LARGE, count),
            _ => unreachable!("whoever wants something waits for it"),
        };
        central.defer(class, count, number as Writer);
        let time = self.prices.deferral + self.prices.unlink * Time::from(count - 1);
        cpu.deferred += 1;
        cpu.clock = now + time;
        self.go_on(number);
    }

    fn enter(&mut self, now: Time, cpu: usize, waited: bool) {
        let lock = self.lock_of(cpu);
        self.locks[lock].enter(now);
        let mut price = self.act(cpu, lock);
        if waited && self.setup.front != Front::Locked {
            // The lock's line is there already.
            price.held = price.held.saturating_sub(self.prices.line.transfer);
        }
        self.schedule(now + price.held, Event::Leave { lock });
        self.cpus[cpu].clock = now + price.held + price.after;
        self.go_on(cpu);
    }

    /// Does what a CPU wants the lock for.
    fn act(&mut self, number: usize, lock: usize) -> Price {
        let me = number as Writer;
        let whole = self.design.whole_batches;
        let cpu = &mut self.cpus[number];
        let central = &mut self.centrals[lock];
        let travels = central.enter(me);
        let settled = central.settle(self.design.settled_at_once);
        let mut price = match cpu.wanted {
            Wanted::Refill(class) => {
                let Batch { count, revoked } = cpu.lists.refill(class);
                let moved = central.take(class, count, me);
                if moved.own + moved.foreign == 0 {
                    cpu.lists.renew_piece(class, count);
                }
                let revoked = revoked.unwrap_or(0);
                self.prices.refill(moved, revoked, travels, whole)
            }
            Wanted::MakeRoom(class) => {
                let Batch { count, revoked } = cpu.lists.make_room(class);
                central.give(class, count, me);
                let revoked = revoked.unwrap_or(0);
                self.prices.give_back(count, revoked, travels, whole)
            }
            Wanted::Chain(_) => unreachable!("it needs no lock"),
            Wanted::HeapAlloc => self.prices.heap_alloc(travels),
            Wanted::HeapFree(count) => self.prices.heap_free(count, travels),
            Wanted::Locked => self.prices.locked(),
        };
        price.held += self.prices.settle(settled, whole);
        price
    }

    /// Passes a place on, and takes the next one.
    fn pass(&mut self, number: usize) {
        let Role::Replacer { place, .. } = &mut self.cpus[number].role else {
            return;
        };
        let left = *place;
        *place = (*place + 1) % self.places.len();
        let next = *place;
        self.places[left].is_taken = false;
        if let Some(waiting) = self.places[left].waiting.take() {
            self.places[left].is_taken = true;
            self.cpus[waiting].clock = self.cpus[number].clock;
            self.go_on(waiting);
        }
        if self.places[next].is_taken {
            self.places[next].waiting = Some(number);
        } else {
            self.places[next].is_taken = true;
            self.go_on(number);
        }
    }

    fn send(&mut self, sender: usize) {
        let Role::Producer { batch } = &mut self.cpus[sender].role else {
            return;
        };
        let channel = &mut self.channels[sender / 2];
        if channel.batches.len() == QUEUE {
            channel.is_sender_waiting = true;
            return;
        }
        channel.batches.push_back(std::mem::take(batch));
        self.cpus[sender].clock += self.prices.channel;
        self.go_on(sender);
        let receiver = sender + 1;
        if std::mem::take(&mut self.channels[sender / 2].is_receiver_waiting) {
            self.cpus[receiver].clock = self.cpus[sender].clock;
            self.schedule(self.cpus[receiver].clock, Event::Receive(receiver));
        }
    }

    fn receive(&mut self, receiver: usize) {
        let Role::Consumer { batch } = &mut self.cpus[receiver].role else {
            return;
        };
        let channel = &mut self.channels[receiver / 2];
        let Some(next) = channel.batches.pop_front() else {
            channel.is_receiver_waiting = true;
            return;
        };
        *batch = next;
        self.cpus[receiver].clock += self.prices.channel;
        self.go_on(receiver);
        let sender = receiver - 1;
        if std::mem::take(&mut self.channels[receiver / 2].is_sender_waiting) {
            self.cpus[sender].clock = self.cpus[receiver].clock;
            self.schedule(self.cpus[sender].clock, Event::Send(sender));
        }
    }
}

/// A chain that was out, and whose it was.
struct Found {
    count: u32,
    by: usize,
}

struct Totals {
    held: Vec<Time>,
    waited: Time,
    entries: u64,
    deferred: u64,
}

fn role(pattern: Pattern, number: usize) -> Role {
    match pattern {
        Pattern::Private | Pattern::Larson => Role::Replacer {
            place: number,
            pairs_left: PASS,
            emptied: None,
        },
        Pattern::Pipeline if number.is_multiple_of(2) => Role::Producer { batch: Vec::new() },
        Pattern::Pipeline => Role::Consumer { batch: Vec::new() },
    }
}
