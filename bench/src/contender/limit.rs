//! The practical limit of speed behind a lock: a list of free blocks per size class, new blocks cut from the end of what
//! is used, and never any coalescing. It is not meant to be used; it shows how much a heap that coalesces costs.

use core::alloc::{GlobalAlloc, Layout};
use core::ptr;

use super::{Contender, lock::Locked, stand::Stand};
use crate::machine::region::Region;

/// Classes up to this size are 8 bytes apart, above it there are eight to an octave.
const FINE: usize = 1024;
const FINE_CLASSES: usize = FINE / 8 + 1;
const CLASSES: usize = FINE_CLASSES + 8 * 32;
/// Alignments up to 8 share a list; each larger one up to a page has lists of its own.
const ALIGNMENTS: usize = 10;

struct Lists {
    free: [[*mut u8; CLASSES]; ALIGNMENTS],
    top: *mut u8,
    end: *mut u8,
}

// SAFETY: the pointers are to the heap that the lists own.
unsafe impl Send for Lists {}

struct Global(Locked<Lists>);
static STAND: Stand<Global> = Stand::new(Global(Locked::new(Lists::EMPTY)));

pub struct Limit;

impl Contender for Limit {
    const NAME: &'static str = "limit";
    const STATE: Option<usize> = Some(size_of::<Global>());

    fn global() -> &'static impl GlobalAlloc {
        STAND.get()
    }

    unsafe fn reset(region: Region) -> bool {
        // SAFETY: nobody else uses the contender.
        let global = unsafe { STAND.replace(Global(Locked::new(Lists::EMPTY))) };
        let mut lists = global.0.lock();
        lists.top = region.start;
        lists.end = region.start.wrapping_add(region.len);
        true
    }
}

/// The class of a size, and the size of all blocks of that class.
#[inline]
fn class(size: usize) -> (usize, usize) {
    if size <= FINE {
        let class = size.div_ceil(8).max(1);
        (class, class * 8)
    } else {
        let octave = (size - 1).ilog2();
        let step = 1 << (octave - 3);
        let size = size.next_multiple_of(step);
        let steps = size / step - 8;
        (FINE_CLASSES + (octave as usize - 10) * 8 + steps - 1, size)
    }
}

#[inline]
fn alignment_class(align: usize) -> usize {
    (align.ilog2() as usize).saturating_sub(3)
}

impl Lists {
    const EMPTY: Self = Self {
        free: [[ptr::null_mut(); CLASSES]; ALIGNMENTS],
        top: ptr::null_mut(),
        end: ptr::null_mut(),
    };

    #[inline]
    fn pop(&mut self, layout: Layout) -> *mut u8 {
        let (class, size) = class(layout.size());
        let Some(list) = self.free.get_mut(alignment_class(layout.align())) else {
            return ptr::null_mut();
        };
        let block = list[class];
        if block.is_null() {
            return self.cut(size, layout.align());
        }
        // SAFETY: a listed block holds the link to the next one.
        list[class] = unsafe { block.cast::<*mut u8>().read() };
        block
    }

    #[inline]
    fn push(&mut self, block: *mut u8, layout: Layout) {
        let (class, _) = class(layout.size());
        let head = &mut self.free[alignment_class(layout.align())][class];
        // SAFETY: the block is free from now on, and holds at least a pointer.
        unsafe { block.cast::<*mut u8>().write(*head) };
        *head = block;
    }

    #[inline(never)]
    fn cut(&mut self, size: usize, align: usize) -> *mut u8 {
        let gap = self.top.align_offset(align.max(8));
        let left = self.end.addr() - self.top.addr();
        if gap.checked_add(size).is_none_or(|needed| needed > left) {
            return ptr::null_mut();
        }
        let block = self.top.wrapping_add(gap);
        self.top = block.wrapping_add(size);
        block
    }
}

// SAFETY: a block belongs to one list or to one caller, and is as large and as aligned as its class says.
unsafe impl GlobalAlloc for Global {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.0.lock().pop(layout)
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        self.0.lock().push(block, layout);
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        if class(layout.size()).0 == class(new_size).0 {
            return block;
        }
        // SAFETY: the caller passes a size that makes a valid layout, and a block that holds what is copied.
        unsafe {
            let new_block = self.alloc(Layout::from_size_align_unchecked(new_size, layout.align()));
            if !new_block.is_null() {
                new_block.copy_from_nonoverlapping(block, layout.size().min(new_size));
                self.dealloc(block, layout);
            }
            new_block
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_holds_every_size_that_maps_to_it() {
        let mut last = 0;
        for size in 1..1 << 20 {
            let (class_of_size, class_size) = class(size);
            assert!(
                class_size >= size,
                "{size} does not fit its class of {class_size}"
            );
            assert_eq!(class(class_size), (class_of_size, class_size));
            assert!(
                class_of_size == last || class_of_size == last + 1,
                "a gap before {size}"
            );
            last = class_of_size;
        }
    }
}
