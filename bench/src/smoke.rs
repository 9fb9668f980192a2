//! Whether everything works: every workload runs shortly with every contender, once with every block verified and once to
//! be measured, and every result must be there and make sense.

use anyhow::{Result, bail};

use crate::contender::NOOP;
use crate::results::{Key, Results};
use crate::suite::Suite;

pub fn run(suite: &Suite) -> Result<()> {
    let measured = suite.run(false)?;
    let checked = suite.run(true)?;
    let mut faults = incomplete(suite, &measured);
    faults.extend(corrupt(&checked));
    if !checked
        .failures
        .iter()
        .any(|(key, why)| key.contender == NOOP && why.starts_with("corrupts"))
    {
        faults.push("the checking mode finds nothing wrong with the no-op".to_owned());
    }
    if !faults.is_empty() {
        bail!("{} faults:\n{}", faults.len(), faults.join("\n"));
    }
    println!(
        "{} results of {} contenders are complete and sane",
        measured.samples.len(),
        suite.contenders.len()
    );
    Ok(())
}

/// What is missing, or is no number that a measurement can give.
fn incomplete(suite: &Suite, results: &Results) -> Vec<String> {
    let mut faults = Vec::new();
    for workload in &suite.workloads {
        for case in workload.cases(&suite.plan) {
            for entry in suite
                .contenders
                .iter()
                .filter(|entry| entry.bounded || !workload.needs_region())
            {
                let key = Key::new(workload.name(), &case, entry.name);
                if results.failures.contains_key(&key) {
                    continue;
                }
                let sane = |value: &f64| value.is_finite() && *value >= 0.0;
                match results.samples.get(&key) {
                    Some(metrics)
                        if !metrics.is_empty() && metrics.values().flatten().all(sane) => {}
                    Some(metrics) => faults.push(format!("{key}: {metrics:?} makes no sense")),
                    None => faults.push(format!("{key}: no result")),
                }
            }
        }
    }
    faults
}

/// Who does not keep blocks as they are. The no-op does not.
fn corrupt(results: &Results) -> Vec<String> {
    let found = results
        .failures
        .iter()
        .filter(|(key, why)| key.contender != NOOP && why.starts_with("corrupts"));
    found.map(|(key, why)| format!("{key}: {why}")).collect()
}
