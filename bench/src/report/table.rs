//! Tables for the terminal.

use comfy_table::{Cell, CellAlignment, Table, presets};

use crate::contender::{Entry, NOOP};
use crate::results::Results;
use crate::stats::geometric_mean;
use crate::workload::{Metric, Workload};

/// One workload's metric: a row for each contender, a column for each case, and the geometric mean of the ratios to
/// `yardstick`.
pub fn of(
    results: &Results,
    workload: &dyn Workload,
    metric: &Metric,
    cases: &[String],
    contenders: &[&Entry],
    yardstick: &str,
) -> String {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_HORIZONTAL_ONLY);
    let mut header = vec![String::new()];
    header.extend(cases.iter().cloned());
    header.extend(["mean".to_owned(), format!("of {yardstick}")]);
    table.set_header(header);
    for entry in contenders {
        let cells = row(results, workload, metric, cases, entry, yardstick);
        table.add_row(cells);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let net = if metric.net { ", net of the loop" } else { "" };
    let unit = if metric.unit.is_empty() {
        String::new()
    } else {
        format!(" [{}]", metric.unit)
    };
    format!(
        "{}: {}{unit}{net}; in brackets the ratio to {yardstick}\n{table}\n",
        workload.name(),
        metric.name
    )
}

fn row(
    results: &Results,
    workload: &dyn Workload,
    metric: &Metric,
    cases: &[String],
    entry: &Entry,
    yardstick: &str,
) -> Vec<Cell> {
    let mut cells = vec![Cell::new(entry.name)];
    let (mut values, mut ratios) = (Vec::new(), Vec::new());
    for case in cases {
        let figure = results.figure(workload.name(), case, entry.name, metric);
        let base = results.figure(workload.name(), case, yardstick, metric);
        let ratio = figure
            .zip(base)
            .map(|(figure, base)| figure.median / base.median);
        values.extend(figure.map(|figure| figure.median));
        ratios.extend(ratio);
        cells.push(Cell::new(match (figure, ratio) {
            (None, _) => results
                .failure(workload.name(), case, entry.name)
                .unwrap_or("–")
                .to_owned(),
            (Some(figure), Some(ratio)) if entry.name != NOOP => {
                format!("{} ({ratio:.2})", number(figure.median))
            }
            (Some(figure), _) => number(figure.median),
        }));
    }
    let complete = values.len() == cases.len();
    cells.push(mean(&values, complete));
    cells.push(if entry.name == NOOP {
        Cell::new("–")
    } else {
        mean(&ratios, complete)
    });
    cells
}

/// A geometric mean, which would mislead if a case were missing.
fn mean(values: &[f64], complete: bool) -> Cell {
    let mean = geometric_mean(values).filter(|_| complete);
    Cell::new(mean.map_or("–".to_owned(), |mean| format!("{mean:.3}")))
}

/// Three significant digits or so.
pub fn number(value: f64) -> String {
    let digits = match value.abs() {
        value if value >= 1000.0 => 0,
        value if value >= 100.0 => 1,
        value if value >= 10.0 => 2,
        _ => 3,
    };
    format!("{value:.digits$}")
}
