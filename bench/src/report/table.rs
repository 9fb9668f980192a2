//! Tables, as rows of text that the terminal and the page show each in its way.

use comfy_table::{CellAlignment, Table as Terminal};

use crate::contender::{Entry, NOOP};
use crate::results::{Key, Results};
use crate::stats::geometric_mean;
use crate::workload::{Metric, Workload};

/// Whom everybody is compared with, each in a column.
const YARDSTICKS: [&str; 3] = ["talc", "galloc-0.1.7", "mimalloc"];
/// Whose ratio stands beside each figure.
pub const FIRST_YARDSTICK: &str = YARDSTICKS[0];

/// One metric of one workload.
pub struct Table {
    pub title: String,
    pub header: Vec<String>,
    pub rows: Vec<Vec<String>>,
    /// Who could not do what.
    pub notes: Vec<String>,
}

impl Table {
    pub fn of(
        results: &Results,
        workload: &dyn Workload,
        metric: &Metric,
        cases: &[String],
        contenders: &[&Entry],
    ) -> Self {
        let unit = if metric.unit.is_empty() {
            String::new()
        } else {
            format!(" [{}]", metric.unit)
        };
        let net = if metric.net { ", net of the loop" } else { "" };
        let mut header = vec![String::new()];
        header.extend(cases.iter().cloned());
        header.extend(YARDSTICKS.map(|yardstick| format!("to {yardstick}")));
        let view = View {
            results,
            workload,
            metric,
            cases,
        };
        let rows = contenders
            .iter()
            .filter_map(|entry| view.row(entry))
            .collect();
        let notes = contenders
            .iter()
            .flat_map(|entry| view.notes(entry))
            .collect();
        Self {
            title: format!("{}: {}{unit}{net}", workload.name(), metric.name),
            header,
            rows,
            notes,
        }
    }

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
}

struct View<'a> {
    results: &'a Results,
    workload: &'a dyn Workload,
    metric: &'a Metric,
    cases: &'a [String],
}

impl View<'_> {
    fn keys(&self, entry: &Entry) -> impl Iterator<Item = Key> {
        self.cases
            .iter()
            .map(|case| Key::new(self.workload.name(), case, entry.name))
    }

    /// Nothing for a contender that the workload is not for.
    fn row(&self, entry: &Entry) -> Option<Vec<String>> {
        let cells: Vec<Option<String>> = self.keys(entry).map(|key| self.cell(&key)).collect();
        let concerned = cells.iter().any(Option::is_some);
        let means =
            YARDSTICKS.map(|yardstick| self.mean_ratio(entry, yardstick).unwrap_or("–".to_owned()));
        let cells = cells.into_iter().map(|cell| cell.unwrap_or("–".to_owned()));
        concerned.then(|| {
            [entry.name.to_owned()]
                .into_iter()
                .chain(cells)
                .chain(means)
                .collect()
        })
    }

    fn cell(&self, key: &Key) -> Option<String> {
        if let Some(reason) = self.results.failures.get(key) {
            return Some(
                reason
                    .split([' ', ':'])
                    .next()
                    .unwrap_or_default()
                    .to_owned(),
            );
        }
        let figure = self.results.figure(key, self.metric)?;
        let spread = if figure.spread() >= 0.01 {
            format!(" ±{:.0}%", figure.spread() * 100.0)
        } else {
            String::new()
        };
        let ratio = self
            .results
            .ratio(key, FIRST_YARDSTICK, self.metric)
            .filter(|_| key.contender != NOOP);
        let ratio = ratio.map_or(String::new(), |ratio| format!(" ({ratio:.2})"));
        Some(format!("{}{spread}{ratio}", number(figure.median)))
    }

    /// The geometric mean over all cases, which would mislead if one were missing.
    fn mean_ratio(&self, entry: &Entry, to: &str) -> Option<String> {
        mean_ratio(
            self.results,
            self.workload,
            self.metric,
            self.cases,
            entry,
            to,
        )
        .map(|mean| format!("{mean:.3}"))
    }

    fn notes(&self, entry: &Entry) -> Vec<String> {
        let note = |key: Key| {
            let reason = self.results.failures.get(&key)?;
            Some(format!("{} in {}: {reason}", key.contender, key.case))
        };
        self.keys(entry).filter_map(note).collect()
    }
}

/// The geometric mean of a contender's ratios to another over all cases. None if one is missing.
pub fn mean_ratio(
    results: &Results,
    workload: &dyn Workload,
    metric: &Metric,
    cases: &[String],
    entry: &Entry,
    to: &str,
) -> Option<f64> {
    if entry.name == NOOP {
        return None;
    }
    let ratio =
        |case: &String| results.ratio(&Key::new(workload.name(), case, entry.name), to, metric);
    let ratios = cases.iter().map(ratio).collect::<Option<Vec<f64>>>()?;
    geometric_mean(&ratios).filter(|mean| mean.is_finite())
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
