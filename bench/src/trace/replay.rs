//! Doing what a recorded program did.

use core::alloc::Layout;
use core::ptr;

use super::file::Trace;
use super::op::{Kind, Op};
use crate::contender::Calls;
use crate::touch::touch;

#[derive(Clone, Copy)]
struct Block {
    start: *mut u8,
    layout: Layout,
}

/// The blocks of a program, by slot.
pub struct Replay<'t> {
    ops: &'t [Op],
    blocks: Vec<Block>,
}

impl<'t> Replay<'t> {
    pub fn new(trace: &'t Trace) -> Self {
        let nothing = Block {
            start: ptr::null_mut(),
            layout: Layout::new::<()>(),
        };
        Self {
            ops: &trace.ops,
            blocks: vec![nothing; trace.slots],
        }
    }

    /// Does every operation. False as soon as an allocation fails.
    pub fn run(&mut self, calls: Calls) -> bool {
        self.ops.iter().all(|&op| self.step(calls, op))
    }

    #[inline(always)]
    fn step(&mut self, calls: Calls, op: Op) -> bool {
        let block = &mut self.blocks[op.slot()];
        // SAFETY: the trace was checked when it was loaded: a slot is filled before it is used, and emptied before it is
        // filled again. Sizes of 33 bits and alignments up to 2^31 make a valid layout; blocks of no bytes are asked for as
        // one byte.
        unsafe {
            match op.kind() {
                Kind::Free => {
                    calls.dealloc(block.start, block.layout);
                    block.start = ptr::null_mut();
                    return true;
                }
                Kind::Realloc => {
                    let moved = calls.realloc(block.start, block.layout, op.size());
                    if moved.is_null() {
                        return false;
                    }
                    block.start = moved;
                    block.layout =
                        Layout::from_size_align_unchecked(op.size(), block.layout.align());
                }
                kind => {
                    block.layout = Layout::from_size_align_unchecked(op.size().max(1), op.align());
                    block.start = match kind {
                        Kind::Alloc => calls.alloc(block.layout),
                        _ => calls.alloc_zeroed(block.layout),
                    };
                    if block.start.is_null() {
                        return false;
                    }
                }
            }
            touch(block.start, block.layout.size());
        }
        true
    }

    /// Frees what the program left.
    pub fn finish(&mut self, calls: Calls) {
        for block in &mut self.blocks {
            if !block.start.is_null() {
                // SAFETY: only live blocks have a start.
                unsafe { calls.dealloc(block.start, block.layout) };
                block.start = ptr::null_mut();
            }
        }
    }

    /// Forgets what the program left, for a heap that is about to be reset.
    pub fn forget(&mut self) {
        self.blocks
            .iter_mut()
            .for_each(|block| block.start = ptr::null_mut());
    }
}
