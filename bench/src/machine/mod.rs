//! What the suite needs from the machine: memory, a core of its own, and its description.

pub mod core_pin;
mod description;
pub mod region;
pub mod thread_number;
pub mod ticks;

pub use description::description;
