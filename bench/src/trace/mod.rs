//! Recorded allocations of real programs.

pub mod file;
pub mod op;
pub mod replay;
