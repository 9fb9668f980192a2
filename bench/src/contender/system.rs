use core::alloc::GlobalAlloc;

use std::alloc::System;

use super::Contender;
use crate::machine::region::Region;

/// The C library's malloc.
pub struct SystemMalloc;

impl Contender for SystemMalloc {
    const NAME: &'static str = "system";
    const BOUNDED: bool = false;
    const STATE: Option<usize> = None;

    fn global() -> &'static impl GlobalAlloc {
        &System
    }

    unsafe fn reset(_region: Region) -> bool {
        true
    }
}
