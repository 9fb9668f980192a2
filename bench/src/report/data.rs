//! The figures for other programs to read: `results.csv` and `results.json`.

use std::fs;
use std::path::Path;

use anyhow::Result;
use serde::Serialize;

use crate::results::{Key, Results};
use crate::stats::Summary;
use crate::suite::Suite;

/// One metric of one contender in one case.
#[derive(Serialize)]
struct Row<'r> {
    workload: &'r str,
    case: &'r str,
    contender: &'r str,
    metric: &'r str,
    /// As measured, with the cost of the loop.
    median: f64,
    lower_quartile: f64,
    upper_quartile: f64,
    rounds: usize,
}

#[derive(Serialize)]
struct Failure<'r> {
    workload: &'r str,
    case: &'r str,
    contender: &'r str,
    reason: &'r str,
}

#[derive(Serialize)]
struct Document<'r> {
    about: Vec<String>,
    results: Vec<Row<'r>>,
    failures: Vec<Failure<'r>>,
}

pub fn write(suite: &Suite, results: &Results, folder: &Path) -> Result<()> {
    let document = Document {
        about: suite.preface(),
        results: rows(results),
        failures: failures(results),
    };
    let mut csv = csv::Writer::from_path(folder.join("results.csv"))?;
    for row in &document.results {
        csv.serialize(row)?;
    }
    csv.flush()?;
    fs::write(
        folder.join("results.json"),
        serde_json::to_string_pretty(&document)?,
    )?;
    Ok(())
}

fn rows(results: &Results) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    for (key, metrics) in &results.samples {
        for (metric, samples) in metrics {
            rows.extend(Summary::of(samples).map(|summary| Row {
                workload: &key.workload,
                case: &key.case,
                contender: &key.contender,
                metric,
                median: summary.median,
                lower_quartile: summary.lower_quartile,
                upper_quartile: summary.upper_quartile,
                rounds: samples.len(),
            }));
        }
    }
    rows
}

fn failures(results: &Results) -> Vec<Failure<'_>> {
    let mut failures = Vec::new();
    for (
        Key {
            workload,
            case,
            contender,
        },
        reason,
    ) in &results.failures
    {
        failures.push(Failure {
            workload,
            case,
            contender,
            reason,
        });
    }
    failures
}
