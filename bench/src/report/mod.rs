//! Showing what was measured.

mod data;
mod page;
mod plot;
pub mod table;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::results::Results;
use crate::suite::Suite;

/// Writes everything to `folder`: the page, the plots, and the figures for other programs to read.
pub fn write(suite: &Suite, results: &Results, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let plots = plot::all(suite, results)?;
    for plot in &plots {
        fs::write(folder.join(format!("{}.svg", plot.name)), &plot.svg)?;
    }
    fs::write(
        folder.join("report.html"),
        page::html(suite, results, &plots),
    )?;
    fs::write(folder.join("tables.md"), page::markdown(suite, results))?;
    data::write(suite, results, folder)
}
