//! What operations take in instructions, mispredicted branches and cache misses, counted by callgrind on a simulated
//! machine. Unlike times, these repeat, so that a change which costs a few instructions is seen.

mod cases;
mod inside;
mod outside;
mod requests;
mod table;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use crate::cli::Counts;
use table::Table;

/// The figures that are kept, and that a change is compared with.
const KEPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/counts.md");

pub fn run(options: &Counts) -> Result<()> {
    if options.inside {
        return inside::run();
    }
    ensure!(
        cfg!(target_arch = "x86_64"),
        "the requests to callgrind are written for x86_64 only"
    );
    let now = Table::new(outside::measure()?);
    if options.write {
        return fs::write(KEPT, now.to_string()).with_context(|| format!("cannot write {KEPT}"));
    }
    let text = fs::read_to_string(KEPT).with_context(|| format!("cannot read {KEPT}"))?;
    let kept = Table::read(&text).with_context(|| {
        let file = Path::new(KEPT).file_name().unwrap_or_default();
        format!("{} is not as --write makes it", file.display())
    })?;
    print!("{}", now.beside(&kept));
    if now.compiler != kept.compiler {
        println!("not compared: the kept figures are of {}", kept.compiler);
        return Ok(());
    }
    let worse = now.worse_than(&kept);
    if worse.is_empty() || !options.check {
        return Ok(());
    }
    bail!(
        "worse than docs/counts.md:\n  {}\nIf that is the price of something better, renew the file with \
         `cargo run --release -p galloc-bench -- counts --write`.",
        worse.join("\n  ")
    );
}
