//! An allocator of any constants over any region, beside its shadow.

#![no_main]

use galloc_fuzz::{
    common::{Shadow, Subject, subject::space_of},
    constants::TINY,
    follow,
    input::Input,
    setting::{Setting, with_setting},
    with_constants,
};
use good_memory_allocator::{Allocator, TinyAllocator};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    with_setting(&mut Input::new(bytes), |setting, input| {
        let kind = input.byte();
        let make = || match kind {
            TINY.. => tiny(setting),
            constants => with_constants!(constants, made(setting)),
        };
        let Some(mut other) = make() else {
            return;
        };
        let space = space_of(&mut *other);
        let shadow = match kind {
            // It has no bounds.
            TINY.. => Shadow::new(space),
            _ => setting.shadow(space),
        };
        let mut allocator = make().expect("the same region again");
        follow(&mut *allocator, shadow, input);
    });
});

/// A tiny allocator over the setting's region, unless that is too small.
fn tiny(setting: &Setting) -> Option<Box<dyn Subject>> {
    let mut allocator = TinyAllocator::empty();
    setting.prepare();
    let region = setting.region;
    // SAFETY: the region is valid, and this allocator's alone.
    if unsafe { allocator.try_init(region.start(), region.len()) }.is_err() {
        setting.judge_refusal(&mut allocator);
        return None;
    }
    Some(Box::new(allocator))
}

/// An allocator over the setting's region, unless that is too small.
fn made<const S: usize, const A: usize>(setting: &Setting) -> Option<Box<dyn Subject>> {
    let mut allocator = if setting.bounded {
        Allocator::<S, A>::bounded()
    } else {
        Allocator::empty()
    };
    setting.prepare();
    let region = setting.region;
    // SAFETY: the region is valid, this allocator's alone, and zero if that is
    // what it is said to be.
    let given = unsafe {
        if setting.zeroed {
            allocator.try_init_zeroed(region.start(), region.len())
        } else {
            allocator.try_init(region.start(), region.len())
        }
    };
    if given.is_err() {
        setting.judge_refusal(&mut allocator);
        return None;
    }
    Some(Box::new(allocator))
}
