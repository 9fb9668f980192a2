//! The allocator for many CPUs: quick lists for each, over one locked heap.
//!
//! ```text
//!   CPU 0          CPU 1          CPU 2
//!   try-lock       try-lock       try-lock        a miss goes to the right,
//!   quick lists    quick lists    quick lists     and then down
//!     outbox ─ ─ ─ ─ outbox ─ ─ ─ ─ outbox        whole chains, to any CPU
//!        ╲             │             ╱
//!         lock ── Allocator ── deferred frees     in batches
//! ```
//!
//! The order of locks: a cache before the heap, never two caches, and none
//! while another is waited for. `docs/many-cpus.md` in the repository has the
//! protocol and why it holds.

mod allocating;
mod cpu;
mod deferred;
mod exchange;
mod freeing;
mod global;
mod granted;
mod hints;
mod large;
mod outbox;
mod piece;
mod reclaiming;
mod resizing;
mod shared;
mod slot;
mod tally;
mod unlisted;

use core::{array, marker::PhantomData, ptr};

pub use cpu::CurrentCpu;
use hints::Hints;
use lock_api::RawMutex;
use shared::{Held, Shared};
use slot::{HeldCache, Slot};
use tally::{Step, Tally};

use crate::{
    allocator::{Allocator, DEFAULT_ALIGNMENT_SUB_BINS_AMOUNT, DEFAULT_SMALLBINS_AMOUNT},
    error::InitError,
    heap::{CheckError, chunk::Span},
    lock::RawSpinLock,
    stats::Stats,
    sync::{AtomicPtr, Ordering},
    unit::{Granules, Offset},
};

/// The caches of other CPUs that are tried when one's own is held.
const NEIGHBOURS: usize = 2;

/// The outboxes that are looked into, at the most, when one's own has nothing.
const LOOKED_INTO: usize = 8;

/// An allocator for many CPUs: quick lists for each of `CPUS`, over one
/// [`Allocator`] behind a lock of type `R`.
///
/// Allocating and freeing small blocks touches nothing that another CPU
/// writes, nor does a large one that a CPU freed before. A CPU's list that is
/// full puts half of it out, up to 64 blocks, for any CPU whose list is empty;
/// what nobody takes goes back to the heap, and what is missing comes from
/// there. A block may be freed by any CPU. There may be more or fewer CPUs than
/// `CPUS`; several then share a cache.
///
/// # Memory
///
/// All CPUs' caches together park at most 1/8 of the heap, and each CPU an
/// equal part of that; a quarter once room is scarce, and less in proportion
/// when more than half of the heap is used. In one list are at most 64 KiB or
/// 1024 blocks, or 128 where a CPU only frees, and 128 may be out of it. Besides,
/// a CPU puts out at most half as much as its part; an eighth as much, up to
/// 64 KiB, is memory of its own to cut blocks from; and a quarter as much are
/// blocks that have no list, up to 64 KiB each, which it keeps while room is
/// ample. A request that would fail takes back everything first, from every CPU,
/// so that it fails only if there is no room. The struct takes
/// `SMALLBINS_AMOUNT * ALIGNMENT_SUB_BINS_AMOUNT * 14` bytes and about 400 more
/// for each CPU, and about as much again.
///
/// # Interrupts
///
/// Freeing never waits, and is safe in any context, even in a handler of
/// non-maskable interrupts: a block that finds the caches and the lock held is
/// put onto a list for the lock's next holder. Allocating waits for the lock,
/// and, when it is about to fail, for each CPU's cache. In a handler it must
/// wait for neither:
///
/// | lock | where [`in_interrupt`](CurrentCpu::in_interrupt) is true |
/// |---|---|
/// | any | allocates what a cache holds, or if the lock is free, the heap; else null, though there may be room |
/// | one that masks interrupts, and [`LOCK_MASKS_INTERRUPTS`](CurrentCpu::LOCK_MASKS_INTERRUPTS) is true | allocates as elsewhere; but null, if all that is left is in a cache that is held. Not in a non-maskable interrupt |
///
/// Where `in_interrupt` is not told the truth, a handler that allocates may
/// wait for ever; [`realloc`](core::alloc::GlobalAlloc::realloc) counts as allocating.
///
/// # Time complexity
///
/// [`dealloc`](core::alloc::GlobalAlloc::dealloc) takes a bounded time: 64 blocks of a list, and
/// 128 of another one with 128 that are out of it, are given back at most, and 64
/// deferred blocks freed. So does an allocation that succeeds, besides waiting
/// for the lock and what [`Allocator`] does: 64 blocks are fetched, 256 of
/// another list given back. One that fails gives back everything, unless the allocator
/// is [bounded](Self::bounded).
///
/// # Example
///
/// ```
/// use good_memory_allocator::{CurrentCpu, PerCpuAllocator};
/// use std::{cell::Cell, sync::atomic::{AtomicUsize, Ordering}};
///
/// struct ThreadNumber;
///
/// impl CurrentCpu for ThreadNumber {
///     fn index() -> usize {
///         static NEXT: AtomicUsize = AtomicUsize::new(0);
///         thread_local!(static NUMBER: Cell<Option<usize>> = const { Cell::new(None) });
///         let new = || NEXT.fetch_add(1, Ordering::Relaxed);
///         // A thread that ends has no number any more.
///         NUMBER.try_with(|number| {
///             number.get().unwrap_or_else(|| {
///                 let new = new();
///                 number.set(Some(new));
///                 new
///             })
///         }).unwrap_or(0)
///     }
/// }
///
/// static ALLOCATOR: PerCpuAllocator<ThreadNumber, 8> = PerCpuAllocator::empty();
///
/// # static mut REGION: [u64; 1 << 17] = [0; 1 << 17];
/// let region = &raw mut REGION;
/// // SAFETY: nothing else uses the region.
/// unsafe { ALLOCATOR.try_init(region.cast(), size_of::<[u64; 1 << 17]>())? };
/// # use core::alloc::{GlobalAlloc, Layout};
/// # let layout = Layout::new::<[u64; 4]>();
/// // SAFETY: the block is freed once, with its layout.
/// std::thread::scope(|threads| for _ in 0..4 {
///     threads.spawn(|| unsafe {
///         let block = ALLOCATOR.alloc(layout);
///         assert!(!block.is_null());
///         ALLOCATOR.dealloc(block, layout);
///     });
/// });
/// # ALLOCATOR.check().unwrap();
/// # Ok::<(), good_memory_allocator::InitError>(())
/// ```
#[derive(Debug)]
pub struct PerCpuAllocator<
    Cpu,
    const CPUS: usize,
    R: RawMutex = RawSpinLock,
    const SMALLBINS_AMOUNT: usize = DEFAULT_SMALLBINS_AMOUNT,
    const ALIGNMENT_SUB_BINS_AMOUNT: usize = DEFAULT_ALIGNMENT_SUB_BINS_AMOUNT,
> {
    slots: [Slot<SMALLBINS_AMOUNT, ALIGNMENT_SUB_BINS_AMOUNT>; CPUS],
    /// Where the heap's region begins; null before it has one.
    base: AtomicPtr<u8>,
    /// Whether nothing is taken back from CPUs.
    bounded: bool,
    hints: Hints<SMALLBINS_AMOUNT, ALIGNMENT_SUB_BINS_AMOUNT>,
    shared: Shared<R, SMALLBINS_AMOUNT, ALIGNMENT_SUB_BINS_AMOUNT>,
    cpu: PhantomData<fn() -> Cpu>,
}

impl<Cpu: CurrentCpu, R: RawMutex, const CPUS: usize, const S: usize, const A: usize>
    PerCpuAllocator<Cpu, CPUS, R, S, A>
{
    /// An allocator without memory, to which every request is in vain until
    /// it is given some.
    pub const fn empty() -> Self {
        Self::new(Allocator::empty(), false)
    }

    /// As [`empty`](Self::empty), but of an allocator that is
    /// [bounded](Allocator::bounded), and takes nothing back from other CPUs
    /// either before a request fails.
    pub const fn bounded() -> Self {
        Self::new(Allocator::bounded(), true)
    }

    const fn new(allocator: Allocator<S, A>, bounded: bool) -> Self {
        const { assert!(CPUS > 0, "a PerCpuAllocator needs at least one cache") }
        Self {
            slots: [const { Slot::empty() }; CPUS],
            base: AtomicPtr::new(ptr::null_mut::<u8>()),
            bounded,
            hints: Hints::none(),
            shared: Shared::new(R::INIT, allocator),
            cpu: PhantomData,
        }
    }

    /// See [`Allocator::init`].
    ///
    /// # Panics
    ///
    /// As `Allocator::init` does.
    ///
    /// # Safety
    ///
    /// As for `Allocator::init`.
    pub unsafe fn init(&self, heap_start: usize, heap_size: usize) {
        let mut heap = self.shared.lock(Tally::NONE);
        // SAFETY: the caller's promise.
        unsafe { heap.init(heap_start, heap_size) };
        self.publish(&heap);
    }

    /// See [`Allocator::try_init`].
    ///
    /// # Errors
    ///
    /// See [`InitError`].
    ///
    /// # Safety
    ///
    /// As for `Allocator::try_init`.
    pub unsafe fn try_init(&self, start: *mut u8, length: usize) -> Result<(), InitError> {
        let mut heap = self.shared.lock(Tally::NONE);
        // SAFETY: the caller's promise.
        unsafe { heap.try_init(start, length) }?;
        self.publish(&heap);
        Ok(())
    }

    /// See [`Allocator::try_init_zeroed`].
    ///
    /// # Errors
    ///
    /// See [`InitError`].
    ///
    /// # Safety
    ///
    /// As for `Allocator::try_init_zeroed`.
    pub unsafe fn try_init_zeroed(&self, start: *mut u8, length: usize) -> Result<(), InitError> {
        let mut heap = self.shared.lock(Tally::NONE);
        // SAFETY: the caller's promise.
        unsafe { heap.try_init_zeroed(start, length) }?;
        self.publish(&heap);
        Ok(())
    }

    /// Whether the allocator was given its region.
    pub fn was_initialized(&self) -> bool {
        !self.span().is_empty()
    }

    /// See [`Allocator::check`]; the CPUs' caches are checked too. All locks
    /// are held for as long as it takes: not for an interrupt handler.
    ///
    /// # Errors
    ///
    /// The first invariant that does not hold.
    pub fn check(&self) -> Result<(), CheckError> {
        let caches = self.lock_all();
        let heap = self.lock_settled();
        heap.check()?;
        for cache in &caches {
            heap.check_cache(cache)?;
            if let Some(piece) = cache.bounds.piece.as_parked() {
                heap.check_parked(piece)?;
            }
            let check = |parked| heap.check_parked(parked);
            cache.bounds.large.try_for_each(heap.span(), check)?;
        }
        self.slots.iter().try_for_each(|slot| {
            let check = |parked| heap.check_parked(parked);
            slot.outbox.try_for_each(heap.span(), check)
        })
    }

    /// See [`Allocator::stats`]; what CPUs' caches hold counts as parked. All
    /// locks are held for as long as it takes: not for an interrupt handler.
    pub fn stats(&self) -> Stats {
        let caches = self.lock_all();
        let heap = self.lock_settled();
        let mut stats = heap.stats();
        for (cache, slot) in caches.iter().zip(&self.slots) {
            let besides = cache.bounds.piece.size + cache.bounds.large.amount();
            let parked = cache.parked(heap.span()) + slot.outbox.amount() + besides;
            let parked = parked.bytes();
            stats.live = stats.live.saturating_sub(parked);
            stats.parked += parked;
        }
        stats
    }

    fn lock_all(&self) -> [HeldCache<'_, S, A>; CPUS] {
        array::from_fn(|number| self.slots[number].lock())
    }

    /// The heap, with nothing deferred.
    fn lock_settled(&self) -> Held<'_, R, S, A> {
        let mut heap = self.shared.lock(Tally::NONE);
        self.shared.settle_all(&mut heap);
        heap
    }

    fn publish(&self, heap: &Held<'_, R, S, A>) {
        let base = heap.span().pointer_to(Offset::NONE);
        self.base.store(base, Ordering::Release);
        self.tell_budget(heap);
    }

    /// Tells all CPUs what each may hold.
    fn tell_budget(&self, heap: &Held<'_, R, S, A>) {
        let budget = exchange::budget(heap, CPUS as u32);
        let large = if heap.spares_large() {
            large::most_of(budget)
        } else {
            Granules::ZERO
        };
        self.shared.set_budget(budget, large);
    }

    /// The memory of the heap.
    #[inline]
    fn span(&self) -> Span {
        // SAFETY: the heap's own base. Whoever passes an offset has it from
        // the heap, from a list whose lock it holds, or from an outbox, and
        // has looked at the base after it was published.
        unsafe { Span::new(self.base.load(Ordering::Relaxed)) }
    }

    /// The cache of the CPU that runs, as far as that can be known.
    #[inline]
    fn slot(&self) -> &Slot<S, A> {
        &self.slots[Self::number()]
    }

    /// The number of that cache. Mostly it is the CPU's, which saves a
    /// division, or what a compiler makes of one.
    #[inline]
    fn number() -> usize {
        let index = Cpu::index();
        if index < CPUS { index } else { index % CPUS }
    }

    /// The number of the CPU that has this slot.
    fn number_of(&self, slot: &Slot<S, A>) -> usize {
        let distance = ptr::from_ref(slot).addr() - self.slots.as_ptr().addr();
        distance / size_of::<Slot<S, A>>()
    }

    /// The caches that can be had if that one is held.
    fn try_neighbours<'a>(&'a self, tally: Tally<'a>) -> impl Iterator<Item = HeldCache<'a, S, A>> {
        let own = Self::number();
        (1..CPUS.min(1 + NEIGHBOURS)).filter_map(move |step| {
            tally.step(Step::Cache);
            self.slots[(own + step) % CPUS].try_lock()
        })
    }

    /// Whether the caller may wait for a cache that is held.
    fn may_wait_for_caches() -> bool {
        !Cpu::in_interrupt()
    }

    /// The heap, if the caller may wait for it or need not.
    fn heap<'a>(&'a self, tally: Tally<'a>) -> Option<Held<'a, R, S, A>> {
        if Cpu::LOCK_MASKS_INTERRUPTS || !Cpu::in_interrupt() {
            Some(self.shared.lock(tally))
        } else {
            self.shared.try_lock(tally)
        }
    }
}

#[cfg(test)]
mod tests;
