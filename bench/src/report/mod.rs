//! Showing what was measured.

pub mod table;
