//! The checking mode: a shadow around a contender that knows every live block, fills it, and verifies it before it is
//! freed or moved. The first and the last byte of a block are left to the workload.

use core::alloc::Layout;
use std::collections::BTreeMap;
use std::process::exit;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::{ptr, slice};

use crate::contender::Calls;

/// How a process ends that found a corrupt block.
pub const EXIT_CODE: i32 = 77;

static INNER: OnceLock<Calls> = OnceLock::new();
static SHADOW: Mutex<Shadow> = Mutex::new(Shadow::EMPTY);

/// The verbs of a contender with the shadow around them. One contender per process.
pub fn around(calls: Calls) -> Calls {
    INNER.get_or_init(|| calls);
    Calls::new(alloc, alloc_zeroed, dealloc, realloc)
}

/// Forgets all blocks, for a heap that is about to be reset.
pub fn forget() {
    *shadow() = Shadow::EMPTY;
}

/// What the shadow knows of a live block.
#[derive(Clone, Copy)]
struct Block {
    size: usize,
    tag: u8,
}

/// All live blocks, by address.
struct Shadow {
    live: BTreeMap<usize, Block>,
    next_tag: u8,
}

type Verdict = Result<(), String>;

impl Shadow {
    const EMPTY: Self = Self {
        live: BTreeMap::new(),
        next_tag: 0,
    };

    /// Takes a block in: it must be aligned and overlap no other. Fills it.
    ///
    /// # Safety
    /// If the contender is right, `start` is a block of `layout` that nobody else uses.
    unsafe fn add(&mut self, start: *mut u8, layout: Layout) -> Verdict {
        let (address, size) = (start.addr(), layout.size());
        if !address.is_multiple_of(layout.align()) {
            return Err(format!(
                "a block at {start:p} is not aligned to {}",
                layout.align()
            ));
        }
        if let Some((other, block)) = self.live.range(..address + size).next_back()
            && other + block.size > address
        {
            return Err(format!(
                "a block of {size} at {start:p} overlaps one of {} at {other:#x}",
                block.size
            ));
        }
        self.next_tag = self.next_tag.wrapping_add(41);
        let block = Block {
            size,
            tag: self.next_tag,
        };
        self.live.insert(address, block);
        // SAFETY: as far as the shadow knows, the block is the caller's alone.
        unsafe { fill(start, block) };
        Ok(())
    }

    /// Lets a block go that is about to be freed or moved. Its contents must be what it was filled with.
    ///
    /// # Safety
    /// `start` is a live block.
    unsafe fn remove(&mut self, start: *mut u8) -> Result<Block, String> {
        let block = self
            .live
            .remove(&start.addr())
            .ok_or_else(|| format!("no block at {start:p}"))?;
        // SAFETY: the block is live.
        unsafe { verify(start, block, block.size) }?;
        Ok(block)
    }
}

fn pattern(block: Block, index: usize) -> u8 {
    block.tag ^ index as u8
}

/// The bytes of a block that are the shadow's.
fn inner_len(size: usize) -> usize {
    size.saturating_sub(2)
}

/// # Safety
/// The block can be written.
unsafe fn fill(start: *mut u8, block: Block) {
    // SAFETY: these bytes are in the block.
    let bytes = unsafe { slice::from_raw_parts_mut(start.add(1), inner_len(block.size)) };
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = pattern(block, index);
    }
}

/// Verifies what a block has within its first `size` bytes.
///
/// # Safety
/// That many bytes can be read.
unsafe fn verify(start: *mut u8, block: Block, size: usize) -> Verdict {
    // SAFETY: the caller says so.
    let bytes = unsafe { slice::from_raw_parts(start.add(1), inner_len(size)) };
    match bytes
        .iter()
        .enumerate()
        .position(|(index, byte)| *byte != pattern(block, index))
    {
        None => Ok(()),
        Some(index) => Err(format!(
            "byte {} of a block of {} at {start:p} was changed",
            index + 1,
            block.size
        )),
    }
}

fn inner() -> Calls {
    *INNER
        .get()
        .expect("the checking mode stands around a contender")
}

fn shadow() -> MutexGuard<'static, Shadow> {
    SHADOW.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends the process if the contender was found out.
fn judge<T>(verdict: Result<T, String>) -> T {
    verdict.unwrap_or_else(|fault| {
        eprintln!("{fault}");
        exit(EXIT_CODE)
    })
}

unsafe fn alloc(layout: Layout) -> *mut u8 {
    // SAFETY: the caller keeps the contract of `GlobalAlloc`.
    let start = unsafe { inner().alloc(layout) };
    if !start.is_null() {
        // SAFETY: this is the block that the contender just gave out.
        judge(unsafe { shadow().add(start, layout) });
    }
    start
}

unsafe fn alloc_zeroed(layout: Layout) -> *mut u8 {
    // SAFETY: the caller keeps the contract of `GlobalAlloc`.
    let start = unsafe { inner().alloc_zeroed(layout) };
    if !start.is_null() {
        // SAFETY: this is the block that the contender just gave out.
        let bytes = unsafe { slice::from_raw_parts(start, layout.size()) };
        if bytes.iter().any(|byte| *byte != 0) {
            judge(Err(format!(
                "a zeroed block of {} at {start:p} is not zero",
                layout.size()
            )))
        }
        // SAFETY: as above.
        judge(unsafe { shadow().add(start, layout) });
    }
    start
}

unsafe fn dealloc(start: *mut u8, layout: Layout) {
    // SAFETY: the caller passes a live block and its layout.
    unsafe {
        judge(shadow().remove(start));
        inner().dealloc(start, layout);
    }
}

unsafe fn realloc(start: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
    // SAFETY: the caller passes a live block and its layout, and a size that makes a valid layout.
    unsafe {
        let block = judge(shadow().remove(start));
        let moved = inner().realloc(start, layout, new_size);
        if moved.is_null() {
            judge(shadow().add(start, layout));
            return ptr::null_mut();
        }
        judge(verify(moved, block, block.size.min(new_size)));
        judge(shadow().add(
            moved,
            Layout::from_size_align_unchecked(new_size, layout.align()),
        ));
        moved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(size: usize) -> Layout {
        Layout::from_size_align(size, 8).unwrap()
    }

    fn memory() -> Vec<u64> {
        vec![0; 64]
    }

    #[test]
    fn separate_blocks_pass() {
        let mut memory = memory();
        let start: *mut u8 = memory.as_mut_ptr().cast();
        let mut shadow = Shadow::EMPTY;
        // SAFETY: both blocks are in `memory`.
        unsafe {
            shadow.add(start, layout(16)).unwrap();
            shadow.add(start.add(16), layout(100)).unwrap();
            shadow.remove(start).unwrap();
            shadow.remove(start.add(16)).unwrap();
        }
    }

    #[test]
    fn overlapping_blocks_are_found() {
        let mut memory = memory();
        let start: *mut u8 = memory.as_mut_ptr().cast();
        for (first, second) in [(0, 8), (8, 0), (0, 0)] {
            let mut shadow = Shadow::EMPTY;
            // SAFETY: both blocks are in `memory`.
            unsafe {
                shadow.add(start.add(first), layout(9)).unwrap();
                assert!(shadow.add(start.add(second), layout(9)).is_err());
            }
        }
    }

    #[test]
    fn a_misaligned_block_is_found() {
        let mut memory = memory();
        let start: *mut u8 = memory.as_mut_ptr().cast();
        let mut shadow = Shadow::EMPTY;
        // SAFETY: the block is in `memory`.
        assert!(unsafe { shadow.add(start.add(4), layout(16)) }.is_err());
    }

    #[test]
    fn a_changed_byte_is_found_but_the_ends_belong_to_the_workload() {
        let mut memory = memory();
        let start: *mut u8 = memory.as_mut_ptr().cast();
        for (index, is_the_shadows) in [(0, false), (1, true), (30, true), (98, true), (99, false)]
        {
            let mut shadow = Shadow::EMPTY;
            // SAFETY: the block is in `memory`.
            let verdict = unsafe {
                shadow.add(start, layout(100)).unwrap();
                *start.add(index) ^= 1;
                shadow.remove(start)
            };
            assert_eq!(verdict.is_err(), is_the_shadows, "byte {index}");
        }
    }
}
