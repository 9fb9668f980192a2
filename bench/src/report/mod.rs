//! Showing what was measured.

mod data;
mod page;
pub mod plot;
pub mod table;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::contender::{self, Entry};
use crate::results::Results;
use crate::workload::{self, Plan, Workload};
use table::View;

/// Results, and all that it takes to read them.
pub struct Report {
    /// How they came about, a fact per line.
    pub about: Vec<String>,
    pub plan: Plan,
    pub results: Results,
    pub contenders: Vec<&'static Entry>,
    pub workloads: Vec<&'static dyn Workload>,
}

impl Report {
    /// Of the contenders and workloads that the results speak of.
    pub fn new(about: Vec<String>, plan: Plan, results: Results) -> Self {
        let speaks_of = |found: &dyn Fn(&crate::results::Key) -> bool| results.keys().any(found);
        let contenders = contender::ALL
            .iter()
            .filter(|entry| speaks_of(&|key| key.contender == entry.name))
            .collect();
        let workloads = workload::ALL.iter().copied();
        let workloads = workloads
            .filter(|workload| speaks_of(&|key| key.workload == workload.name()))
            .collect();
        Self {
            about,
            plan,
            results,
            contenders,
            workloads,
        }
    }

    /// One report of the results of several runs.
    pub fn read(folders: &[impl AsRef<Path>]) -> Result<Self> {
        data::read(folders)
    }

    /// All there is to show of each workload.
    pub fn views(&self) -> Vec<(&'static dyn Workload, Vec<View<'_>>)> {
        let views = |workload: &&'static dyn Workload| {
            (
                *workload,
                View::all(&self.results, *workload, &workload.cases(&self.plan)),
            )
        };
        self.workloads.iter().map(views).collect()
    }

    pub fn print(&self) {
        for (_, views) in self.views() {
            views
                .iter()
                .for_each(|view| println!("\n{}", view.table(&self.contenders).for_terminal()));
        }
    }

    /// Writes everything to `folder`: the page, the plots, and the figures for other programs to read.
    pub fn write(&self, folder: &Path) -> Result<()> {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let plots = plot::all(self)?;
        for plot in &plots {
            fs::write(folder.join(format!("{}.svg", plot.name)), &plot.svg)?;
        }
        fs::write(folder.join("report.html"), page::html(self, &plots))?;
        fs::write(folder.join("tables.md"), page::markdown(self, &plots))?;
        data::write(self, folder)?;
        println!("wrote {}", folder.join("report.html").display());
        Ok(())
    }
}
