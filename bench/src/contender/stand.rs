//! Where a contender stands: in a `static`, as a global allocator does.

use core::cell::UnsafeCell;

/// A `static` place for an allocator that can be put back into its first state.
pub struct Stand<A>(UnsafeCell<A>);

// SAFETY: `replace` is called only while nobody else uses the contender; all else goes through a shared reference.
unsafe impl<A: Sync> Sync for Stand<A> {}

impl<A> Stand<A> {
    pub const fn new(allocator: A) -> Self {
        Self(UnsafeCell::new(allocator))
    }

    #[inline]
    pub fn get(&self) -> &A {
        // SAFETY: the only exclusive access is in `replace`, whose caller promises that it is alone.
        unsafe { &*self.0.get() }
    }

    /// Forgets the allocator that stood here, with all its blocks, and puts `fresh` in its place.
    ///
    /// # Safety
    /// No other thread uses the contender, and nobody holds a reference from `get`.
    pub unsafe fn replace(&self, fresh: A) -> &A {
        // SAFETY: the caller promises that there is no other access.
        unsafe { self.0.get().write(fresh) };
        self.get()
    }
}
