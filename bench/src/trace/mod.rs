//! Recorded allocations of real programs.

mod convert;
pub mod file;
pub mod op;
pub mod record;
pub mod replay;
