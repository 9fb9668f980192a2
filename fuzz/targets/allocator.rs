//! An allocator of any constants over any region, beside its shadow.

#![no_main]

use arbitrary::{Result, Unstructured};
use galloc_fuzz::{
    CONSTANTS,
    common::{
        Region, Shadow,
        subject::{give, space_over},
    },
    follow, input, with_constants,
};
use good_memory_allocator::Allocator;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = run(&mut Unstructured::new(bytes));
});

fn run(input: &mut Unstructured) -> Result<()> {
    let constants = input.int_in_range(0..=CONSTANTS - 1)?;
    let region = input::region(input)?;
    with_constants!(constants, with(&region, input))?;
    assert!(region.kept_within(), "wrote outside the region");
    Ok(())
}

fn with<const S: usize, const A: usize>(region: &Region, input: &mut Unstructured) -> Result<()> {
    let space = space_over::<S, A>(region);
    let (bounded, zeroed) = (input.arbitrary()?, input.arbitrary()?);
    let (allocator, shadow) = if bounded {
        (Allocator::<S, A>::bounded(), Shadow::of_bounded(space))
    } else {
        (Allocator::empty(), Shadow::new(space))
    };
    follow(&mut give(allocator, region, zeroed), shadow, input)
}
