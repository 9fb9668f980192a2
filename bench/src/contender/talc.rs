use core::alloc::GlobalAlloc;

use talc::{TalcLock, source::Manual};

use super::lock::Spin;
use super::{Contender, stand::Stand};
use crate::machine::region::Region;

type Global = TalcLock<Spin, Manual>;
static STAND: Stand<Global> = Stand::new(TalcLock::new(Manual));

pub struct Talc;

impl Contender for Talc {
    const NAME: &'static str = "talc";
    const STATE: Option<usize> = Some(size_of::<Global>());

    fn global() -> &'static impl GlobalAlloc {
        STAND.get()
    }

    unsafe fn reset(region: Region) -> bool {
        // SAFETY: nobody else uses the contender, and the region is its own.
        unsafe {
            let talc = STAND.replace(TalcLock::new(Manual));
            talc.lock().claim(region.start, region.len).is_some()
        }
    }
}
