//! Where the allocator for many CPUs stops scaling: a simulation of its lists and locks, fed with what they cost here.

mod compare;
mod costs;
mod curves;
mod design;
mod explore;
mod load;
mod measured;
mod model;
mod plot;
mod series;
mod tables;

use std::fs;

use anyhow::{Context, Result};

use crate::cli::Scaling;
use crate::report::table::Table;
use curves::Curves;
use measured::Measured;

/// Measures, or reads what was measured, simulates, and writes tables and a plot.
pub fn run(options: &Scaling) -> Result<()> {
    fs::create_dir_all(&options.out)?;
    let measured = match &options.measured {
        Some(file) => serde_json::from_str(
            &fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?,
        )?,
        None => Measured::now()?,
    };
    fs::write(
        options.out.join("measured.json"),
        serde_json::to_string_pretty(&measured)?,
    )?;
    if options.only_measure {
        return Ok(());
    }
    let costs = &measured.costs;
    let mut text: String = measured
        .machine
        .iter()
        .map(|line| format!("- {line}\n"))
        .collect();
    // Each as soon as it is there: the last ones take minutes.
    let mut show = |table: &Table| {
        println!("\n{}", table.for_terminal());
        text += &format!("\n{}", table.for_markdown());
    };
    show(&tables::costs(costs));
    show(&compare::table(&measured));
    let curves = Curves::simulate(costs);
    curves.tables().iter().for_each(&mut show);
    fs::write(options.out.join("scaling.svg"), plot::draw(&curves)?)?;
    explore::tables(costs).for_each(|table| show(&table));
    fs::write(options.out.join("scaling.md"), text)?;
    Ok(())
}
