//! What the fuzz targets share: the tests' shadow model, and how the bytes of
//! an input become a heap and operations on it.

#[path = "../../tests/common/mod.rs"]
pub mod common;
pub mod count;
pub mod input;

use arbitrary::{Result, Unstructured};
use common::{Shadow, Subject};

/// Calls a function that is generic over both constants with those that a
/// number chooses.
#[macro_export]
macro_rules! with_constants {
    ($choice:expr, $function:ident $arguments:tt) => {
        match $choice {
            0 => $function::<0, 2> $arguments,
            1 => $function::<1, 2> $arguments,
            2 => $function::<8, 2> $arguments,
            3 => $function::<32, 2> $arguments,
            4 => $function::<512, 2> $arguments,
            5 => $function::<0, 3> $arguments,
            6 => $function::<1, 3> $arguments,
            7 => $function::<8, 3> $arguments,
            8 => $function::<32, 3> $arguments,
            9 => $function::<512, 3> $arguments,
            10 => $function::<0, 8> $arguments,
            11 => $function::<1, 8> $arguments,
            12 => $function::<8, 8> $arguments,
            13 => $function::<32, 8> $arguments,
            _ => $function::<512, 8> $arguments,
        }
    };
}

/// The choices that `with_constants` tells apart.
pub const CONSTANTS: u8 = 15;

/// How many operations there are from one examination of a heap to the next:
/// to examine a large one takes long.
pub fn interval(capacity: usize) -> usize {
    (capacity >> 10).max(8)
}

/// Does with an allocator what the rest of the input says, and in the end
/// frees everything.
///
/// # Panics
///
/// If the shadow finds fault.
pub fn follow(
    subject: &mut impl Subject,
    mut shadow: Shadow,
    input: &mut Unstructured,
) -> Result<()> {
    let capacity = shadow.capacity();
    let mut done = 0;
    while !input.is_empty() {
        let op = input::op(input, capacity)?;
        judge(shadow.step(subject, op));
        done += 1;
        if done % interval(capacity) == 0 {
            judge(shadow.examine(subject));
        }
    }
    judge(shadow.examine(subject));
    count::add(done + shadow.blocks());
    judge(shadow.finish(subject));
    Ok(())
}

/// Panics with what is wrong, if anything is.
#[track_caller]
pub fn judge(verdict: common::Verdict) {
    if let Err(fault) = verdict {
        panic!("{fault}");
    }
}
