use core::alloc::GlobalAlloc;

use tikv_jemallocator::Jemalloc as Global;

use super::Contender;
use crate::machine::region::Region;

pub struct Jemalloc;

impl Contender for Jemalloc {
    const NAME: &'static str = "jemalloc";
    const BOUNDED: bool = false;
    const STATE: Option<usize> = None;

    fn global() -> &'static impl GlobalAlloc {
        &Global
    }

    unsafe fn reset(_region: Region) -> bool {
        true
    }
}
