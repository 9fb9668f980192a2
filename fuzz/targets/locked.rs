//! The locked allocators, on one thread, beside their shadow.

#![no_main]

use arbitrary::{Result, Unstructured};
use galloc_fuzz::{
    CONSTANTS,
    common::{
        Region, Shadow,
        subject::{space_of, space_over},
    },
    follow, input, with_constants,
};
use good_memory_allocator::{SpinLockedAllocator, StaticHeap};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = run(&mut Unstructured::new(bytes));
});

fn run(input: &mut Unstructured) -> Result<()> {
    match input.int_in_range(0..=CONSTANTS + 3)? {
        CONSTANTS => on_static_heap::<256, 1, 2>(input),
        16 => on_static_heap::<3000, 8, 3>(input),
        17 => on_static_heap::<20_001, 32, 8>(input),
        18 => on_static_heap::<65_536, 512, 2>(input),
        constants => {
            let region = input::region(input)?;
            with_constants!(constants, on_region(&region, input))?;
            assert!(region.kept_within(), "wrote outside the region");
            Ok(())
        }
    }
}

fn on_region<const S: usize, const A: usize>(
    region: &Region,
    input: &mut Unstructured,
) -> Result<()> {
    let space = space_over::<S, A>(region);
    let (allocator, shadow) = if input.arbitrary()? {
        (
            SpinLockedAllocator::<S, A>::bounded(),
            Shadow::of_bounded(space),
        )
    } else {
        (SpinLockedAllocator::empty(), Shadow::new(space))
    };
    let made = if input.arbitrary()? {
        region.clear();
        // SAFETY: the region is valid, zero, and this allocator's alone.
        unsafe { allocator.try_init_zeroed(region.start(), region.len()) }
    } else {
        region.soil();
        // SAFETY: the region is valid, and this allocator's alone.
        unsafe { allocator.try_init(region.start(), region.len()) }
    };
    made.unwrap();
    follow(&mut &allocator, shadow, input)
}

fn on_static_heap<const B: usize, const S: usize, const A: usize>(
    input: &mut Unstructured,
) -> Result<()> {
    let memory = Box::into_raw(Box::new(StaticHeap::<B, S, A>::new()));
    // SAFETY: the memory is valid until it is a box again.
    let space = space_of(&mut unsafe { &*memory });
    // SAFETY: nothing refers to the heap any more. It is as if nobody had
    // asked it for anything.
    unsafe { memory.write(StaticHeap::new()) };
    // SAFETY: as above; `follow` keeps nothing.
    let mut heap: &'static StaticHeap<B, S, A> = unsafe { &*memory };
    let done = follow(&mut heap, Shadow::new(space), input);
    // SAFETY: this is what the box was, and nothing refers to it any more.
    drop(unsafe { Box::from_raw(memory) });
    done
}
