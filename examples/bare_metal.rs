//! All that a program without an operating system needs to have a heap: one
//! `static`. `Box`, `Vec`, `String` and the collections of `alloc` then work
//! as anywhere.
//!
//! ```text
//! cargo build --release --example bare_metal --target thumbv7em-none-eabi
//! cargo run --example bare_metal
//! ```
//!
//! The second command runs the same heap under an operating system, to try it
//! out.

#![cfg_attr(target_os = "none", no_std, no_main)]

extern crate alloc;

use alloc::{collections::BTreeMap, format, string::String};

use good_memory_allocator::StaticHeap;

#[global_allocator]
static HEAP: StaticHeap<{ 64 << 10 }> = StaticHeap::new();

fn work() -> String {
    let squares: BTreeMap<u32, u32> = (1..=5).map(|number| (number, number * number)).collect();
    format!("{squares:?}, with {} bytes live", HEAP.stats().live)
}

/// Where the machine begins; a real one would print to its serial port.
#[cfg(target_os = "none")]
#[unsafe(no_mangle)]
extern "C" fn _start() -> ! {
    core::hint::black_box(work());
    loop {
        core::hint::spin_loop();
    }
}

/// An exhausted heap ends here too.
#[cfg(target_os = "none")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {
        core::hint::spin_loop();
    }
}

#[cfg(not(target_os = "none"))]
fn main() {
    println!("{}", work());
}
