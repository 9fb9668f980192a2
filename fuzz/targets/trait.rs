//! The `Allocator` trait: blocks whose size and alignment change.

#![no_main]

use std::{alloc::Layout, ops::Range, ptr::NonNull};

use allocator_api2::alloc::{AllocError, Allocator};
use arbitrary::{Result, Unstructured};
use galloc_fuzz::{
    CONSTANTS,
    common::{Block, Op, Region, Shadow, footprint, pattern, subject::space_over},
    count, input, interval, judge, with_constants,
};
use good_memory_allocator::SpinLockedAllocator;
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
    let heap = SpinLockedAllocator::<S, A>::empty();
    region.soil();
    // SAFETY: the region is valid, and this allocator's alone.
    unsafe { heap.try_init(region.start(), region.len()) }.unwrap();
    let mut owner = Owner {
        heap: &heap,
        space: space.clone(),
        blocks: Vec::new(),
        tags: 0,
    };
    let mut done = 0;
    while !input.is_empty() {
        owner.act(input)?;
        done += 1;
        if done % interval(space.len()) == 0 {
            owner.examine();
        }
    }
    owner.examine();
    count::add(done + owner.blocks.len());
    owner.free_all();
    Ok(())
}

/// The blocks of a heap.
struct Owner<'a, const S: usize, const A: usize> {
    heap: &'a SpinLockedAllocator<S, A>,
    space: Range<usize>,
    blocks: Vec<Block>,
    tags: u32,
}

impl<const S: usize, const A: usize> Owner<'_, S, A> {
    /// One operation.
    fn act(&mut self, input: &mut Unstructured) -> Result<()> {
        let capacity = self.space.len();
        match input.int_in_range(0..=7)? {
            0 | 1 => {
                let layout = input::any_layout(input, capacity)?;
                self.allocate(layout, false);
            }
            2 => {
                let layout = input::any_layout(input, capacity)?;
                self.allocate(layout, true);
            }
            3..=5 if !self.blocks.is_empty() => {
                let index = input::block(input)? % self.blocks.len();
                let layout = input::any_layout(input, capacity)?;
                self.change(index, layout, input.arbitrary()?);
            }
            _ if !self.blocks.is_empty() => {
                let index = input::block(input)? % self.blocks.len();
                self.deallocate(index);
            }
            _ => {}
        }
        Ok(())
    }

    fn allocate(&mut self, layout: Layout, zeroed: bool) {
        let new = if zeroed {
            self.heap.allocate_zeroed(layout)
        } else {
            self.heap.allocate(layout)
        };
        let Some(at) = self.judge(new, layout) else {
            return;
        };
        if zeroed {
            // SAFETY: the block is new, and said to be written with zeros.
            let zero = unsafe { pattern::is_zero(at, layout.size()) };
            assert!(zero, "{layout:?} at {at:p} is not zeroed");
        }
        self.keep(at, layout);
    }

    /// Gives a block another layout.
    fn change(&mut self, index: usize, layout: Layout, zeroed: bool) {
        let old = self.blocks[index];
        assert!(old.is_intact(), "the content of {old:?} changed");
        let kept = old.layout.size().min(layout.size());
        let place = NonNull::new(old.at).unwrap();
        let grows = layout.size() >= old.layout.size();
        // SAFETY: the block is live, and replaced by what comes of it. The
        // size is no smaller to grow to, and no larger to shrink to.
        let changed = unsafe {
            match (grows, zeroed) {
                (true, true) => self.heap.grow_zeroed(place, old.layout, layout),
                (true, false) => self.heap.grow(place, old.layout, layout),
                (false, _) => self.heap.shrink(place, old.layout, layout),
            }
        };
        let Some(at) = self.judge(changed, layout) else {
            let may_stay = !grows && old.at.addr() % layout.align() == 0;
            assert!(!may_stay, "{old:?} could not shrink to {layout:?}");
            assert!(old.is_intact(), "what failed changed {old:?}");
            return;
        };
        let moved = old.moved(at, old.layout.size());
        assert!(
            moved.begins_intact(kept),
            "the content of {old:?} was lost on its way to {layout:?} at {at:p}"
        );
        if grows && zeroed {
            // SAFETY: these bytes are in the block, and said to be written.
            let zero = unsafe { pattern::is_zero(at.add(kept), layout.size() - kept) };
            assert!(zero, "{layout:?} at {at:p} did not grow by zeros");
        }
        self.blocks.swap_remove(index);
        self.keep(at, layout);
    }

    fn deallocate(&mut self, index: usize) {
        let block = self.blocks.swap_remove(index);
        assert!(block.is_intact(), "the content of {block:?} changed");
        let place = NonNull::new(block.at).unwrap();
        // SAFETY: the block is live, and forgotten from now on.
        unsafe { self.heap.deallocate(place, block.layout) };
    }

    fn keep(&mut self, at: *mut u8, layout: Layout) {
        self.tags += 1;
        // SAFETY: the allocator has just given out the block.
        let block = unsafe { Block::fill(at, layout, self.tags) };
        self.blocks.push(block);
    }

    /// Judges what a request led to, and gives the block's place if it was
    /// served.
    fn judge(
        &self,
        outcome: std::result::Result<NonNull<[u8]>, AllocError>,
        layout: Layout,
    ) -> Option<*mut u8> {
        let Ok(block) = outcome else {
            self.judge_refusal(layout);
            return None;
        };
        assert!(block.len() >= layout.size(), "{block:?} for {layout:?}");
        let at = block.cast::<u8>().as_ptr();
        assert_eq!(at.addr() % layout.align(), 0, "{layout:?} at {at:p}");
        let end = at.addr() + layout.size();
        assert!(
            layout.size() == 0 || self.space.start <= at.addr() && end <= self.space.end,
            "{layout:?} at {at:p} is not in {:#x?}",
            self.space
        );
        Some(at)
    }

    /// What was refused must be refused again, and its shadow must agree.
    fn judge_refusal(&self, layout: Layout) {
        let mut shadow = self.shadow();
        let blocks = shadow.blocks();
        judge(shadow.step(&mut { self.heap }, Op::Alloc(layout)));
        assert_eq!(shadow.blocks(), blocks, "{layout:?} was refused at first");
    }

    /// A shadow that knows all blocks, except that those without bytes are
    /// not in the heap.
    fn shadow(&self) -> Shadow {
        let mut shadow = Shadow::new(self.space.clone());
        for &block in self.in_heap() {
            judge(shadow.adopt(block));
        }
        shadow
    }

    fn in_heap(&self) -> impl Iterator<Item = &Block> {
        self.blocks.iter().filter(|block| block.layout.size() != 0)
    }

    fn examine(&self) {
        judge(self.shadow().examine(&self.heap));
        let sizes = self.in_heap().map(|block| footprint(block.layout.size()));
        assert_eq!(self.heap.stats().live, sizes.sum::<usize>());
    }

    fn free_all(self) {
        judge(self.shadow().finish(&mut { self.heap }));
    }
}
