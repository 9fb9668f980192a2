//! The two checkers, one of which is chosen by a feature.

#[cfg(feature = "loom")]
pub use loom::{thread, thread_local};
#[cfg(feature = "shuttle")]
pub use shuttle::{thread, thread_local};

/// Runs a scenario in every interleaving with a few preemptions, and with
/// every value that a load may see.
#[cfg(feature = "loom")]
pub fn explore(scenario: impl Fn() + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = model.preemption_bound.or(Some(2));
    // A thread that waits for ever is stopped here.
    model.max_branches = 10_000;
    model.check(scenario);
}

/// Runs a scenario in many random interleavings, of two kinds: any, and those
/// that follow an order of threads but for a few places.
#[cfg(feature = "shuttle")]
pub fn explore(scenario: impl Fn() + Send + Sync + 'static) {
    let schedules = std::env::var("SHUTTLE_SCHEDULES")
        .map_or(Ok(5000), |text| text.parse::<usize>())
        .expect("SHUTTLE_SCHEDULES is not a number");
    let scenario = std::sync::Arc::new(scenario);
    let again = scenario.clone();
    shuttle::check_random(move || again(), schedules / 2);
    shuttle::check_pct(move || scenario(), schedules / 2, 3);
}
