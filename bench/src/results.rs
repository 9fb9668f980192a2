//! What was measured.

use serde::Serialize;

use crate::contender::NOOP;
use crate::stats::Summary;
use crate::workload::Metric;

/// One value of one run.
#[derive(Clone, Debug, Serialize)]
pub struct Record {
    pub workload: String,
    pub case: String,
    pub contender: String,
    pub round: usize,
    pub metric: String,
    pub value: f64,
}

/// A case that a contender could not do.
#[derive(Clone, Debug, Serialize)]
pub struct Failure {
    pub workload: String,
    pub case: String,
    pub contender: String,
    pub reason: String,
}

#[derive(Default, Serialize)]
pub struct Results {
    pub records: Vec<Record>,
    pub failures: Vec<Failure>,
}

impl Results {
    pub fn fail(&mut self, workload: &str, case: &str, contender: &str, reason: String) {
        self.failures.push(Failure {
            workload: workload.to_owned(),
            case: case.to_owned(),
            contender: contender.to_owned(),
            reason,
        });
    }

    pub fn failure(&self, workload: &str, case: &str, contender: &str) -> Option<&str> {
        let found = self.failures.iter().find(|failure| {
            failure.workload == workload && failure.case == case && failure.contender == contender
        });
        found.map(|failure| failure.reason.as_str())
    }

    /// A metric as it was measured.
    pub fn summary(
        &self,
        workload: &str,
        case: &str,
        contender: &str,
        metric: &str,
    ) -> Option<Summary> {
        let samples: Vec<f64> = self
            .records
            .iter()
            .filter(|record| {
                record.workload == workload
                    && record.case == case
                    && record.contender == contender
                    && record.metric == metric
            })
            .map(|record| record.value)
            .collect();
        Summary::of(&samples)
    }

    /// A metric as it is compared: net of the loop where that makes sense.
    pub fn figure(
        &self,
        workload: &str,
        case: &str,
        contender: &str,
        metric: &Metric,
    ) -> Option<Summary> {
        let gross = self.summary(workload, case, contender, metric.name)?;
        if !metric.net || contender == NOOP {
            return Some(gross);
        }
        let cost_of_loop = self.summary(workload, case, NOOP, metric.name)?.median;
        Some(Summary {
            median: gross.median - cost_of_loop,
            lower_quartile: gross.lower_quartile - cost_of_loop,
            upper_quartile: gross.upper_quartile - cost_of_loop,
        })
    }
}
