//! What a heap holds.

/// What a heap holds, in bytes; `capacity` is the sum of `live`, `parked` and
/// `free`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// What blocks can have: the region less the heap's tables.
    pub capacity: usize,
    /// What is allocated, each block rounded up to 8 bytes.
    pub live: usize,
    /// What was freed and waits in quick lists for a request of its size.
    pub parked: usize,
    /// What is free otherwise.
    pub free: usize,
    /// The size of the largest block that can be had without giving back what
    /// is parked.
    pub largest_free: usize,
    /// The bytes at the region's end that are beyond the 32 GiB which a heap
    /// can span.
    pub ignored: usize,
}
