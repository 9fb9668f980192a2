//! A heap with room for a few blocks.

use std::alloc::{GlobalAlloc, Layout, alloc, dealloc};

use good_memory_allocator::{Allocator, PerCpuAllocator, RawSpinLock, lock_api::RawMutex};

use crate::cpu::{ByModel, on_cpu};

/// A model's kind of block.
pub const BLOCK: Layout = Layout::new::<[u64; 2]>();

/// A kind without a list, of which a CPU keeps two.
pub const LARGE: Layout = Layout::new::<[u64; 4]>();

/// How many of them a list holds.
pub const FULL: usize = 4;

/// How many a CPU parks: as many again may be out.
pub const PARKED: usize = 2 * FULL;

/// Sizes that are parked.
const SIZES: usize = 2;

/// The caches: few, so that threads meet.
pub const CPUS: usize = if cfg!(feature = "loom") { 2 } else { 3 };

/// An allocator and its region.
pub struct Heap<R: RawMutex = RawSpinLock, const LOCK_MASKS: bool = false> {
    allocator: PerCpuAllocator<ByModel<LOCK_MASKS>, CPUS, R, SIZES, 2>,
    /// Which kind of block it has room for.
    block: Layout,
    region: *mut u8,
    layout: Layout,
    /// The bytes of the region before what the allocator gets.
    padding: usize,
    capacity: usize,
    /// For each place of the region, that only one thread uses it at a time,
    /// and one after the other.
    #[cfg(feature = "loom")]
    uses: Vec<loom::cell::UnsafeCell<()>>,
}

// SAFETY: the region belongs to the allocator.
unsafe impl<R: RawMutex + Send, const M: bool> Send for Heap<R, M> {}
// SAFETY: as above; loom watches over the cells.
unsafe impl<R: RawMutex + Sync, const M: bool> Sync for Heap<R, M> {}

impl<R: RawMutex, const LOCK_MASKS: bool> Heap<R, LOCK_MASKS> {
    /// A heap with room for exactly so many blocks.
    pub fn with_room_for(blocks: usize) -> Self {
        Self::with_room_for_kind(BLOCK, blocks)
    }

    /// A heap with room for exactly so many blocks of a kind.
    pub fn with_room_for_kind(block: Layout, blocks: usize) -> Self {
        let heap = Self::to_be_given(block, blocks);
        heap.init();
        assert_eq!(heap.allocator.stats().capacity, heap.capacity);
        // Loom wants every atomic to be used before threads share it.
        heap.unpark_all();
        heap
    }

    /// A heap that has no memory before [`init`](Self::init).
    pub fn to_be_given_room_for(blocks: usize) -> Self {
        Self::to_be_given(BLOCK, blocks)
    }

    fn to_be_given(block: Layout, blocks: usize) -> Self {
        let length = region_for(blocks * block.size());
        // It ends where a block could begin, so that runs whose alignment is
        // larger than a block's leave whole blocks on either side.
        let padding = length % block.size();
        let layout = Layout::from_size_align(padding + length, 64).unwrap();
        // SAFETY: the size is not zero.
        let region = unsafe { alloc(layout) };
        assert!(!region.is_null());
        Self {
            allocator: PerCpuAllocator::empty(),
            block,
            region,
            layout,
            padding,
            capacity: blocks * block.size(),
            #[cfg(feature = "loom")]
            uses: (0..layout.size() / 8).map(|_| Default::default()).collect(),
        }
    }

    /// Gives the heap its memory.
    pub fn init(&self) {
        let (allocator, length) = (&self.allocator, self.layout.size() - self.padding);
        // SAFETY: the region is this allocator's alone.
        unsafe { allocator.try_init(self.region.add(self.padding), length) }.unwrap();
    }

    /// Takes all blocks there are, in the order of their places.
    pub fn take_all(&self) -> Vec<Block> {
        let mut blocks: Vec<_> = std::iter::from_fn(|| self.take(0)).collect();
        blocks.sort_by_key(|block| block.0);
        assert_eq!(blocks.len() * self.block.size(), self.capacity);
        blocks
    }

    /// Takes a block on a CPU.
    pub fn take(&self, cpu: usize) -> Option<Block> {
        // SAFETY: the size is not zero.
        let at = on_cpu(cpu, || unsafe { self.allocator.alloc(self.block) });
        if at.is_null() {
            return None;
        }
        let block = Block(at.cast());
        self.fill(&block);
        Some(block)
    }

    /// Gives a block back on a CPU.
    pub fn give(&self, cpu: usize, block: Block) {
        self.expect_intact(&block);
        let at = block.0.cast();
        // SAFETY: the block is live, and gone from now on.
        on_cpu(cpu, || unsafe { self.allocator.dealloc(at, self.block) });
    }

    /// Makes a block so many bytes long, and gives it back then.
    pub fn give_resized(&self, cpu: usize, block: Block, size: usize) -> Result<(), Block> {
        self.expect_intact(&block);
        let at = block.0.cast();
        // SAFETY: the block is live.
        let resized = on_cpu(cpu, || unsafe { self.allocator.realloc(at, BLOCK, size) });
        if resized.is_null() {
            self.expect_intact(&block);
            return Err(block);
        }
        // SAFETY: the block's first word is there whatever the size.
        let content = unsafe { resized.cast::<u64>().read() };
        assert_eq!(content, block.content()[0], "realloc changed a content");
        let layout = Layout::from_size_align(size, BLOCK.align()).unwrap();
        // SAFETY: the block is live, and gone from now on.
        on_cpu(cpu, || unsafe { self.allocator.dealloc(resized, layout) });
        Ok(())
    }

    /// Asks for more than there is, which takes back all that is parked.
    pub fn unpark_all(&self) {
        assert!(self.take_run(self.capacity + 1).is_null());
    }

    /// Gives back all that is left, and then has it in one piece.
    pub fn finish(&self, blocks: impl IntoIterator<Item = Block>) {
        for block in blocks {
            self.give(0, block);
        }
        assert!(self.can_take(self.capacity), "not everything came back");
        self.allocator.check().unwrap();
    }

    /// Takes so many bytes on CPU 0, if they can be had, and gives them back.
    pub fn can_take(&self, size: usize) -> bool {
        let run = self.take_run(size);
        if run.is_null() {
            return false;
        }
        let layout = Layout::from_size_align(size, BLOCK.align()).unwrap();
        // SAFETY: the block is live, and gone from now on.
        on_cpu(0, || unsafe { self.allocator.dealloc(run, layout) });
        true
    }

    /// Allocates so many bytes.
    fn take_run(&self, size: usize) -> *mut u8 {
        let layout = Layout::from_size_align(size, BLOCK.align()).unwrap();
        // SAFETY: the size is not zero.
        on_cpu(0, || unsafe { self.allocator.alloc(layout) })
    }

    fn fill(&self, block: &Block) {
        self.uses(block);
        // SAFETY: the block is live.
        unsafe { block.0.write(block.content()) };
    }

    fn expect_intact(&self, block: &Block) {
        self.uses(block);
        // SAFETY: the block is live.
        let content = unsafe { block.0.read() };
        assert_eq!(content, block.content(), "a block's content has changed");
    }

    #[cfg(feature = "loom")]
    fn uses(&self, block: &Block) {
        let place = (block.0.addr() - self.region.addr()) / 8;
        self.uses[place].with_mut(|_| ());
    }

    #[cfg(feature = "shuttle")]
    fn uses(&self, _: &Block) {}
}

impl<R: RawMutex, const M: bool> Drop for Heap<R, M> {
    fn drop(&mut self) {
        // SAFETY: this is what `with_room_for` got.
        unsafe { dealloc(self.region, self.layout) };
    }
}

/// A block that is live.
#[derive(Debug)]
pub struct Block(*mut [u64; 2]);

// SAFETY: whoever has a block is the only one to use it.
unsafe impl Send for Block {}

impl Block {
    /// What a block is filled with, and no allocator would write.
    fn content(&self) -> [u64; 2] {
        [!(self.0.addr() as u64); 2]
    }
}

/// The length of the smallest region that has room for so many bytes.
fn region_for(bytes: usize) -> usize {
    let fits = |&length: &usize| {
        let mut memory = vec![0u64; length / 8];
        let mut allocator = Allocator::<SIZES, 2>::empty();
        // SAFETY: the memory outlives the allocator, and is its alone.
        let done = unsafe { allocator.try_init(memory.as_mut_ptr().cast(), length) };
        done.is_ok() && allocator.stats().capacity >= bytes
    };
    (64..).step_by(8).find(fits).unwrap()
}
