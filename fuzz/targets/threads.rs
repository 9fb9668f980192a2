//! Two threads on one front end, each with operations of its own, that hand
//! blocks to each other.

#![no_main]

use std::{
    alloc::Layout,
    iter::repeat_n,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use galloc_fuzz::{
    common::{Block, Op, Shadow, pattern},
    count,
    front_end::{self, FrontEnd},
    input::{self, Input},
    judge,
    setting::with_setting,
};
use libfuzzer_sys::fuzz_target;

const THREADS: usize = 2;

fuzz_target!(|bytes: &[u8]| {
    with_setting(&mut Input::new(bytes), |setting, input| {
        if let Some((heap, shadow)) = front_end::any(input, setting) {
            run(&*heap, shadow, input);
        }
    });
});

fn run(heap: &dyn FrontEnd, mut shadow: Shadow, input: &mut Input) {
    let mut lists: [Vec<Step>; THREADS] = Default::default();
    while !input.is_empty() {
        let byte = input.byte();
        let (step, times) = match byte % 10 {
            0 => (Step::Give(input.block()), 1),
            1 => (Step::Take, 1),
            _ => {
                let input::Step { op, times } = input.step(shadow.capacity());
                (Step::Do(op), times)
            }
        };
        lists[usize::from(byte / 10) % THREADS].extend(repeat_n(step, times));
    }

    let (arrived, given) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        let mut threads = Vec::new();
        for (number, steps) in lists.iter().enumerate() {
            let mut worker = Worker {
                heap,
                given: &given,
                blocks: Vec::new(),
                tags: number as u32 * 101,
                done: 0,
            };
            let arrived = &arrived;
            threads.push(scope.spawn(move || {
                // The lists are short, so both have to begin at once.
                arrived.fetch_add(1, Ordering::SeqCst);
                while arrived.load(Ordering::SeqCst) < THREADS {
                    thread::yield_now();
                }
                for &step in steps {
                    worker.act(step);
                }
                count::add(worker.done);
                worker.give_all();
            }));
        }
        // The scope would not wait until they are gone, and what they have of
        // their own then looks like a leak.
        for thread in threads {
            thread.join().unwrap();
        }
    });

    for block in given.into_inner().unwrap() {
        judge(shadow.adopt(block));
    }
    judge(shadow.examine(&*heap.subject()));
    count::add(shadow.blocks());
    judge(shadow.finish(&mut *heap.subject()));
}

/// What a thread does.
#[derive(Clone, Copy)]
enum Step {
    Do(Op),
    Give(usize),
    Take,
}

/// A thread's blocks, and those that are nobody's.
struct Worker<'a> {
    heap: &'a dyn FrontEnd,
    given: &'a Mutex<Vec<Block>>,
    blocks: Vec<Block>,
    tags: u32,
    /// How many operations there were.
    done: usize,
}

impl Worker<'_> {
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
        self.done += 1;
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
        self.done += 1;
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
        self.done += 1;
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
