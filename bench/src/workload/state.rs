//! What an allocator takes outside its heap.

use anyhow::{Context, Result};

use super::{Bench, Better, Measures, Metric, Plan, Workload};

pub struct State;

impl Workload for State {
    fn name(&self) -> &'static str {
        "state"
    }

    fn about(&self) -> &'static str {
        "The size of the allocator itself with its lock, in the static. Some keep more in the heap: talc its bins, galloc \
         its bitmap, simple-chunk its bitmap."
    }

    fn metrics(&self) -> &'static [Metric] {
        const {
            &[Metric {
                name: "state",
                unit: "bytes",
                better: Better::Less,
                net: false,
            }]
        }
    }

    fn cases(&self, _plan: &Plan) -> Vec<String> {
        vec!["static".to_owned()]
    }

    fn needs_region(&self) -> bool {
        true
    }

    fn varies(&self) -> bool {
        false
    }

    fn run(&self, bench: &Bench) -> Result<Measures> {
        let state = bench.entry.state.context("keeps its state elsewhere")?;
        Ok(Measures::from([("state".to_owned(), state as f64)]))
    }
}
