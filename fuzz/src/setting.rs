//! What a heap is made of.

use std::{alloc::Layout, cell::RefCell, ops::Range};

use crate::{
    common::{Region, Shadow, Subject},
    input::Input,
    judge,
};

/// Every region of this length is enough, of whatever skew.
const SURELY_ENOUGH: usize = 144;

const MOST_SKEW: usize = 0xFFFF;
const MOST_OCTAVE: usize = 21;

thread_local! {
    /// Made once, because fresh memory takes the system longer than most
    /// inputs take.
    static REGION: RefCell<Region> =
        RefCell::new(Region::new(MOST_SKEW, SURELY_ENOUGH + (1 << MOST_OCTAVE)));
}

/// A region, and what the allocator over it is told.
pub struct Setting<'a> {
    pub region: &'a Region,
    /// That the region is zero.
    pub zeroed: bool,
    /// That it is to be bounded.
    pub bounded: bool,
}

impl Setting<'_> {
    /// Fills the region as it was said to be.
    pub fn prepare(&self) {
        if self.zeroed {
            self.region.clear();
        } else {
            self.region.soil();
        }
    }

    /// The shadow of such an allocator, with this space for its blocks.
    pub fn shadow(&self, space: Range<usize>) -> Shadow {
        if self.bounded {
            Shadow::of_bounded(space)
        } else {
            Shadow::new(space)
        }
    }

    /// Judges whether the region could be refused, and whether who did so is
    /// as it was.
    pub fn judge_refusal(&self, subject: &mut dyn Subject) {
        let length = self.region.len();
        assert!(length < SURELY_ENOUGH, "refused {length} bytes");
        // SAFETY: an allocation needs none.
        let block = unsafe { subject.alloc(Layout::new::<u8>()) };
        assert!(block.is_null(), "{block:p} without a region");
        judge(subject.check());
    }
}

/// Does something with the setting that an input tells, and with the rest of
/// the input.
///
/// # Panics
///
/// If something was written just outside of the region.
pub fn with_setting(input: &mut Input, run: impl FnOnce(&Setting, &mut Input)) {
    REGION.with_borrow_mut(|region| {
        let (skew, length) = (skew(input), length(input));
        region.reshape(skew, length);
        let flags = input.byte();
        let setting = Setting {
            region,
            zeroed: flags & 1 != 0,
            bounded: flags & 2 != 0,
        };
        run(&setting, input);
        assert!(region.kept_within(), "wrote outside the region");
    });
}

fn skew(input: &mut Input) -> usize {
    match input.byte() % 4 {
        0 => 0,
        1 | 2 => input.number(0..=64),
        _ => input.number(0..=MOST_SKEW),
    }
}

/// Any length, seldom one of less than is surely enough, or a large one.
fn length(input: &mut Input) -> usize {
    match input.byte() {
        0..=7 => input.number(0..=SURELY_ENOUGH - 1),
        8..=10 => SURELY_ENOUGH + input.number(0..=1 << MOST_OCTAVE),
        any => SURELY_ENOUGH + input.number(0..=1 << (6 + any % 11)),
    }
}
