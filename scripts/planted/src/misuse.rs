//! Misuse of a heap, found where the heap tells the tool what is nobody's.

use std::{
    alloc::{GlobalAlloc, Layout},
    ptr,
};

use good_memory_allocator::{Allocator, CurrentCpu, PerCpuAllocator};

/// Each kind of misuse by its name.
pub const ALL: [(&str, fn(&mut Allocator)); 14] = [
    ("freed", freed),
    ("parked", parked),
    ("neighbour", neighbour),
    ("rounding", rounding),
    ("gap", gap),
    ("tables", tables),
    ("cut-off", cut_off),
    ("outgrown", outgrown),
    ("slid", slid),
    ("twice", twice),
    ("too-large", too_large),
    ("new", new),
    ("cpu-parked", cpu_parked),
    ("cpu-twice", cpu_twice),
];

/// Calls one with a heap that has a few blocks.
pub fn plant(misuse: fn(&mut Allocator)) {
    let mut region = vec![0_u64; 1 << 12];
    let mut allocator = Allocator::empty();
    // SAFETY: the region outlives the allocator, which is its only user.
    unsafe { allocator.try_init(region.as_mut_ptr().cast(), size_of_val(&region[..])) }.unwrap();
    misuse(&mut allocator);
}

fn bytes(size: usize) -> Layout {
    Layout::from_size_align(size, 8).unwrap()
}

/// A block, written to as far as it goes.
fn block(allocator: &mut Allocator, size: usize) -> *mut u8 {
    // SAFETY: the block has so many bytes.
    unsafe {
        let block = allocator.alloc(bytes(size));
        block.write_bytes(1, size);
        block
    }
}

fn free(allocator: &mut Allocator, block: *mut u8, size: usize) {
    // SAFETY: none for those that are freed twice or with a wrong layout,
    // which is the bug.
    unsafe { allocator.dealloc(block, bytes(size)) };
}

fn touch(byte: *mut u8) {
    // SAFETY: none, this is the bug.
    unsafe { byte.write_volatile(2) };
}

/// A block that became a free chunk.
fn freed(allocator: &mut Allocator) {
    let blocks = [(); 3].map(|()| block(allocator, 5000));
    free(allocator, blocks[1], 5000);
    touch(blocks[1].wrapping_add(2500));
}

/// The link in a block that waits in a list, which is read only.
fn parked(allocator: &mut Allocator) {
    let block = block(allocator, 24);
    free(allocator, block, 24);
    // SAFETY: none, this is the bug.
    unsafe { ptr::read_volatile(block) };
}

/// A byte behind a block, whose neighbour was freed.
fn neighbour(allocator: &mut Allocator) {
    let mut blocks = [(); 4].map(|()| block(allocator, 24));
    blocks.sort();
    free(allocator, blocks[2], 24);
    touch(blocks[1].wrapping_add(24));
}

/// A byte behind a block, where its size was rounded up.
fn rounding(allocator: &mut Allocator) {
    let block = block(allocator, 21);
    touch(block.wrapping_add(21));
}

/// A byte before a block, where nothing ever was.
fn gap(allocator: &mut Allocator) {
    let block = block(allocator, 24);
    touch(block.wrapping_sub(1));
}

/// A byte before the first block of all.
fn tables(allocator: &mut Allocator) {
    let block = block(allocator, 5000);
    touch(block.wrapping_sub(1));
}

/// What a block lost when it shrank.
fn cut_off(allocator: &mut Allocator) {
    let block = block(allocator, 100);
    // SAFETY: the block is live, and stays where it is.
    unsafe { allocator.realloc(block, bytes(100), 33) };
    touch(block.wrapping_add(33));
}

/// Where a block was before it grew.
fn outgrown(allocator: &mut Allocator) {
    let old = block(allocator, 100);
    block(allocator, 100);
    // SAFETY: the block is live.
    let new = unsafe { allocator.realloc(old, bytes(100), 1000) };
    assert_ne!(new, old);
    touch(old.wrapping_add(50));
}

/// Where a block was before it slid down to grow.
fn slid(allocator: &mut Allocator) {
    let blocks = [(); 4].map(|()| block(allocator, 7000));
    block(allocator, allocator.stats().largest_free);
    free(allocator, blocks[0], 7000);
    // SAFETY: the block is live.
    let new = unsafe { allocator.realloc(blocks[1], bytes(7000), 7500) };
    assert_eq!(new, blocks[0]);
    touch(new.wrapping_add(7500));
}

fn twice(allocator: &mut Allocator) {
    let block = block(allocator, 24);
    free(allocator, block, 24);
    free(allocator, block, 24);
}

/// A block that is freed with a larger layout than it has.
fn too_large(allocator: &mut Allocator) {
    let block = block(allocator, 24);
    free(allocator, block, 25);
}

/// A decision by what a block held before it was freed and allocated again.
fn new(allocator: &mut Allocator) {
    let old = block(allocator, 24);
    free(allocator, old, 24);
    // SAFETY: none, this is the bug.
    unsafe {
        let new = allocator.alloc(bytes(24));
        assert_eq!(new, old);
        if ptr::read_volatile(new) == 1 {
            println!("one");
        }
    }
}

/// A block in a CPU's list.
fn cpu_parked(_: &mut Allocator) {
    on_one_cpu(|heap| {
        let layout = bytes(24);
        // SAFETY: none for the last line, which is the bug.
        unsafe {
            let block = heap.alloc(layout);
            heap.dealloc(block, layout);
            touch(block.wrapping_add(16));
        }
    });
}

/// A block that comes to a CPU's list twice.
fn cpu_twice(_: &mut Allocator) {
    on_one_cpu(|heap| {
        let layout = bytes(24);
        // SAFETY: none for the last line, which is the bug.
        unsafe {
            let block = heap.alloc(layout);
            heap.dealloc(block, layout);
            heap.dealloc(block, layout);
        }
    });
}

/// The only CPU there is.
struct Only;

impl CurrentCpu for Only {
    fn index() -> usize {
        0
    }
}

/// Lends a heap with lists for each CPU.
fn on_one_cpu(misuse: impl FnOnce(&PerCpuAllocator<Only, 1>)) {
    let mut region = vec![0_u64; 1 << 16];
    let heap = PerCpuAllocator::empty();
    // SAFETY: the region outlives the heap, which is its only user.
    unsafe { heap.try_init(region.as_mut_ptr().cast(), size_of_val(&region[..])) }.unwrap();
    misuse(&heap);
}
