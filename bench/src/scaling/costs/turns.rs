//! Two threads that take turns, each on a core of its own: what one does finds in the other's cache what it needs, but
//! nobody ever waits for a lock.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::Result;

use crate::workload::crew;

/// Has each of two threads `take` its turn on `state`, so often.
pub fn run<S: Send>(
    cores: &[usize],
    turns: usize,
    state: S,
    take: impl Fn(usize, &mut S) + Sync,
) -> Result<S> {
    let state = Mutex::new(state);
    let turn = AtomicUsize::new(0);
    crew::run(cores, 2, |member, start| {
        start.wait();
        for number in 0..turns {
            while turn.load(Ordering::Acquire) != 2 * number + member {
                spin_loop();
            }
            take(
                member,
                &mut state.lock().unwrap_or_else(PoisonError::into_inner),
            );
            turn.store(2 * number + member + 1, Ordering::Release);
        }
    })?;
    Ok(state.into_inner().unwrap_or_else(PoisonError::into_inner))
}
