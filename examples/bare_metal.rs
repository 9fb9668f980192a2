//! The whole setup of a heap in a program without an operating system: one
//! `static`. `Box`, `Vec`, `String` and the collections of `alloc` then work
//! as anywhere.
//!
//! ```text
//! cargo build --release --example bare_metal --target thumbv7em-none-eabi
//! cargo run --example bare_metal
//! ```
//!
//! The second command runs it where there is an operating system, so that it
//! can be tried out.

#![cfg_attr(target_os = "none", no_std, no_main)]

extern crate alloc;

use alloc::{collections::BTreeMap, format, string::String};

use good_memory_allocator::StaticHeap;

#[global_allocator]
static HEAP: StaticHeap<{ 64 << 10 }> = StaticHeap::new();

/// What the program is for.
fn work() -> String {
    let squares: BTreeMap<u32, u32> = (1..=5).map(|number| (number, number * number)).collect();
    format!("{squares:?}, with {} bytes live", HEAP.stats().live)
}

/// Where the machine begins. A real one would print to its serial port.
#[cfg(target_os = "none")]
#[unsafe(no_mangle)]
extern "C" fn _start() -> ! {
    core::hint::black_box(work());
    loop {}
}

/// Out of memory ends here too, as `alloc` panics when the heap is exhausted.
#[cfg(target_os = "none")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}

#[cfg(not(target_os = "none"))]
fn main() {
    println!("{}", work());
}
