//! Running contenders: a process each, in rounds, on one core.

pub mod child;
pub mod job;
pub mod schedule;
