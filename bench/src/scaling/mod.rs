//! Where the allocator for many CPUs stops scaling: a simulation of its lists and locks, fed with what they cost here.

mod costs;
mod design;
mod load;
mod model;

use anyhow::Result;

use crate::machine::core_pin::cores;
use costs::Costs;
use design::TODAY;
use load::{Load, PATTERNS};
use model::{Front, Length, Setup};

pub fn run() -> Result<()> {
    let costs = Costs::measure(&cores()?)?;
    println!("{costs:#?}");
    for pattern in PATTERNS {
        for front in [Front::PerCpu(TODAY), Front::Locked] {
            for cpus in [1, 2, 4, 8, 16, 32, 64, 128, 256] {
                if cpus == 1 && pattern == load::Pattern::Pipeline { continue; }
                let begin = std::time::Instant::now();
                let outcome = model::run(&Setup {
                    cpus,
                    pattern,
                    load: Load::default(),
                    front,
                    costs: &costs,
                    crowd: 1.0,
                    length: Length {
                        warm: 20_000,
                        measured: 40_000,
                    },
                });
                println!("{} {} {cpus}: {outcome:?} {:?}", pattern.name(), front == Front::Locked, begin.elapsed());
            }
        }
    }
    Ok(())
}
