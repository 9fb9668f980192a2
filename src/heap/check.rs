//! check
use super::{Heap};
/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckError;
impl Heap { }
