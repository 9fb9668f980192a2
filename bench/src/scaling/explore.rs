//! What would move the point where scaling stops.

use super::costs::Costs;
use super::curves::percent;
use super::design::{Central, Design, Overflow, TODAY};
use super::load::{Load, Pattern};
use super::model::Front;
use super::series::{CROWD, Case, simulate_all};
use crate::report::table::{Table, number};

/// The numbers of CPUs that changes are tried with.
const CPUS: [usize; 8] = [2, 4, 8, 16, 32, 64, 128, 256];

struct Change {
    name: &'static str,
    design: Design,
    crowd: f64,
}

struct Trial {
    name: &'static str,
    pattern: Pattern,
    load: Load,
}

fn changes() -> Vec<Change> {
    let change = |name, design| Change {
        name,
        design,
        crowd: CROWD,
    };
    let whole = Design {
        whole_batches: true,
        ..TODAY
    };
    vec![
        change("today", TODAY),
        Change {
            name: "today, waiters cost nothing",
            design: TODAY,
            crowd: 0.0,
        },
        Change {
            name: "today, waiters cost a tenth of a transfer each",
            design: TODAY,
            crowd: 0.1,
        },
        Change {
            name: "today, waiters cost two transfers each",
            design: TODAY,
            crowd: 2.0,
        },
        change(
            "BATCH / 4",
            Design {
                batch: TODAY.batch / 4,
                ..TODAY
            },
        ),
        change(
            "BATCH × 4, LIST × 4",
            Design {
                batch: TODAY.batch * 4,
                list: TODAY.list * 4,
                ..TODAY
            },
        ),
        change(
            "lists of at most 128 blocks",
            Design {
                longest: 128,
                ..TODAY
            },
        ),
        change(
            "a heap of an eighth",
            Design {
                heap: TODAY.heap / 8,
                ..TODAY
            },
        ),
        change(
            "a heap of eight times as much",
            Design {
                heap: TODAY.heap * 8,
                ..TODAY
            },
        ),
        change(
            "a thirty-second part of the heap, a grant revoked at each refusal",
            Design {
                parked_of_heap: 32,
                refusals: 1,
                ..TODAY
            },
        ),
        change("nothing is put out", Design { out: 0, ..TODAY }),
        change(
            "as much may be out as in the lists",
            Design { out: 1, ..TODAY },
        ),
        change(
            "two outboxes are looked into",
            Design {
                looked_into: 2,
                ..TODAY
            },
        ),
        change(
            "32 outboxes are looked into",
            Design {
                looked_into: 32,
                ..TODAY
            },
        ),
        change("no pieces", Design { piece: 0, ..TODAY }),
        change(
            "pieces of 16 KiB",
            Design {
                piece: TODAY.piece / 4,
                ..TODAY
            },
        ),
        change(
            "large blocks are not kept",
            Design {
                kept_of_budget: 0,
                ..TODAY
            },
        ),
        change(
            "four times as much of large blocks is kept",
            Design {
                kept_of_budget: 1,
                ..TODAY
            },
        ),
        change("lists begin with 1 KiB", Design { least: 16, ..TODAY }),
        change(
            "a full list defers a block, not half of it",
            Design {
                overflow: Overflow::DefersBlock,
                ..TODAY
            },
        ),
        change(
            "a full list always defers half of it",
            Design {
                overflow: Overflow::AlwaysDefers,
                ..TODAY
            },
        ),
        change(
            "SETTLED_AT_ONCE × 4",
            Design {
                settled_at_once: TODAY.settled_at_once * 4,
                ..TODAY
            },
        ),
        change("whole batches", whole),
        change(
            "8 shards",
            Design {
                central: Central::Shards(8),
                ..TODAY
            },
        ),
        change(
            "a lock for each class",
            Design {
                central: Central::LockPerClass,
                ..TODAY
            },
        ),
        change(
            "a lock for each class, whole batches",
            Design {
                central: Central::LockPerClass,
                ..whole
            },
        ),
    ]
}

fn trials() -> Vec<Trial> {
    let trial = |name, pattern, medium, large| Trial {
        name,
        pattern,
        load: Load {
            medium,
            large,
            large_sizes: 0,
        },
    };
    let large = |name, large, large_sizes| Trial {
        name,
        pattern: Pattern::Private,
        load: Load {
            medium: 0.0,
            large,
            large_sizes,
        },
    };
    vec![
        trial("private", Pattern::Private, 0.0, 0.0),
        trial("larson", Pattern::Larson, 0.0, 0.0),
        trial("producer to consumer", Pattern::Pipeline, 0.0, 0.0),
        trial(
            "private, 10 % of 513 B to 4 KiB",
            Pattern::Private,
            0.1,
            0.0,
        ),
        large("private, 1 % over 4 KiB, of one size", 0.01, 1),
        large("private, 1 % over 4 KiB, of four sizes", 0.01, 4),
        large("private, 1 % over 4 KiB, of any size", 0.01, 0),
    ]
}

/// A table for each load, with a row for each change.
pub fn tables(costs: &Costs) -> impl Iterator<Item = Table> {
    trials().into_iter().map(|trial| table(&trial, costs))
}

fn table(trial: &Trial, costs: &Costs) -> Table {
    let changes = changes();
    let case = |change: &Change| Case {
        pattern: trial.pattern,
        load: trial.load,
        front: Front::PerCpu(change.design),
        crowd: change.crowd,
    };
    let cases: Vec<Case> = changes.iter().map(case).collect();
    let series = simulate_all(&cases, costs, &CPUS);
    let row = |(change, series): (&Change, &super::series::Series)| {
        let (cpus, peak) = series.peak();
        let at = |cpus| {
            series
                .at(cpus)
                .map_or(String::new(), |outcome| number(outcome.mops))
        };
        let of = |cpus, part: fn(&super::model::Outcome) -> f64| {
            series
                .at(cpus)
                .map_or(String::new(), |outcome| percent(part(outcome)))
        };
        vec![
            change.name.to_owned(),
            series.scales_to().to_string(),
            format!("{} at {cpus}", number(peak)),
            at(8),
            at(64),
            at(256),
            of(64, |outcome| outcome.locked),
            of(64, |outcome| outcome.held),
        ]
    };
    Table {
        title: format!("{}, simulated", trial.name),
        header: [
            "",
            "half of ideal to",
            "peak, Mops/s",
            "at 8",
            "at 64",
            "at 256",
            "lock, at 64",
            "held, at 64",
        ]
        .map(str::to_owned)
        .to_vec(),
        rows: changes.iter().zip(&series).map(row).collect(),
        notes: Vec::new(),
    }
}
