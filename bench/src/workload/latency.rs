//! How long single operations take.

use anyhow::Result;
use hdrhistogram::Histogram;

use super::Measures;

/// Three significant digits.
pub fn histogram() -> Result<Histogram<u64>> {
    Ok(Histogram::new(3)?)
}

pub fn measures(latencies: &Histogram<u64>) -> Measures {
    Measures::from([
        ("minimum".to_owned(), latencies.min() as f64),
        ("median".to_owned(), latencies.value_at_quantile(0.5) as f64),
        ("average".to_owned(), latencies.mean()),
        ("p99".to_owned(), latencies.value_at_quantile(0.99) as f64),
        (
            "p99.9".to_owned(),
            latencies.value_at_quantile(0.999) as f64,
        ),
        ("maximum".to_owned(), latencies.max() as f64),
    ])
}
