//! The costs, to be read.

use super::costs::{Costs, Line};
use crate::report::table::Table;

pub fn costs(costs: &Costs) -> Table {
    let one = |what: &str, cost: f64| vec![what.to_owned(), format!("{cost:.1}")];
    let line = |what: &str, Line { base, each }: Line| {
        let sign = if each < 0.0 { '-' } else { '+' };
        vec![
            what.to_owned(),
            format!("{base:.0} {sign} {:.1} n", each.abs()),
        ]
    };
    Table {
        title: "What things cost, ns".to_owned(),
        header: ["", "ns"].map(str::to_owned).to_vec(),
        rows: vec![
            one("free and alloc, the loop alone", costs.loop_pair),
            one("free and alloc, from a CPU's lists", costs.pair),
            one("more, if all CPUs' blocks are mixed in memory", costs.mixed),
            one("free and alloc, one locked allocator", costs.locked_pair),
            one(
                "between two operations of that, if two CPUs contend",
                costs.locked_contended,
            ),
            one("alloc into a batch for another CPU", costs.produce),
            one("free from a batch", costs.consume),
            one("more, if another CPU allocated it", costs.consume_foreign),
            one("passing a batch of 64 through a channel", costs.channel),
            line("n blocks from a CPU's own piece", costs.cut),
            line(
                "refill, n blocks that the same CPU gave back",
                costs.refill_own,
            ),
            line(
                "refill, n blocks that another CPU gave back",
                costs.refill_foreign,
            ),
            line("refill, n blocks from free memory", costs.refill_cut),
            line("give back n blocks", costs.give_back),
            line(
                "give back n blocks after another CPU",
                costs.give_back_travelled,
            ),
            one(
                "alloc of 4 to 16 KiB, which have no lists",
                costs.heap_alloc,
            ),
            one("free of them", costs.heap_free),
            one("alloc of one that the CPU keeps", costs.kept_alloc),
            one("free that keeps one", costs.kept_free),
            one("an atomic swap", costs.swap),
            one("reading a line that another CPU wrote", costs.transfer),
            one("from a store to the other CPU's answer", costs.ping_pong),
            one(
                "from a lock's release to the waiter's entry",
                costs.hand_over,
            ),
        ],
        notes: Vec::new(),
    }
}
