//! The CPU that a model's thread runs on.

use std::cell::Cell;

use good_memory_allocator::CurrentCpu;

use crate::checker::thread_local;

thread_local! {
    static CPU: Cell<usize> = Cell::new(0);
    static STEP: Cell<usize> = Cell::new(0);
    static IN_INTERRUPT: Cell<bool> = Cell::new(false);
}

/// Each thread runs on the CPU that the model has put it on.
#[derive(Debug)]
pub struct ByModel<const LOCK_MASKS: bool = false>;

impl<const LOCK_MASKS: bool> CurrentCpu for ByModel<LOCK_MASKS> {
    const LOCK_MASKS_INTERRUPTS: bool = LOCK_MASKS;

    fn index() -> usize {
        let index = CPU.with(Cell::get);
        CPU.with(|cpu| cpu.set(index + STEP.with(Cell::get)));
        index
    }

    fn in_interrupt() -> bool {
        is_in_interrupt()
    }
}

/// Does something on a CPU.
pub fn on_cpu<T>(number: usize, act: impl FnOnce() -> T) -> T {
    let before = CPU.with(|cpu| cpu.replace(number));
    let done = act();
    CPU.with(|cpu| cpu.set(before));
    done
}

/// Lets this thread go on by so many CPUs whenever it asks for its own.
pub fn wander_by(step: usize) {
    STEP.with(|cell| cell.set(step));
}

pub fn is_in_interrupt() -> bool {
    IN_INTERRUPT.with(Cell::get)
}

/// Does something as an interrupt handler.
pub fn in_interrupt(act: impl FnOnce()) {
    IN_INTERRUPT.with(|cell| cell.set(true));
    act();
    IN_INTERRUPT.with(|cell| cell.set(false));
}
