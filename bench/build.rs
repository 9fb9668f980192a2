//! Notes the compiler, and finds out whether somebody prepared the contender whose crate is yanked.

use std::env;
use std::path::Path;
use std::process::Command;

fn main() {
    let prepared = Path::new("../target/contenders/simple_chunk_allocator/mod.rs");
    println!("cargo::rustc-check-cfg=cfg(simple_chunk)");
    println!("cargo::rerun-if-changed={}", prepared.display());
    if prepared.exists() {
        println!("cargo::rustc-cfg=simple_chunk");
    }

    let compiler = env::var("RUSTC").unwrap_or("rustc".to_owned());
    let version = Command::new(compiler).arg("--version").output();
    let version = version.map_or(Vec::new(), |output| output.stdout);
    println!(
        "cargo::rustc-env=COMPILER={}",
        String::from_utf8_lossy(&version).trim()
    );
}
