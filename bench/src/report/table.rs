//! Tables, as rows of text that the terminal and the page show each in its way.

use std::collections::BTreeSet;

use comfy_table::{CellAlignment, Table as Terminal};

use crate::contender::{Entry, NOOP};
use crate::results::{Key, Results};
use crate::stats::{Summary, geometric_mean};
use crate::workload::{Better, Metric, Plot, Workload};

/// Whom everybody is compared with, each in a column.
const YARDSTICKS: [&str; 3] = ["talc", "galloc-0.1.7", "mimalloc"];
/// Whose ratio stands beside each figure.
pub const FIRST_YARDSTICK: &str = YARDSTICKS[0];

/// What stands where there is nothing to say.
const NOTHING: &str = "–";

/// One metric of one workload in all cases, or all metrics in one case.
pub struct Table {
    pub title: String,
    pub header: Vec<String>,
    pub rows: Vec<Vec<String>>,
    /// Who could not do what.
    pub notes: Vec<String>,
}

/// What a table shows: a column for each pair of a case and a metric.
pub struct View<'a> {
    pub results: &'a Results,
    pub workload: &'a dyn Workload,
    pub columns: Vec<(String, &'static Metric)>,
}

impl<'a> View<'a> {
    /// The views that show all of a workload.
    pub fn all(results: &'a Results, workload: &'a dyn Workload, cases: &[String]) -> Vec<Self> {
        let view = |columns| Self {
            results,
            workload,
            columns,
        };
        let metrics = workload.metrics();
        match workload.plot() {
            Plot::Lines => {
                let of = |case: &String| {
                    view(
                        metrics
                            .iter()
                            .map(|metric| (case.clone(), metric))
                            .collect(),
                    )
                };
                cases.iter().map(of).collect()
            }
            Plot::Bars => {
                let of = |metric| view(cases.iter().map(|case| (case.clone(), metric)).collect());
                metrics.iter().map(of).collect()
            }
        }
    }

    /// What a column is called: what differs from the others.
    pub fn label(&self, column: &(String, &'static Metric)) -> String {
        match self.workload.plot() {
            Plot::Lines => column.1.name.to_owned(),
            Plot::Bars => column.0.clone(),
        }
    }

    pub fn title(&self) -> String {
        let Some((case, metric)) = self.columns.first() else {
            return self.workload.name().to_owned();
        };
        let what = match self.workload.plot() {
            Plot::Lines => case,
            Plot::Bars => metric.name,
        };
        let unit = if metric.unit.is_empty() {
            String::new()
        } else {
            format!(" [{}]", metric.unit)
        };
        let net = if metric.net { ", net of the loop" } else { "" };
        let better = match metric.better {
            Better::Less => "less is better",
            Better::More => "more is better",
        };
        format!("{}: {what}{unit}{net}; {better}", self.workload.name())
    }

    pub fn table(&self, contenders: &[&Entry]) -> Table {
        let mut header = vec![String::new()];
        header.extend(self.columns.iter().map(|column| self.label(column)));
        header.extend(YARDSTICKS.map(|yardstick| format!("to {yardstick}")));
        let rows = contenders
            .iter()
            .filter_map(|entry| self.row(entry))
            .collect();
        let notes = contenders
            .iter()
            .flat_map(|entry| self.notes(entry))
            .collect();
        Table {
            title: self.title(),
            header,
            rows,
            notes,
        }
    }

    fn key(&self, case: &str, entry: &Entry) -> Key {
        Key::new(self.workload.name(), case, entry.name)
    }

    /// A contender's figures, for the columns that it has.
    pub fn figures(&self, entry: &Entry) -> impl Iterator<Item = Option<Summary>> {
        self.columns
            .iter()
            .map(|(case, metric)| self.results.figure(&self.key(case, entry), metric))
    }

    /// The geometric mean of a contender's ratios to another over all columns, which would mislead if one were missing.
    pub fn mean_ratio(&self, entry: &Entry, to: &str) -> Option<f64> {
        if entry.name == NOOP {
            return None;
        }
        let ratio = |(case, metric): &(String, &Metric)| {
            self.results.ratio(&self.key(case, entry), to, metric)
        };
        let ratios = self
            .columns
            .iter()
            .map(ratio)
            .collect::<Option<Vec<f64>>>()?;
        geometric_mean(&ratios).filter(|mean| mean.is_finite())
    }

    /// Nothing for a contender that the workload is not for.
    fn row(&self, entry: &Entry) -> Option<Vec<String>> {
        let cell = |(case, metric): &(String, &Metric)| self.cell(&self.key(case, entry), metric);
        let cells: Vec<Option<String>> = self.columns.iter().map(cell).collect();
        let concerned = cells.iter().any(Option::is_some);
        let mean = |mean: Option<f64>| mean.map_or(NOTHING.to_owned(), |mean| format!("{mean:.3}"));
        let means = YARDSTICKS.map(|yardstick| mean(self.mean_ratio(entry, yardstick)));
        let cells = cells
            .into_iter()
            .map(|cell| cell.unwrap_or(NOTHING.to_owned()));
        concerned.then(|| {
            [entry.name.to_owned()]
                .into_iter()
                .chain(cells)
                .chain(means)
                .collect()
        })
    }

    /// The figure, its spread if there is any to speak of, and in brackets the ratio to the first yardstick; in one word
    /// what happened if there is no figure.
    fn cell(&self, key: &Key, metric: &Metric) -> Option<String> {
        if let Some(reason) = self.results.failures.get(key) {
            return reason.split([' ', ':', ',']).next().map(str::to_owned);
        }
        let figure = self.results.figure(key, metric)?;
        let spread = figure.spread();
        let spread = if spread >= 0.01 {
            format!(" ±{:.0}%", spread * 100.0)
        } else {
            String::new()
        };
        let ratio = self
            .results
            .ratio(key, FIRST_YARDSTICK, metric)
            .filter(|_| key.contender != NOOP);
        let ratio = ratio.map_or(String::new(), |ratio| format!(" ({ratio:.2})"));
        Some(format!("{}{spread}{ratio}", number(figure.median)))
    }

    fn notes(&self, entry: &Entry) -> Vec<String> {
        let cases: BTreeSet<&String> = self.columns.iter().map(|(case, _)| case).collect();
        let note = |case: &String| {
            let reason = self.results.failures.get(&self.key(case, entry))?;
            Some(format!("{} in {case}: {reason}", entry.name))
        };
        cases.into_iter().filter_map(note).collect()
    }
}

impl Table {
    pub fn for_terminal(&self) -> String {
        let mut table = Terminal::new();
        table
            .load_preset("     ──            ")
            .set_header(&self.header);
        self.rows.iter().for_each(|row| {
            table.add_row(row);
        });
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        let notes: String = self
            .notes
            .iter()
            .map(|note| format!("  {note}\n"))
            .collect();
        format!("{}\n{table}\n{notes}", self.title)
    }

    pub fn for_markdown(&self) -> String {
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let rule = format!("|---|{}\n", "--:|".repeat(self.header.len() - 1));
        let rows: String = self.rows.iter().map(|row| line(row)).collect();
        let notes: String = self
            .notes
            .iter()
            .map(|note| format!("- {note}\n"))
            .collect();
        let gap = if notes.is_empty() { "" } else { "\n" };
        format!(
            "**{}**\n\n{}{rule}{rows}{gap}{notes}",
            self.title,
            line(&self.header)
        )
    }
}

/// Three significant digits or so.
pub fn number(value: f64) -> String {
    let digits = match value.abs() {
        value if value >= 100.0 => 0,
        value if value >= 10.0 => 1,
        value if value >= 1.0 => 2,
        _ => 3,
    };
    format!("{value:.digits$}")
}
