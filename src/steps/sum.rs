//! What several operations of an allocator came to, for one who asks it for
//! more than one at a time.

use super::Counter;
#[cfg(debug_assertions)]
use super::{Operation, Steps};

/// The sum of what operations did. Each of them kept within its own bounds.
#[derive(Debug)]
pub(crate) struct Sum {
    pub allocs: Counter,
    pub frees: Counter,
    pub resizes: Counter,
    /// Parked blocks given back.
    pub drained: Counter,
    /// How often the last resort was taken.
    pub last: Counter,
}

impl Sum {
    pub const fn new() -> Self {
        Self {
            allocs: Counter::new(),
            frees: Counter::new(),
            resizes: Counter::new(),
            drained: Counter::new(),
            last: Counter::new(),
        }
    }

    /// Adds an operation and what it did.
    #[cfg(debug_assertions)]
    pub fn add(&self, operation: Operation, steps: &Steps) {
        match operation {
            Operation::Alloc => self.allocs.step(),
            Operation::Dealloc => self.frees.step(),
            Operation::Realloc => self.resizes.step(),
        }
        self.drained.add(steps.drained);
        self.last.add(steps.last);
    }
}
