use serde::{Deserialize, Serialize};

use crate::workload::{Measures, Plan};

/// What one child process is to do. It is passed as JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Job {
    pub workload: String,
    pub case: String,
    pub contender: String,
    pub core: usize,
    /// Whether every block is filled and verified.
    pub check: bool,
    pub plan: Plan,
}

/// What came of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Outcome {
    Measured(Measures),
    /// The contender could not do it: out of memory, corrupt, crashed or hung, in words.
    Failed(String),
}
