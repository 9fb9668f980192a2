//! Finds out whether somebody prepared the contender whose crate is yanked.

use std::path::Path;

fn main() {
    let prepared = Path::new("../target/contenders/simple_chunk_allocator/mod.rs");
    println!("cargo::rustc-check-cfg=cfg(simple_chunk)");
    println!("cargo::rerun-if-changed={}", prepared.display());
    if prepared.exists() {
        println!("cargo::rustc-cfg=simple_chunk");
    }
}
