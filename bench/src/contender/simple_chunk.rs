use core::alloc::{GlobalAlloc, Layout};
use core::ptr::{self, NonNull};
use core::slice;

use prepared::ChunkAllocator;

use super::{Contender, lock::Locked, stand::Stand};
use crate::machine::region::Region;

/// The copy that `prepare-simple-chunk.sh` makes.
#[path = "../../../target/contenders/simple_chunk_allocator/mod.rs"]
#[allow(
    warnings,
    unsafe_op_in_unsafe_fn,
    clippy::all,
    clippy::undocumented_unsafe_blocks
)]
mod prepared;

const CHUNK: usize = prepared::DEFAULT_CHUNK_SIZE;

struct Global(Locked<Option<ChunkAllocator<'static, CHUNK>>>);

static STAND: Stand<Global> = Stand::new(Global(Locked::new(None)));

pub struct SimpleChunk;

impl Contender for SimpleChunk {
    const NAME: &'static str = "simple-chunk";
    const STATE: Option<usize> = Some(size_of::<Global>());

    fn global() -> &'static impl GlobalAlloc {
        STAND.get()
    }

    /// The bitmap, a bit for each chunk, comes from the end of the region.
    unsafe fn reset(region: Region) -> bool {
        let bitmap_len = region.len / (8 * CHUNK + 1);
        let heap_len = bitmap_len * 8 * CHUNK;
        // SAFETY: nobody else uses the contender, and the region is its own; heap and bitmap are parts of it.
        unsafe {
            let heap = slice::from_raw_parts_mut(region.start, heap_len);
            let bitmap = slice::from_raw_parts_mut(region.start.add(heap_len), bitmap_len);
            let allocator = ChunkAllocator::new(heap, bitmap).ok();
            STAND
                .replace(Global(Locked::new(allocator)))
                .0
                .lock()
                .is_some()
        }
    }
}

// SAFETY: every call is passed on to the allocator, which keeps the contract, under a lock.
unsafe impl GlobalAlloc for Global {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let mut lock = self.0.lock();
        let block = lock
            .as_mut()
            .and_then(|allocator| allocator.allocate(layout).ok());
        block.map_or(ptr::null_mut(), |block| block.as_ptr().cast())
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if let (Some(allocator), Some(block)) = (self.0.lock().as_mut(), NonNull::new(block)) {
            // SAFETY: the caller passes a block of this allocator, with its layout.
            unsafe { allocator.deallocate(block, layout) };
        }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        let mut lock = self.0.lock();
        let moved = lock
            .as_mut()
            .zip(NonNull::new(block))
            .and_then(|(allocator, block)| {
                // SAFETY: the caller passes a block of this allocator, with its layout.
                unsafe { allocator.realloc(block, layout, new_size) }.ok()
            });
        moved.map_or(ptr::null_mut(), |block| block.as_ptr().cast())
    }
}
