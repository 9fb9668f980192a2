//! A kernel for x86_64 that has galloc as its heap: on several CPUs at once,
//! and in their interrupt handlers. `scripts/kernel` builds it and boots it in
//! QEMU.
//!
//! What a kernel needs for its heap is in `heap.rs` and `masking_lock.rs`, and
//! of `cpu.rs` how a CPU knows its number and that it is in a handler. What is
//! in `loads` tests the heap, and measures it beside others. All else gets the
//! machine so far.
//!
//! It is built by a stable toolchain for Linux on x86_64, whose compiled
//! `core` and `alloc` do not need Linux; `runtime.rs` and `interrupts.rs` say
//! what they do need.

#![no_std]
#![no_main]

extern crate alloc;

mod apic;
mod cpu;
mod cpus;
mod heap;
mod interrupts;
mod loads;
mod masking_lock;
mod memory_map;
mod port;
mod runtime;
mod serial;

use heap::HEAP;
use memory_map::StartInfo;
use serial::println;

/// Called by `boot.s` on every CPU, with an index that counts up from 0. Only
/// the first one has the loader's start info.
#[unsafe(no_mangle)]
extern "C" fn start(info: Option<&StartInfo>, index: usize) -> ! {
    cpu::set_index(index);
    interrupts::install();
    apic::enable();
    if let Some(info) = info {
        port::mask_old_interrupts();
        let memory = info.largest_usable();
        println!(
            "CPUs: {}, memory: {} KiB at {:#x}",
            port::count_cpus(),
            memory.len() >> 10,
            memory.start
        );
        // SAFETY: the memory is usable, and not the kernel's own.
        unsafe { heap::init(memory) };
        cpus::start_others();
    }
    cpus::meet();
    loads::run();
    cpus::meet();
    if index == 0 {
        port::exit(true);
    }
    cpu::stop()
}
