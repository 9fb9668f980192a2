//! Which CPU it is that runs.

/// Tells which CPU it is that runs, for a [`PerCpuAllocator`](crate::PerCpuAllocator).
///
/// ```
/// use good_memory_allocator::CurrentCpu;
///
/// /// Reads the number that this kernel keeps in each CPU's GS segment.
/// # #[cfg(target_arch = "x86_64")]
/// struct ByGs;
///
/// # #[cfg(target_arch = "x86_64")]
/// impl CurrentCpu for ByGs {
///     fn index() -> usize {
///         let index: usize;
///         // SAFETY: GS points to the CPU's own block, whose second word is
///         // its number.
///         unsafe {
///             core::arch::asm!("mov {}, gs:[8]", out(reg) index,
///                 options(nostack, preserves_flags, readonly));
///         }
///         index
///     }
/// }
/// ```
///
/// On AArch64 it would read `TPIDR_EL1`, on RISC-V the hart's number from
/// `tp`; in a hosted program, a number that each thread was given, or
/// `sched_getcpu`.
pub trait CurrentCpu {
    /// Whether the shared heap's lock masks interrupts while it is held, so
    /// that an interrupt handler may wait for it.
    const LOCK_MASKS_INTERRUPTS: bool = false;

    /// The number of the CPU, or any other: it is taken modulo the number of
    /// caches. It chooses a cache that is likely to be free and warm, and
    /// nothing more depends on it, so it may be out of date when it is used,
    /// and 0 for all before CPUs have numbers.
    fn index() -> usize;

    /// Whether the caller is in an interrupt handler or the like: it may have
    /// interrupted someone who holds a cache or the lock, and must not wait.
    fn in_interrupt() -> bool {
        false
    }
}
