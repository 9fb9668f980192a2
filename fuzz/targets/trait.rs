//! The `Allocator` trait: blocks whose size and alignment change.

#![no_main]

use std::{alloc::Layout, ptr::NonNull};

use allocator_api2::alloc::{AllocError, Allocator};
use galloc_fuzz::{
    common::{Block, Shadow, pattern},
    count,
    front_end::{self, FrontEnd},
    input::Input,
    judge,
    setting::with_setting,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    with_setting(&mut Input::new(bytes), |setting, input| {
        if let Some((heap, shadow)) = front_end::over_region(input, setting) {
            run(&*heap, shadow, input);
        }
    });
});

fn run(heap: &dyn FrontEnd, shadow: Shadow, input: &mut Input) {
    let mut owner = Owner {
        heap,
        by_trait: heap.by_trait().expect("a front end over a region"),
        shadow,
        without_bytes: Vec::new(),
        tags: 0,
    };
    let interval = input.interval(owner.shadow.capacity());
    let mut done = 0;
    while !input.is_empty() {
        done += owner.act(input);
        if done % interval == 0 {
            judge(owner.shadow.examine(&*heap.subject()));
        }
    }
    judge(owner.shadow.examine(&*heap.subject()));
    count::add(done + owner.shadow.blocks());
    owner.free_all();
}

/// The blocks of a heap.
struct Owner<'a> {
    heap: &'a dyn FrontEnd,
    by_trait: Box<dyn Allocator + 'a>,
    /// With all blocks but those without bytes, which are not in the heap.
    shadow: Shadow,
    without_bytes: Vec<Block>,
    tags: u32,
}

impl Owner<'_> {
    /// One operation, or some. Gives their number.
    fn act(&mut self, input: &mut Input) -> usize {
        let capacity = self.shadow.capacity();
        let blocks = self.shadow.blocks() + self.without_bytes.len();
        let byte = input.byte();
        match byte % 8 {
            what @ 0..=2 => {
                let layout = input.layout(capacity);
                let times = if byte >= 0xF0 {
                    input.number(1..=64)
                } else {
                    1
                };
                for _ in 0..times {
                    self.allocate(layout, what == 2);
                }
                times
            }
            _ if blocks == 0 => 0,
            what @ 3..=5 => {
                let index = input.block() % blocks;
                let layout = input.layout(capacity);
                self.change(index, layout, what == 5);
                1
            }
            _ => {
                self.deallocate(input.block() % blocks);
                1
            }
        }
    }

    fn allocate(&mut self, layout: Layout, zeroed: bool) {
        let new = if zeroed {
            self.by_trait.allocate_zeroed(layout)
        } else {
            self.by_trait.allocate(layout)
        };
        let Some(at) = place_of(new, layout) else {
            judge(self.shadow.judge_refusal(layout));
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
        let old = self.block(index);
        assert!(old.is_intact(), "the content of {old:?} changed");
        let kept = old.layout.size().min(layout.size());
        let place = NonNull::new(old.at).unwrap();
        let grows = layout.size() >= old.layout.size();
        // SAFETY: the block is live, and replaced by what comes of it. The
        // size is no smaller to grow to, and no larger to shrink to.
        let changed = unsafe {
            match (grows, zeroed) {
                (true, true) => self.by_trait.grow_zeroed(place, old.layout, layout),
                (true, false) => self.by_trait.grow(place, old.layout, layout),
                (false, _) => self.by_trait.shrink(place, old.layout, layout),
            }
        };
        let Some(at) = place_of(changed, layout) else {
            let may_stay = !grows && old.at.addr() % layout.align() == 0;
            assert!(!may_stay, "{old:?} could not shrink to {layout:?}");
            assert!(old.is_intact(), "what failed changed {old:?}");
            judge(self.shadow.judge_refusal(layout));
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
        self.forget(index);
        self.keep(at, layout);
    }

    fn deallocate(&mut self, index: usize) {
        let block = self.forget(index);
        assert!(block.is_intact(), "the content of {block:?} changed");
        let place = NonNull::new(block.at).unwrap();
        // SAFETY: the block is live, and forgotten from now on.
        unsafe { self.by_trait.deallocate(place, block.layout) };
    }

    fn block(&self, index: usize) -> Block {
        match index.checked_sub(self.shadow.blocks()) {
            None => self.shadow.block(index),
            Some(index) => self.without_bytes[index],
        }
    }

    fn forget(&mut self, index: usize) -> Block {
        match index.checked_sub(self.shadow.blocks()) {
            None => self.shadow.remove(index),
            Some(index) => self.without_bytes.swap_remove(index),
        }
    }

    fn keep(&mut self, at: *mut u8, layout: Layout) {
        self.tags += 1;
        // SAFETY: the allocator has just given out the block.
        let block = unsafe { Block::fill(at, layout, self.tags) };
        if layout.size() == 0 {
            self.without_bytes.push(block);
        } else {
            judge(self.shadow.adopt(block));
        }
    }

    fn free_all(mut self) {
        while !self.without_bytes.is_empty() {
            self.deallocate(self.shadow.blocks());
        }
        judge(self.shadow.finish(&mut *self.heap.subject()));
    }
}

/// Where a block is that was served.
fn place_of(outcome: Result<NonNull<[u8]>, AllocError>, layout: Layout) -> Option<*mut u8> {
    let block = outcome.ok()?;
    assert!(block.len() >= layout.size(), "{block:?} for {layout:?}");
    let at = block.cast::<u8>().as_ptr();
    assert_eq!(at.addr() % layout.align(), 0, "{layout:?} at {at:p}");
    Some(at)
}
