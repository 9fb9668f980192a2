//! The content of blocks: noise that tells blocks, and places in a block,
//! apart.

use std::ptr;

const PAGE: usize = 4096;
const SHIFTS: usize = 256;

static NOISE: [u8; PAGE + SHIFTS] = noise();

const fn noise() -> [u8; PAGE + SHIFTS] {
    let mut bytes = [0; PAGE + SHIFTS];
    let mut state = 0x9E37_79B9_u32;
    let mut i = 0;
    while i < bytes.len() {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        bytes[i] = (state >> 24) as u8;
        i += 1;
    }
    bytes
}

/// The noise of the `page`th page of a block with this tag.
fn page_of(tag: u32, page: usize) -> &'static [u8] {
    &NOISE[(tag as usize + page) % SHIFTS..][..PAGE]
}

/// Fills a block with the noise of its tag.
///
/// # Safety
///
/// The block is valid for writes of `size` bytes.
pub unsafe fn fill(block: *mut u8, size: usize, tag: u32) {
    for (page, start) in (0..size).step_by(PAGE).enumerate() {
        let noise = &page_of(tag, page)[..PAGE.min(size - start)];
        // SAFETY: the noise is as long as the page, or as what is left of the
        // block if that is less.
        unsafe { ptr::copy_nonoverlapping(noise.as_ptr(), block.add(start), noise.len()) };
    }
}

/// Whether a block begins with `size` bytes of the noise of its tag.
///
/// # Safety
///
/// The block is valid for reads of `size` bytes, all of them written.
pub unsafe fn holds(block: *const u8, size: usize, tag: u32) -> bool {
    // SAFETY: the caller's promise.
    let bytes = unsafe { std::slice::from_raw_parts(block, size) };
    let mut pages = bytes.chunks(PAGE).enumerate();
    pages.all(|(page, bytes)| bytes == &page_of(tag, page)[..bytes.len()])
}

/// Whether a block begins with `size` zeros.
///
/// # Safety
///
/// The block is valid for reads of `size` bytes, all of them written.
pub unsafe fn is_zero(block: *const u8, size: usize) -> bool {
    // SAFETY: the caller's promise.
    let bytes = unsafe { std::slice::from_raw_parts(block, size) };
    bytes
        .chunks(PAGE)
        .all(|bytes| bytes == &[0; PAGE][..bytes.len()])
}
