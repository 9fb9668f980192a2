use core::alloc::GlobalAlloc;

use snmalloc_rs::SnMalloc;

use super::Contender;
use crate::machine::region::Region;

pub struct Snmalloc;

impl Contender for Snmalloc {
    const NAME: &'static str = "snmalloc";
    const BOUNDED: bool = false;
    const STATE: Option<usize> = None;

    fn global() -> &'static impl GlobalAlloc {
        &SnMalloc
    }

    unsafe fn reset(_region: Region) -> bool {
        true
    }
}
