//! What the fuzz targets share: the tests' shadow model, and how the bytes of
//! an input become a heap and operations on it.

#[allow(
    clippy::missing_safety_doc,
    clippy::len_without_is_empty,
    reason = "this is public to the targets only"
)]
#[path = "../../tests/common/mod.rs"]
pub mod common;
pub mod constants;
pub mod count;
pub mod front_end;
pub mod input;
pub mod setting;

use common::{Op, Shadow, Subject};
use input::{Input, Step};

/// Does with an allocator what the rest of the input says, and in the end
/// frees everything.
///
/// # Panics
///
/// If the shadow finds fault.
pub fn follow(subject: &mut dyn Subject, mut shadow: Shadow, input: &mut Input) {
    let interval = input.interval(shadow.capacity());
    let mut done = 0;
    while !input.is_empty() {
        let Step { op, times } = input.step(shadow.capacity());
        for _ in 0..times {
            if shadow.blocks() == 0 && matches!(op, Op::Realloc { .. } | Op::Dealloc { .. }) {
                break;
            }
            judge(shadow.step(subject, op));
            done += 1;
            if done % interval == 0 {
                judge(shadow.examine(subject));
            }
        }
    }
    judge(shadow.examine(subject));
    count::add(done + shadow.blocks());
    judge(shadow.finish(subject));
}

/// Panics with what is wrong, if anything is.
#[track_caller]
pub fn judge(verdict: common::Verdict) {
    if let Err(fault) = verdict {
        panic!("{fault}");
    }
}
