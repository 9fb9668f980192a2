//! Benchmarks that count what is done in 100, 200, … 1000 ms.

use std::time::Duration;

use anyhow::Result;

use super::{Better, Effort, Measures, Metric};

pub const STEPS: usize = 10;
const NAMES: [&str; STEPS] = [
    "100 ms", "200 ms", "300 ms", "400 ms", "500 ms", "600 ms", "700 ms", "800 ms", "900 ms",
    "1000 ms",
];

/// A metric for each tenth of the longest duration.
pub const fn metrics(unit: &'static str, better: Better) -> [Metric; STEPS] {
    let mut metrics = [const {
        Metric {
            name: "",
            unit: "",
            better: Better::More,
            net: false,
        }
    }; STEPS];
    let mut step = 0;
    while step < STEPS {
        metrics[step] = Metric {
            name: NAMES[step],
            unit,
            better,
            net: false,
        };
        step += 1;
    }
    metrics
}

/// The longest duration and the number of trials. The original has 50 of them. A smoke test is fifty times as fast as it
/// says.
pub fn of(effort: Effort) -> (Duration, u64) {
    match effort {
        Effort::Smoke => (Duration::from_millis(20), 1),
        Effort::Usual => (Duration::from_secs(1), 1),
        Effort::Full => (Duration::from_secs(1), 50),
    }
}

pub fn step(longest: Duration, step: usize) -> Duration {
    longest * step as u32 / STEPS as u32
}

/// The mean score of each duration over all trials.
pub fn mean_of(trials: u64, mut trial: impl FnMut(u64) -> Result<Vec<f64>>) -> Result<Measures> {
    let mut measures = Measures::new();
    for number in 0..trials {
        for (name, score) in NAMES.into_iter().zip(trial(number)?) {
            *measures.entry(name.to_owned()).or_default() += score / trials as f64;
        }
    }
    Ok(measures)
}
