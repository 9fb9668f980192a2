use core::alloc::GlobalAlloc;

use mimalloc::MiMalloc;

use super::Contender;
use crate::machine::region::Region;

pub struct Mimalloc;

impl Contender for Mimalloc {
    const NAME: &'static str = "mimalloc";
    const BOUNDED: bool = false;
    const STATE: Option<usize> = None;

    fn global() -> &'static impl GlobalAlloc {
        &MiMalloc
    }

    unsafe fn reset(_region: Region) -> bool {
        true
    }
}
