//! Two threads on one locked allocator, each with operations of its own, that
//! hand blocks to each other.

#![no_main]

use std::{
    alloc::{GlobalAlloc, Layout},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use arbitrary::{Result, Unstructured};
use galloc_fuzz::{
    CONSTANTS,
    common::{Block, Op, Region, Shadow, pattern, subject::space_over},
    count, input, judge, with_constants,
};
use good_memory_allocator::SpinLockedAllocator;
use libfuzzer_sys::fuzz_target;

const THREADS: usize = 2;

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

    let mut lists: [Vec<Step>; THREADS] = Default::default();
    while !input.is_empty() {
        let step = match input.int_in_range(0..=9)? {
            0 => Step::Give(input::block(input)?),
            1 => Step::Take,
            _ => Step::Do(input::op(input, space.len())?),
        };
        lists[input.int_in_range(0..=THREADS - 1)?].push(step);
    }
    count::add(lists.iter().map(Vec::len).sum());

    let (arrived, given) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for (number, steps) in lists.iter().enumerate() {
            let mut worker = Worker {
                heap: &heap,
                given: &given,
                blocks: Vec::new(),
                tags: number as u32 * 101,
            };
            let arrived = &arrived;
            scope.spawn(move || {
                // The lists are short, so both have to begin at once.
                arrived.fetch_add(1, Ordering::SeqCst);
                while arrived.load(Ordering::SeqCst) < THREADS {
                    std::hint::spin_loop();
                }
                for &step in steps {
                    worker.act(step);
                }
                worker.give_all();
            });
        }
    });

    let mut shadow = Shadow::new(space);
    for block in given.into_inner().unwrap() {
        judge(shadow.adopt(block));
    }
    judge(shadow.examine(&&heap));
    judge(shadow.finish(&mut &heap));
    Ok(())
}

/// What a thread does.
#[derive(Clone, Copy)]
enum Step {
    Do(Op),
    Give(usize),
    Take,
}

/// A thread's blocks, and those that are nobody's.
struct Worker<'a, G> {
    heap: &'a G,
    given: &'a Mutex<Vec<Block>>,
    blocks: Vec<Block>,
    tags: u32,
}

impl<G: GlobalAlloc> Worker<'_, G> {
    fn act(&mut self, step: Step) {
        let any = |block: usize| block.checked_rem(self.blocks.len());
        match step {
            Step::Do(Op::Alloc(layout)) => self.alloc(layout, false),
            Step::Do(Op::AllocZeroed(layout)) => self.alloc(layout, true),
            Step::Do(Op::Realloc { block, size }) => {
                if let Some(index) = any(block) {
                    self.realloc(index, size);
                }
            }
            Step::Do(Op::Dealloc { block }) => {
                if let Some(index) = any(block) {
                    self.dealloc(index);
                }
            }
            Step::Give(block) => {
                if let Some(index) = any(block) {
                    let block = self.blocks.swap_remove(index);
                    self.given.lock().unwrap().push(block);
                }
            }
            Step::Take => self.blocks.extend(self.given.lock().unwrap().pop()),
        }
    }

    fn alloc(&mut self, layout: Layout, zeroed: bool) {
        if layout.size() == 0 {
            return;
        }
        // SAFETY: the size is not zero.
        let at = unsafe {
            if zeroed {
                self.heap.alloc_zeroed(layout)
            } else {
                self.heap.alloc(layout)
            }
        };
        if at.is_null() {
            return;
        }
        assert_eq!(at.addr() % layout.align(), 0, "{layout:?} at {at:p}");
        if zeroed {
            // SAFETY: the block is new, and said to be written with zeros.
            let zero = unsafe { pattern::is_zero(at, layout.size()) };
            assert!(zero, "{layout:?} at {at:p} is not zeroed");
        }
        self.keep(at, layout);
    }

    fn realloc(&mut self, index: usize, size: usize) {
        let old = self.blocks[index];
        if size == 0 || Layout::from_size_align(size, old.layout.align()).is_err() {
            return;
        }
        assert!(old.is_intact(), "the content of {old:?} changed");
        // SAFETY: the block is live, and replaced by what comes of it.
        let at = unsafe { self.heap.realloc(old.at, old.layout, size) };
        if at.is_null() {
            assert!(old.is_intact(), "what failed changed {old:?}");
            return;
        }
        let moved = old.moved(at, size);
        assert!(
            moved.begins_intact(size.min(old.layout.size())),
            "the content of {old:?} was lost on its way to {moved:?}"
        );
        self.blocks.swap_remove(index);
        self.keep(at, moved.layout);
    }

    fn dealloc(&mut self, index: usize) {
        let block = self.blocks.swap_remove(index);
        assert!(block.is_intact(), "the content of {block:?} changed");
        // SAFETY: the block is live, and forgotten from now on.
        unsafe { self.heap.dealloc(block.at, block.layout) };
    }

    fn keep(&mut self, at: *mut u8, layout: Layout) {
        self.tags += 1;
        // SAFETY: the allocator has just given out the block.
        let block = unsafe { Block::fill(at, layout, self.tags) };
        self.blocks.push(block);
    }

    fn give_all(self) {
        self.given.lock().unwrap().extend(self.blocks);
    }
}
