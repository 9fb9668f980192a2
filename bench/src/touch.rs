/// Uses a block as a program would that writes to it: its first and its last byte. Workloads write nothing else, so that
/// the checking mode can keep a pattern in all the other bytes.
///
/// # Safety
/// The block has `size` bytes, at least one.
#[inline(always)]
pub unsafe fn touch(block: *mut u8, size: usize) {
    // SAFETY: both bytes are in the block.
    unsafe {
        block.write_volatile(1);
        block.add(size - 1).write_volatile(2);
    }
}
