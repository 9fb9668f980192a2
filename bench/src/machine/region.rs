//! The memory that a contender gets as its heap.

use std::{io, ptr};

use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous};

/// A piece of memory that nobody else uses.
#[derive(Clone, Copy)]
pub struct Region {
    pub start: *mut u8,
    pub len: usize,
}

/// Where every region starts: a multiple of this.
const ALIGNMENT: usize = 2 << 20;

impl Region {
    pub const NONE: Self = Self {
        start: ptr::null_mut(),
        len: 0,
    };

    /// Maps fresh zeroed memory, for the rest of the process.
    pub fn map(len: usize) -> io::Result<Self> {
        let mapped = len + ALIGNMENT;
        let flags = MapFlags::PRIVATE | MapFlags::NORESERVE;
        // SAFETY: a new anonymous mapping, where the system likes, overlaps nothing.
        let base = unsafe {
            mmap_anonymous(
                ptr::null_mut(),
                mapped,
                ProtFlags::READ | ProtFlags::WRITE,
                flags,
            )
        }?;
        let base = base.cast::<u8>();
        let start = base.wrapping_add(base.align_offset(ALIGNMENT));
        Ok(Self { start, len })
    }

    /// Has the system put memory behind every page now, not at the first touch.
    pub fn populate(self) {
        const PAGE: usize = 4096;
        for page in (0..self.len).step_by(PAGE) {
            // SAFETY: the byte is in the region, which is not in use yet.
            unsafe { self.start.add(page).write_volatile(0) };
        }
    }

    /// The first `len` bytes of this region.
    pub fn first(self, len: usize) -> Self {
        assert!(
            len <= self.len,
            "a region of {} bytes has no first {len}",
            self.len
        );
        Self { len, ..self }
    }
}
