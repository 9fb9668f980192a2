//! The two ways to tell speed: what an operation takes net of the loop, and operations per second with the loop.

use std::time::Duration;

use super::{Better, Measures, Metric};

pub const METRICS: &[Metric] = &[
    Metric {
        name: "throughput",
        unit: "Mops/s",
        better: Better::More,
        net: false,
    },
    Metric {
        name: "time",
        unit: "ns/op",
        better: Better::Less,
        net: true,
    },
];

pub fn measures(count: usize, time: Duration) -> Measures {
    let nanoseconds = time.as_nanos() as f64 / count as f64;
    Measures::from([
        ("throughput".to_owned(), 1e3 / nanoseconds),
        ("time".to_owned(), nanoseconds),
    ])
}
