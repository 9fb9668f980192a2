//! The figures for other programs to read: `results.csv` and `results.json`.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::Report;
use crate::results::{Key, Results};
use crate::workload::{Measures, Plan};

/// All values of one metric of one contender in one case, as measured, with the cost of the loop.
#[derive(Serialize, Deserialize)]
struct Row {
    workload: String,
    case: String,
    contender: String,
    metric: String,
    samples: Vec<f64>,
}

#[derive(Serialize, Deserialize)]
struct Failure {
    workload: String,
    case: String,
    contender: String,
    reason: String,
}

#[derive(Serialize, Deserialize)]
struct Document {
    about: Vec<String>,
    plan: Plan,
    results: Vec<Row>,
    failures: Vec<Failure>,
}

pub fn write(report: &Report, folder: &Path) -> Result<()> {
    let document = Document {
        about: report.about.clone(),
        plan: report.plan.clone(),
        results: rows(&report.results),
        failures: failures(&report.results),
    };
    let mut csv = csv::Writer::from_path(folder.join("results.csv"))?;
    csv.write_record(["workload", "case", "contender", "metric", "round", "value"])?;
    for row in &document.results {
        for (round, value) in row.samples.iter().enumerate() {
            csv.serialize((
                &row.workload,
                &row.case,
                &row.contender,
                &row.metric,
                round,
                value,
            ))?;
        }
    }
    csv.flush()?;
    fs::write(
        folder.join("results.json"),
        serde_json::to_string_pretty(&document)?,
    )?;
    Ok(())
}

/// Reads what several runs wrote. They must be of the same plan; what the first says of it goes.
pub fn read(folders: &[impl AsRef<Path>]) -> Result<Report> {
    let mut results = Results::default();
    let mut first = None;
    for folder in folders {
        let file = folder.as_ref().join("results.json");
        let text =
            fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let document: Document = serde_json::from_str(&text)?;
        document
            .results
            .into_iter()
            .for_each(|row| row.join(&mut results));
        document
            .failures
            .into_iter()
            .for_each(|failure| failure.join(&mut results));
        first.get_or_insert((document.about, document.plan));
    }
    let (about, plan) = first.context("no run to report")?;
    Ok(Report::new(about, plan, results))
}

impl Row {
    fn join(self, results: &mut Results) {
        let key = Key {
            workload: self.workload,
            case: self.case,
            contender: self.contender,
        };
        for sample in self.samples {
            results.add(&key, Measures::from([(self.metric.clone(), sample)]));
        }
    }
}

impl Failure {
    fn join(self, results: &mut Results) {
        let key = Key {
            workload: self.workload,
            case: self.case,
            contender: self.contender,
        };
        results.failures.insert(key, self.reason);
    }
}

fn rows(results: &Results) -> Vec<Row> {
    let mut rows = Vec::new();
    for (
        Key {
            workload,
            case,
            contender,
        },
        metrics,
    ) in results.samples.clone()
    {
        for (metric, samples) in metrics {
            let (workload, case, contender) = (workload.clone(), case.clone(), contender.clone());
            rows.push(Row {
                workload,
                case,
                contender,
                metric,
                samples,
            });
        }
    }
    rows
}

fn failures(results: &Results) -> Vec<Failure> {
    let failures = results.failures.clone().into_iter();
    failures
        .map(
            |(
                Key {
                    workload,
                    case,
                    contender,
                },
                reason,
            )| Failure {
                workload,
                case,
                contender,
                reason,
            },
        )
        .collect()
}
