//! The constants that the targets use.

/// From this byte on the heap is a tiny one, which has no constants.
pub const TINY: u8 = 0xE0;

/// Calls a function that is generic over both constants with those that a byte
/// chooses: smallbins as many as by default, few, none and more; sub-bins as
/// few as there can be, some, and as many as there can be.
#[macro_export]
macro_rules! with_constants {
    ($byte:expr, $function:ident $arguments:tt) => {
        match $byte % 16 {
            0 => $function::<512, 2> $arguments,
            1 => $function::<512, 3> $arguments,
            2 => $function::<512, 8> $arguments,
            3 => $function::<32, 2> $arguments,
            4 => $function::<32, 3> $arguments,
            5 => $function::<32, 8> $arguments,
            6 => $function::<8, 2> $arguments,
            7 => $function::<8, 3> $arguments,
            8 => $function::<8, 8> $arguments,
            9 => $function::<8, 64> $arguments,
            10 => $function::<1, 2> $arguments,
            11 => $function::<1, 8> $arguments,
            12 => $function::<0, 2> $arguments,
            13 => $function::<0, 8> $arguments,
            14 => $function::<100, 3> $arguments,
            _ => $function::<640, 2> $arguments,
        }
    };
}
