//! The atomics of all locks and lists that CPUs share, in one place, where a
//! model checker puts its own; see `models` in the repository.

/// Whether a model is checked.
pub(crate) const MODEL: bool = cfg!(any(model = "loom", model = "shuttle"));

#[cfg(not(any(model = "loom", model = "shuttle")))]
pub(crate) use core::{
    hint::spin_loop,
    sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicUsize, Ordering},
};

#[cfg(model = "loom")]
pub(crate) use {
    late::{AtomicBool, AtomicPtr, AtomicU32, AtomicUsize},
    loom::{hint::spin_loop, sync::atomic::Ordering},
};

#[cfg(model = "shuttle")]
pub(crate) use shuttle::{
    hint::spin_loop,
    sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicUsize, Ordering},
};

/// Loom's atomics cannot be made in a `const`. These are made when they are
/// used first, which must be before threads share them.
#[cfg(model = "loom")]
mod late {
    extern crate std;

    use core::ops::Deref;
    use std::sync::OnceLock;

    use loom::sync::atomic::{self, Ordering};

    pub type AtomicBool = Late<atomic::AtomicBool>;
    pub type AtomicPtr<T> = Late<atomic::AtomicPtr<T>>;
    pub type AtomicU32 = Late<atomic::AtomicU32>;
    pub type AtomicUsize = Late<atomic::AtomicUsize>;

    #[derive(Debug)]
    pub struct Late<A>(OnceLock<A>);

    impl<A> Late<A> {
        /// An atomic whose first value is the type's default: no other is
        /// asked for.
        pub const fn new(_default: impl Copy) -> Self {
            Self(OnceLock::new())
        }
    }

    impl AtomicBool {
        /// A swap that changes nothing is a load here: loom would take it for
        /// a store that may come after one that the value's last writer made
        /// since, though a swap follows at once what it read.
        pub fn swap(&self, new: bool, order: Ordering) -> bool {
            self.compare_exchange(!new, new, order, Ordering::Relaxed)
                .unwrap_or_else(|old| old)
        }
    }

    impl AtomicU32 {
        /// Loom does not know that a store comes after one whose value was
        /// read before, unless these happen one before the other. So here each
        /// swap happens before the next swap or store.
        pub fn swap(&self, new: u32, order: Ordering) -> u32 {
            let order = match order {
                Ordering::Relaxed => Ordering::Release,
                _ => Ordering::AcqRel,
            };
            (**self).swap(new, order)
        }

        /// See [`swap`](Self::swap).
        pub fn store(&self, new: u32, order: Ordering) {
            let order = match order {
                Ordering::Relaxed => Ordering::Acquire,
                _ => Ordering::AcqRel,
            };
            (**self).swap(new, order);
        }
    }

    impl<A: Default> Deref for Late<A> {
        type Target = A;

        fn deref(&self) -> &A {
            self.0.get_or_init(A::default)
        }
    }
}
