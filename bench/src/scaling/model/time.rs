//! Time in the simulation: picoseconds, so that it is exact and does not run out.

pub type Time = u64;

pub const PER_NS: f64 = 1e3;

pub fn from_ns(ns: f64) -> Time {
    (ns.max(0.0) * PER_NS).round() as Time
}

pub fn as_ns(time: Time) -> f64 {
    time as f64 / PER_NS
}
