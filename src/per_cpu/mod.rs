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

mod cpu;
mod deferred;
mod exchange;
mod global;
mod granted;
mod hints;
mod large;
mod outbox;
mod piece;
mod shared;
mod slot;
mod tally;
mod unlisted;

use core::{alloc::Layout, array, marker::PhantomData, mem, ptr};

pub use cpu::CurrentCpu;
use deferred::Chain;
use exchange::{BATCH, give, park};
use hints::Hints;
use lock_api::RawMutex;
use shared::{Held, Shared};
use slot::{CpuCache, HeldCache, Own, Slot};
use tally::{Step, Tally};

use crate::{
    allocator::{
        Allocator, Alone, CHEAPLY_COPIED, DEFAULT_ALIGNMENT_SUB_BINS_AMOUNT,
        DEFAULT_SMALLBINS_AMOUNT, Front, NewBlock, Resized,
    },
    cache::{Class, Link},
    error::InitError,
    heap::{CheckError, chunk::Span},
    lock::RawSpinLock,
    poison,
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
/// 128 blocks, and as many may be out of it. Besides, a CPU puts out at most half
/// as much as its part; an eighth as much, up to 64 KiB, is memory of its own to
/// cut blocks from; and a quarter as much are blocks that have no list, up to
/// 64 KiB each, which it keeps while room is ample. A request that would fail
/// takes back everything first, from every CPU, so that it fails only if there
/// is no room. The struct takes `SMALLBINS_AMOUNT * ALIGNMENT_SUB_BINS_AMOUNT * 14`
/// bytes and about 400 more for each CPU, and about as much again.
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
/// [`dealloc`](core::alloc::GlobalAlloc::dealloc) takes a bounded time: half of a list and
/// another whole one with what is out of it are given back at most, of 128
/// blocks each, and 64 deferred blocks freed. So does an allocation that succeeds, besides waiting
/// for the lock and what [`Allocator`] does: half a list is fetched, another
/// one given back. One that fails gives back everything, unless the allocator
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

    /// What remains of `alloc` when its CPU's list is empty: fills it, with what
    /// a CPU has put out or from the heap.
    ///
    /// # Safety
    ///
    /// The slot's lock is held by a guard that was forgotten.
    #[inline(never)]
    unsafe fn alloc_missed(&self, layout: Layout, slot: &Slot<S, A>, tally: Tally<'_>) -> *mut u8 {
        // SAFETY: the caller's promise.
        let mut cache = unsafe { slot.held() };
        let class = CpuCache::<S, A>::class_of(layout);
        let own = class.and_then(|class| {
            self.alloc_chained(slot, &mut cache, layout, class, tally)
                .or_else(|| exchange::alloc_cut(&mut cache, self.span(), layout, class, tally))
        });
        match own {
            Some(block) => block,
            None => self.alloc_behind(slot, cache, layout, class, tally),
        }
    }

    /// Fills a list that is empty with a chain that a CPU has put out, its own
    /// or another.
    fn alloc_chained(
        &self,
        slot: &Slot<S, A>,
        cache: &mut CpuCache<S, A>,
        layout: Layout,
        class: Class,
        tally: Tally<'_>,
    ) -> Option<*mut u8> {
        if self.shared.is_reclaiming() {
            return None;
        }
        exchange::grow(cache, class, self.shared.budget());
        // A list that is not empty may still have no block of the alignment.
        if !cache.bounds.may_adopt() || cache.held_in(class) > Granules::ZERO {
            return None;
        }
        let own = slot.outbox.take(|| self.span(), class, tally);
        let chain = own.or_else(|| self.chain_of_others(slot, class, tally))?;
        exchange::adopt(cache, self.span(), layout, class, chain)
    }

    /// Takes a chain that another CPU has put out.
    fn chain_of_others(&self, slot: &Slot<S, A>, class: Class, tally: Tally<'_>) -> Option<Link> {
        let number = self.number_of(slot);
        let look = |other: usize| {
            let outbox = &self.slots[other].outbox;
            outbox.take(|| self.span(), class, tally)
        };
        self.hints
            .find(class, number, CPUS, LOOKED_INTO, tally, look)
    }

    /// Allocates from the heap, behind a cache, and fills the layout's list, but
    /// not one that was granted nothing, as in a cache that was taken back.
    fn alloc_behind(
        &self,
        slot: &Slot<S, A>,
        mut cache: HeldCache<'_, S, A>,
        layout: Layout,
        class: Option<Class>,
        tally: Tally<'_>,
    ) -> *mut u8 {
        let Some(mut heap) = self.heap(tally) else {
            drop(cache);
            let listed = class.and_then(|_| self.alloc_from_neighbours(layout, tally));
            return listed.unwrap_or(ptr::null_mut());
        };
        self.tell_budget(&heap);
        if let Some(class) = class {
            exchange::refill(&mut cache, &slot.outbox, &mut heap, layout, class, tally);
        }
        if let Some(block) = cache.pop(heap.span(), layout) {
            return give(heap.span(), block, layout);
        }
        let block = heap.alloc_behind(&mut slot.front(&mut cache, tally), layout);
        if block.is_null() {
            drop(heap);
            drop(cache);
            return self.alloc_reclaiming(layout, tally);
        }
        // Room may be scarce now.
        self.tell_budget(&heap);
        block
    }

    /// `alloc` while its CPU's cache is held.
    #[cold]
    #[inline(never)]
    fn alloc_elsewhere(&self, layout: Layout, tally: Tally<'_>) -> *mut u8 {
        match self.alloc_from_neighbours(layout, tally) {
            Some(block) => block,
            None => self.alloc_shared(layout, tally),
        }
    }

    fn alloc_from_neighbours(&self, layout: Layout, tally: Tally<'_>) -> Option<*mut u8> {
        let mut caches = self.try_neighbours(tally);
        // The base is looked at with the lock held: what is in the cache came
        // after it.
        let block = caches.find_map(|mut cache| cache.pop(self.span(), layout))?;
        Some(give(self.span(), block, layout))
    }

    /// Allocates from the heap.
    fn alloc_shared(&self, layout: Layout, tally: Tally<'_>) -> *mut u8 {
        let Some(mut heap) = self.heap(tally) else {
            return ptr::null_mut();
        };
        // SAFETY: whoever called the allocator keeps its contract.
        let block = unsafe { heap.alloc(layout) };
        if block.is_null() {
            drop(heap);
            return self.alloc_reclaiming(layout, tally);
        }
        block
    }

    /// Allocates after everything that is parked was taken back.
    #[cold]
    fn alloc_reclaiming(&self, layout: Layout, tally: Tally<'_>) -> *mut u8 {
        // SAFETY: whoever called the allocator keeps its contract.
        self.after_reclaiming(tally, |heap| unsafe { heap.alloc(layout) })
            .unwrap_or(ptr::null_mut())
    }

    /// Takes back everything that is parked, as far as the caller may wait,
    /// and then does something with the heap.
    fn after_reclaiming<T>(
        &self,
        tally: Tally<'_>,
        then: impl FnOnce(&mut Held<'_, R, S, A>) -> T,
    ) -> Option<T> {
        if self.bounded || !self.was_initialized() {
            return None;
        }
        tally.step(Step::Reclaim);
        let _reclaim = self.shared.reclaim();
        for slot in &self.slots {
            tally.step(Step::Cache);
            let cache = if Self::may_wait_for_caches() {
                Some(slot.lock())
            } else {
                slot.try_lock()
            };
            if let Some(cache) = cache {
                self.give_back_all(slot, cache, tally);
            }
        }
        let mut heap = self.heap(tally)?;
        self.shared.settle_all(&mut heap);
        Some(then(&mut heap))
    }

    /// Empties a cache and its outbox, and puts the cache to sleep.
    fn give_back_all(&self, slot: &Slot<S, A>, mut cache: HeldCache<'_, S, A>, tally: Tally<'_>) {
        let span = self.span();
        let mut front = slot.front(&mut cache, tally);
        while let Some((block, size)) = front.pop_any(span) {
            tally.step(Step::Returned);
            let Some(mut heap) = self.heap(tally) else {
                self.shared.defer_chain(span, Chain::of_one(block, size));
                continue;
            };
            heap.free(block, size);
            for _ in 1..BATCH {
                let Some((block, size)) = front.pop_any(span) else {
                    return;
                };
                tally.step(Step::Returned);
                heap.free(block, size);
            }
        }
    }

    /// What remains of `dealloc` when its CPU's list is full or asleep: lets it
    /// be longer, or puts half of it out, or gives half of it back.
    ///
    /// # Safety
    ///
    /// The slot's lock is held by a guard that was forgotten.
    #[inline(never)]
    unsafe fn dealloc_overflowing(
        &self,
        block: *mut u8,
        layout: Layout,
        slot: &Slot<S, A>,
        tally: Tally<'_>,
    ) {
        // SAFETY: the caller's promise.
        let mut cache = unsafe { slot.held() };
        let class = CpuCache::<S, A>::class_of(layout);
        let (Some(class), false) = (class, self.shared.is_reclaiming()) else {
            drop(cache);
            return self.dealloc_shared(block, layout, tally);
        };
        let (span, budget) = (self.span(), self.shared.budget());
        exchange::grow(&mut cache, class, budget);
        if park(&mut cache, span, block, layout) {
            return;
        }
        if exchange::put_out(&mut cache, &slot.outbox, span, class, budget, tally) {
            self.hints.set(class, self.number_of(slot));
        }
        if park(&mut cache, span, block, layout) {
            return;
        }
        let Some(mut heap) = self.shared.try_lock(tally) else {
            // With half of the list that it does not fit into any more.
            let chain = exchange::unlink_half(&mut cache, span, block, layout, class, tally);
            return self.shared.defer_chain(span, chain);
        };
        self.tell_budget(&heap);
        exchange::make_room(&mut cache, &slot.outbox, &mut heap, class, tally);
        if !park(&mut cache, span, block, layout) {
            // SAFETY: whoever called the allocator keeps its contract.
            unsafe { heap.dealloc(block, layout) };
        }
    }

    /// `dealloc` while its CPU's cache is held.
    #[cold]
    #[inline(never)]
    fn dealloc_elsewhere(&self, block: *mut u8, layout: Layout, tally: Tally<'_>) {
        let span = self.span();
        let mut caches = self.try_neighbours(tally);
        if !caches.any(|mut cache| park(&mut cache, span, block, layout)) {
            self.dealloc_shared(block, layout, tally);
        }
    }

    /// Frees a block to the heap, now or, if its lock is held, soon.
    #[inline(never)]
    fn dealloc_shared(&self, block: *mut u8, layout: Layout, tally: Tally<'_>) {
        match self.shared.try_lock(tally) {
            // SAFETY: whoever called the allocator keeps its contract.
            Some(mut heap) => unsafe { heap.dealloc(block, layout) },
            None => self.shared.defer(self.span(), block, layout),
        }
    }

    /// Frees a block whose content moved to another one.
    fn dealloc_moved(&self, block: *mut u8, layout: Layout, tally: Tally<'_>) {
        if layout.size() <= CHEAPLY_COPIED {
            // SAFETY: whoever called the allocator keeps its contract.
            return unsafe { self.try_dealloc(block, layout, tally) };
        }
        match self.shared.try_lock(tally) {
            Some(mut heap) => heap.dealloc_moved(block, layout),
            None => self.shared.defer(self.span(), block, layout),
        }
    }

    /// Resizes a block where it is, or finds a new one for its content.
    ///
    /// # Safety
    ///
    /// As for `GlobalAlloc::realloc`.
    unsafe fn resize(
        &self,
        mut heap: Held<'_, R, S, A>,
        front: Option<Own<'_, S, A>>,
        block: *mut u8,
        layout: Layout,
        new_size: usize,
    ) -> Resized {
        // SAFETY: the caller's promise.
        unsafe {
            match front {
                Some(mut own) => heap.resize(block, layout, new_size, &mut own),
                None => heap.resize(block, layout, new_size, &mut Alone),
            }
        }
    }

    /// Resizes a block by moving its content.
    ///
    /// # Safety
    ///
    /// As for `GlobalAlloc::realloc`.
    unsafe fn realloc_by_copy(
        &self,
        block: *mut u8,
        layout: Layout,
        new_layout: Layout,
        tally: Tally<'_>,
    ) -> *mut u8 {
        // SAFETY: the caller's promise; the blocks are two, each at least as
        // large as what is copied.
        unsafe {
            let new = self.try_alloc(new_layout, tally);
            if !new.is_null() {
                new.copy_from_nonoverlapping(block, layout.size().min(new_layout.size()));
                self.try_dealloc(block, layout, tally);
            }
            new
        }
    }

    /// Does what `alloc` does.
    ///
    /// # Safety
    ///
    /// As for `GlobalAlloc::alloc`.
    #[inline]
    unsafe fn try_alloc(&self, layout: Layout, tally: Tally<'_>) -> *mut u8 {
        if CpuCache::<S, A>::class_of(layout).is_none() {
            return self.alloc_unlisted(layout, tally);
        }
        let slot = self.slot();
        tally.step(Step::Cache);
        let Some(mut cache) = slot.try_lock() else {
            return self.alloc_elsewhere(layout, tally);
        };
        let span = self.span();
        if let Some(block) = cache.pop(span, layout) {
            return give(span, block, layout);
        }
        mem::forget(cache);
        // SAFETY: the lock is held by the guard that was forgotten.
        unsafe { self.alloc_missed(layout, slot, tally) }
    }

    /// Does what `dealloc` does.
    ///
    /// # Safety
    ///
    /// As for `GlobalAlloc::dealloc`.
    #[inline]
    unsafe fn try_dealloc(&self, block: *mut u8, layout: Layout, tally: Tally<'_>) {
        if CpuCache::<S, A>::class_of(layout).is_none() {
            return self.dealloc_unlisted(block, layout, tally);
        }
        let slot = self.slot();
        tally.step(Step::Cache);
        let Some(mut cache) = slot.try_lock() else {
            return self.dealloc_elsewhere(block, layout, tally);
        };
        let span = self.span();
        if park(&mut cache, span, block, layout) {
            return;
        }
        mem::forget(cache);
        // SAFETY: the lock is held by the guard that was forgotten.
        unsafe { self.dealloc_overflowing(block, layout, slot, tally) }
    }

    /// Does what `alloc_zeroed` does.
    ///
    /// # Safety
    ///
    /// As for `GlobalAlloc::alloc_zeroed`.
    unsafe fn try_alloc_zeroed(&self, layout: Layout, tally: Tally<'_>) -> *mut u8 {
        if CpuCache::<S, A>::class_of(layout).is_none() {
            return self.alloc_unlisted_zeroed(layout, tally);
        }
        // SAFETY: the caller's promise; the block is new.
        unsafe {
            let new = NewBlock::dirty(self.try_alloc(layout, tally), layout.size());
            new.clear();
            new.block
        }
    }

    /// Does what `realloc` does.
    ///
    /// # Safety
    ///
    /// As for `GlobalAlloc::realloc`.
    unsafe fn try_realloc(
        &self,
        block: *mut u8,
        layout: Layout,
        new_size: usize,
        tally: Tally<'_>,
    ) -> *mut u8 {
        let Ok(new_layout) = Layout::from_size_align(new_size, layout.align()) else {
            return ptr::null_mut();
        };
        if Granules::holding(new_size) == Some(Granules::of_block(layout.size())) {
            poison::expect_open(block, layout.size());
            poison::resize(block, layout.size(), new_size);
            return block;
        }
        let slot = self.slot();
        tally.step(Step::Cache);
        let mut cache = slot.try_lock();
        let is_cheap = new_size.max(layout.size()) <= CHEAPLY_COPIED;
        let parked = match &mut cache {
            Some(cache) if is_cheap => cache.pop(self.span(), new_layout),
            _ => None,
        };
        if let Some(parked) = parked {
            drop(cache);
            // SAFETY: the caller's promise; the parked block is another one,
            // and of the new size.
            unsafe {
                let new = give(self.span(), parked, new_layout);
                new.copy_from_nonoverlapping(block, layout.size().min(new_size));
                self.try_dealloc(block, layout, tally);
                return new;
            }
        }
        let mut heap = self.shared.try_lock(tally);
        if heap.is_none() {
            if is_cheap {
                // Cheaper than to wait, if there is another block.
                drop(cache.take());
                // SAFETY: the caller's promise; a block that gets null is as
                // it was.
                let new = unsafe { self.realloc_by_copy(block, layout, new_layout, tally) };
                if !new.is_null() {
                    return new;
                }
            }
            heap = self.heap(tally);
        }
        let Some(heap) = heap else {
            return ptr::null_mut();
        };
        // SAFETY: the caller's promise.
        let mut resized = unsafe {
            let front = cache.as_mut().map(|cache| slot.front(cache, tally));
            self.resize(heap, front, block, layout, new_size)
        };
        drop(cache);
        if matches!(resized, Resized::Failed) {
            let again = self.after_reclaiming(tally, |heap| {
                // SAFETY: the caller's promise.
                unsafe { heap.resize(block, layout, new_size, &mut Alone) }
            });
            resized = again.unwrap_or(Resized::Failed);
        }
        match resized {
            Resized::Here(block) => block,
            Resized::Failed => ptr::null_mut(),
            Resized::CopyTo(new) => {
                // SAFETY: the new block is another one; both are the caller's.
                unsafe { new.copy_from_nonoverlapping(block, layout.size().min(new_size)) };
                self.dealloc_moved(block, layout, tally);
                new
            }
        }
    }
}

#[cfg(test)]
mod tests;
