//! The program's heap: one static region, and counters around the allocator
//! that serves from it.

use std::{
    alloc::{GlobalAlloc, Layout},
    io::{self, Write},
    process,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

use good_memory_allocator::{StaticHeap, Stats};

/// The size of the region in bytes. It is part of the program, as in a kernel
/// or in firmware: the environment variable `GALLOC_HEAP` (`300K`, `64M`) sets
/// it when the program is compiled.
pub const REGION: usize = region_size(option_env!("GALLOC_HEAP"));

/// What the standard library needs before `main`, and more.
const SMALLEST_REGION: usize = 16 << 10;

#[global_allocator]
pub static HEAP: CountedHeap = CountedHeap::new();

/// A static heap that counts what it is asked for, and ends the program with
/// a message when it cannot serve.
///
/// To its callers it never returns null. That is right for a program that can
/// do without nothing it asks for; one that uses `Vec::try_reserve` must leave
/// the null to its caller.
pub struct CountedHeap {
    heap: StaticHeap<REGION>,
    live: AtomicUsize,
    peak: AtomicUsize,
    allocations: AtomicUsize,
    frees: AtomicUsize,
    resizes: AtomicUsize,
    moves: AtomicUsize,
    /// At how many live bytes the heap is looked at next.
    look_at: AtomicUsize,
    at_peak: Mutex<Option<Snapshot>>,
}

/// What was asked of the heap so far, in bytes and in calls.
#[derive(Clone, Copy)]
pub struct Counts {
    /// The sum of the sizes of all blocks that live.
    pub live: usize,
    /// The most that `live` ever was.
    pub peak: usize,
    pub allocations: usize,
    pub frees: usize,
    pub resizes: usize,
    /// The resizes that had to copy the block to another place.
    pub moves: usize,
}

/// What was asked of the heap, and how it sees its memory itself.
#[derive(Clone, Copy)]
pub struct Snapshot {
    pub counts: Counts,
    pub stats: Stats,
}

impl Snapshot {
    /// All but the largest free chunk.
    pub fn in_use(&self) -> usize {
        self.stats.capacity - self.stats.largest_free
    }

    /// What share of the memory in use is not live: parked, or free in chunks
    /// that are smaller than the largest.
    pub fn lost(&self) -> f64 {
        let lost = self.in_use() - self.stats.live;
        lost as f64 / self.in_use().max(1) as f64
    }
}

impl CountedHeap {
    const fn new() -> Self {
        Self {
            heap: StaticHeap::new(),
            live: AtomicUsize::new(0),
            peak: AtomicUsize::new(0),
            allocations: AtomicUsize::new(0),
            frees: AtomicUsize::new(0),
            resizes: AtomicUsize::new(0),
            moves: AtomicUsize::new(0),
            look_at: AtomicUsize::new(0),
            at_peak: Mutex::new(None),
        }
    }

    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            counts: self.counts(),
            stats: self.heap.stats(),
        }
    }

    /// The heap when it was fullest: within a 32nd of the peak.
    pub fn at_peak(&self) -> Option<Snapshot> {
        self.at_peak.lock().ok().and_then(|at_peak| *at_peak)
    }

    fn counts(&self) -> Counts {
        Counts {
            live: self.live.load(Relaxed),
            peak: self.peak.load(Relaxed),
            allocations: self.allocations.load(Relaxed),
            frees: self.frees.load(Relaxed),
            resizes: self.resizes.load(Relaxed),
            moves: self.moves.load(Relaxed),
        }
    }

    fn add_live(&self, bytes: usize) {
        let live = self.live.fetch_add(bytes, Relaxed) + bytes;
        self.peak.fetch_max(live, Relaxed);
        if live >= self.look_at.load(Relaxed) {
            self.look_at.store(live + live / 32 + 64, Relaxed);
            if let Ok(mut at_peak) = self.at_peak.try_lock() {
                *at_peak = Some(self.snapshot());
            }
        }
    }

    fn served(&self, block: *mut u8, size: usize) -> *mut u8 {
        if block.is_null() {
            self.exit_out_of_memory(size);
        }
        self.allocations.fetch_add(1, Relaxed);
        self.add_live(size);
        block
    }

    /// Says what was asked in vain and what there is, and ends the program.
    /// Nothing here allocates. Threads that fail too, wait for the end.
    #[cold]
    fn exit_out_of_memory(&self, size: usize) -> ! {
        static ENDING: AtomicBool = AtomicBool::new(false);
        while ENDING.swap(true, Relaxed) {
            thread::sleep(Duration::from_secs(1));
        }
        // There is nothing left to do if this fails.
        let _ = explain(&mut io::stderr().lock(), size, REGION, self.heap.stats());
        process::exit(1)
    }
}

// SAFETY: the static heap's answers are passed on as they are, but for null,
// which is not returned.
unsafe impl GlobalAlloc for CountedHeap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the same contract.
        let block = unsafe { self.heap.alloc(layout) };
        self.served(block, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the same contract.
        let block = unsafe { self.heap.alloc_zeroed(layout) };
        self.served(block, layout.size())
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        self.frees.fetch_add(1, Relaxed);
        self.live.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller keeps the same contract.
        unsafe { self.heap.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller keeps the same contract.
        let new = unsafe { self.heap.realloc(block, layout, new_size) };
        if new.is_null() {
            self.exit_out_of_memory(new_size);
        }
        self.resizes.fetch_add(1, Relaxed);
        self.moves.fetch_add(usize::from(new != block), Relaxed);
        self.add_live(new_size);
        self.live.fetch_sub(layout.size(), Relaxed);
        new
    }
}

fn explain(out: &mut impl Write, size: usize, region: usize, stats: Stats) -> io::Result<()> {
    let (larger, unit) = match region {
        ..0x10_0000 => (2 * region.div_ceil(1 << 10), 'K'),
        _ => (2 * region.div_ceil(1 << 20), 'M'),
    };
    write!(
        out,
        "\nconcordance: out of memory: a request for {size} bytes cannot be served.\n  \
         The region has {region} bytes. Of the {} that blocks can have, {} are in use,\n  \
         and the largest free chunk has {}.\n  \
         Give the program less to read, or compile it with a larger region:\n  \
         GALLOC_HEAP={larger}{unit} cargo run --release --example concordance\n",
        stats.capacity, stats.live, stats.largest_free,
    )
}

/// Reads a size such as `65536`, `300K`, `64M` or `1G`.
const fn region_size(setting: Option<&str>) -> usize {
    let Some(setting) = setting else {
        return 256 << 20;
    };
    let (digits, unit) = match setting.as_bytes() {
        [digits @ .., b'K'] => (digits, 1 << 10),
        [digits @ .., b'M'] => (digits, 1 << 20),
        [digits @ .., b'G'] => (digits, 1 << 30),
        digits => (digits, 1),
    };
    let size = number(digits) * unit;
    assert!(
        size >= SMALLEST_REGION,
        "GALLOC_HEAP is too small: the program needs at least 16K"
    );
    size
}

const fn number(digits: &[u8]) -> usize {
    const EXPECTED: &str = "GALLOC_HEAP is a number of bytes such as 65536, 300K or 64M";
    assert!(!digits.is_empty(), "{}", EXPECTED);
    let mut value = 0;
    let mut at = 0;
    while at < digits.len() {
        assert!(digits[at].is_ascii_digit(), "{}", EXPECTED);
        value = value * 10 + (digits[at] - b'0') as usize;
        at += 1;
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn region_sizes_have_units() {
        assert_eq!(region_size(Some("65536")), 65536);
        assert_eq!(region_size(Some("300K")), 300 << 10);
        assert_eq!(region_size(Some("64M")), 64 << 20);
        assert_eq!(region_size(None), 256 << 20);
    }

    #[test]
    #[should_panic(expected = "a number of bytes")]
    fn region_sizes_are_numbers() {
        region_size(Some("plenty"));
    }

    #[test]
    #[should_panic(expected = "at least 16K")]
    fn regions_hold_the_standard_library() {
        region_size(Some("1K"));
    }

    #[test]
    fn blocks_come_from_the_heap_and_are_counted() {
        let before = HEAP.snapshot().counts;
        let block = vec![1_u8; 100_000];
        let with = HEAP.snapshot().counts;
        assert!(with.allocations > before.allocations);
        assert!(with.peak >= block.len());
        assert!(HEAP.snapshot().stats.live >= block.len());
        drop(block);
        assert!(HEAP.snapshot().counts.frees > before.frees);
    }

    #[test]
    fn the_message_says_what_failed_what_there_is_and_what_to_do() {
        let stats = HEAP.snapshot().stats;
        let mut message = Vec::new();
        explain(&mut message, 4711, 300 << 10, stats).unwrap();
        let message = String::from_utf8(message).unwrap();
        assert!(message.contains("a request for 4711 bytes"));
        assert!(message.contains("region has 307200 bytes"));
        assert!(message.contains(&format!("{} are in use", stats.live)));
        assert!(message.contains(&format!("chunk has {}", stats.largest_free)));
        assert!(message.contains("GALLOC_HEAP=600K cargo run"));
    }

    #[test]
    fn what_is_lost_is_neither_live_nor_in_the_largest_free_chunk() {
        let mut heap = HEAP.snapshot();
        heap.stats.capacity = 1000;
        heap.stats.live = 300;
        heap.stats.largest_free = 600;
        assert_eq!(heap.in_use(), 400);
        assert_eq!(heap.lost(), 0.25);
    }
}
