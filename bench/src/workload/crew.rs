//! Several threads that start together, each on a core of its own as far as there are enough.

use std::sync::Barrier;
use std::thread;

use anyhow::{Result, anyhow};

use crate::machine::{core_pin::pin, thread_number};

/// Runs `work` in so many threads. Each gets its number, and the barrier that it waits at when it is ready.
pub fn run<T: Send>(
    cores: &[usize],
    threads: usize,
    work: impl Fn(usize, &Barrier) -> T + Sync,
) -> Result<Vec<T>> {
    let start = Barrier::new(threads);
    let member = |number: usize| {
        // The last core first, as it is the one that single threads run on.
        if let Some(core) = cores.iter().rev().cycle().nth(number) {
            pin(*core)?;
        }
        thread_number::set(number);
        anyhow::Ok(work(number, &start))
    };
    thread::scope(|scope| {
        let handles: Vec<_> = (0..threads)
            .map(|number| {
                scope.spawn({
                    let member = &member;
                    move || member(number)
                })
            })
            .collect();
        let join = |handle: thread::ScopedJoinHandle<'_, Result<T>>| {
            handle.join().map_err(|_| anyhow!("a thread panicked"))?
        };
        handles.into_iter().map(join).collect()
    })
}
