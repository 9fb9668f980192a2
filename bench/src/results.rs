//! What was measured.

use std::collections::BTreeMap;
use std::fmt;

use crate::contender::NOOP;
use crate::run::child::HANGS;
use crate::stats::Summary;
use crate::workload::{Measures, Metric};

/// One contender in one case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    pub workload: String,
    pub case: String,
    pub contender: String,
}

impl Key {
    pub fn new(workload: &str, case: &str, contender: &str) -> Self {
        Self {
            workload: workload.to_owned(),
            case: case.to_owned(),
            contender: contender.to_owned(),
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}, {}: {}",
            self.workload, self.case, self.contender
        )
    }
}

#[derive(Default)]
pub struct Results {
    /// The values of every round, by metric.
    pub samples: BTreeMap<Key, BTreeMap<String, Vec<f64>>>,
    /// What a contender could not do, and why.
    pub failures: BTreeMap<Key, String>,
}

impl Results {
    pub fn add(&mut self, key: &Key, measures: Measures) {
        let metrics = self.samples.entry(key.clone()).or_default();
        for (metric, value) in measures {
            metrics.entry(metric).or_default().push(value);
        }
    }

    /// Every contender in every case that was tried.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.samples.keys().chain(self.failures.keys())
    }

    /// In how many cases a contender hung.
    pub fn hangs(&self, workload: &str, contender: &str) -> usize {
        let ours = |key: &Key| key.workload == workload && key.contender == contender;
        self.failures
            .iter()
            .filter(|(key, why)| ours(key) && why.starts_with(HANGS))
            .count()
    }

    /// A metric as it was measured.
    pub fn summary(&self, key: &Key, metric: &Metric) -> Option<Summary> {
        // What works only sometimes does not work.
        if self.failures.contains_key(key) {
            return None;
        }
        Summary::of(self.samples.get(key)?.get(metric.name)?)
    }

    /// A metric as it is compared: net of the loop where that makes sense.
    pub fn figure(&self, key: &Key, metric: &Metric) -> Option<Summary> {
        let gross = self.summary(key, metric)?;
        if !metric.net || key.contender == NOOP {
            return Some(gross);
        }
        let cost_of_loop = self.summary(
            &Key {
                contender: NOOP.to_owned(),
                ..key.clone()
            },
            metric,
        )?;
        Some(gross.less(cost_of_loop.median))
    }

    /// A contender's figure over another's.
    pub fn ratio(&self, key: &Key, to: &str, metric: &Metric) -> Option<f64> {
        let base = self.figure(
            &Key {
                contender: to.to_owned(),
                ..key.clone()
            },
            metric,
        )?;
        Some(self.figure(key, metric)?.median / base.median)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::Better;

    const TIME: Metric = Metric {
        name: "time",
        unit: "ns",
        better: Better::Less,
        net: true,
    };

    fn results(values: &[(&str, f64)]) -> Results {
        let mut results = Results::default();
        for (contender, value) in values {
            results.add(
                &Key::new("w", "c", contender),
                Measures::from([("time".to_owned(), *value)]),
            );
        }
        results
    }

    #[test]
    fn times_are_compared_net_of_the_loop() {
        let results = results(&[(NOOP, 4.0), ("a", 10.0), ("b", 16.0)]);
        assert_eq!(
            results.ratio(&Key::new("w", "c", "a"), "b", &TIME),
            Some(0.5)
        );
    }

    #[test]
    fn without_the_cost_of_the_loop_there_is_no_figure() {
        assert_eq!(
            results(&[("a", 10.0)]).figure(&Key::new("w", "c", "a"), &TIME),
            None
        );
    }

    #[test]
    fn a_case_that_failed_in_one_round_has_no_figure() {
        let mut results = results(&[(NOOP, 4.0), ("a", 10.0)]);
        results
            .failures
            .insert(Key::new("w", "c", "a"), "crashes".to_owned());
        assert_eq!(results.figure(&Key::new("w", "c", "a"), &TIME), None);
    }
}
