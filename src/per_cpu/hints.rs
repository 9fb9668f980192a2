//! Whose outbox may have something.

use super::tally::{Step, Tally};
use crate::{
    cache::Class,
    sync::{AtomicU32, Ordering},
};

/// For each list a bit for every CPU, the same for each 32nd, that is set when
/// it puts something out, and cleared by one who looked there in vain.
///
/// A bit may be wrong: a chain that nobody is told of stays where it is until
/// its own CPU takes it, or puts out more, or a request that would fail takes
/// back everything.
#[derive(Debug)]
#[repr(align(128))]
pub(super) struct Hints<const S: usize, const A: usize>([[AtomicU32; A]; S]);

impl<const S: usize, const A: usize> Hints<S, A> {
    pub const fn none() -> Self {
        Self([const { [const { AtomicU32::new(0) }; A] }; S])
    }

    fn of(&self, class: Class) -> &AtomicU32 {
        &self.0[class.size][class.alignment]
    }

    /// Says that a CPU has put something out. Where that is known, nothing is
    /// written, as when the same CPU always takes what the same one frees.
    pub fn set(&self, class: Class, cpu: usize) {
        let bit = 1 << (cpu as u32 % u32::BITS);
        if self.of(class).load(Ordering::Relaxed) & bit == 0 {
            self.of(class).fetch_or(bit, Ordering::Relaxed);
        }
    }

    /// Calls `look` with CPUs that may have put something out, `most` of them
    /// and the next ones to `cpu` first, until it finds something.
    pub fn find<T>(
        &self,
        class: Class,
        cpu: usize,
        cpus: usize,
        most: usize,
        tally: Tally<'_>,
        look: impl Fn(usize) -> Option<T>,
    ) -> Option<T> {
        let first = cpu as u32;
        let mut bits = self.of(class).load(Ordering::Relaxed).rotate_right(first);
        let mut looks = 0;
        while bits != 0 {
            tally.step(Step::Hint);
            let bit = (bits.trailing_zeros() + first) % u32::BITS;
            for told in (bit as usize..cpus).step_by(u32::BITS as usize) {
                if looks == most {
                    return None;
                }
                looks += 1;
                let found = look(told);
                if found.is_some() {
                    return found;
                }
            }
            self.of(class).fetch_and(!(1 << bit), Ordering::Relaxed);
            bits &= bits - 1;
        }
        None
    }
}
