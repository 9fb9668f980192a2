//! How much code an allocator takes: the text of a program that is nothing else, optimised for size.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use object::{Object, ObjectSection, SectionKind};

/// The contenders that the program can be built with, each a feature of it.
const PROGRAMS: [&str; 6] = [
    "galloc",
    "galloc-0x2",
    "talc",
    "rlsf",
    "linked-list",
    "buddy",
];
const WASM: &str = "wasm32-unknown-unknown";

/// Prints the sizes on the host and, if the compiler can build for it, on WebAssembly.
pub fn print() -> Result<()> {
    let wasm = has_wasm()?;
    if !wasm {
        println!("left out: {WASM} (the compiler has no library for it; rustup target add {WASM})");
    }
    println!("bytes of code with alloc, dealloc and realloc, without a lock, optimised for size:");
    for program in PROGRAMS {
        let host = text(&build(program, None)?)?;
        let wasm = if wasm {
            text(&build(program, Some(WASM))?)?.to_string()
        } else {
            "–".to_owned()
        };
        println!("  {program:12} host {host:6}  wasm32 {wasm:>6}");
    }
    Ok(())
}

fn cargo() -> OsString {
    env::var_os("CARGO").unwrap_or("cargo".into())
}

fn has_wasm() -> Result<bool> {
    let output = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", WASM])
        .output()?;
    Ok(Path::new(String::from_utf8_lossy(&output.stdout).trim()).exists())
}

/// Builds the program with one contender; the file that comes out.
fn build(program: &str, target: Option<&str>) -> Result<PathBuf> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("size");
    let folder = package.join("target");
    let mut command = Command::new(cargo());
    command.args([
        "build",
        "--release",
        "--quiet",
        "--features",
        program,
        "--manifest-path",
    ]);
    command
        .arg(package.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&folder)
        .stdin(Stdio::null());
    if let Some(target) = target {
        command.args(["--target", target]);
    }
    ensure!(
        command.status().context("cannot run cargo")?.success(),
        "cannot build {program}"
    );
    Ok(match target {
        Some(target) => folder.join(target).join("release/galloc_bench_size.wasm"),
        None => folder.join("release/libgalloc_bench_size.so"),
    })
}

/// The bytes of its code.
fn text(file: &Path) -> Result<u64> {
    let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let object = object::File::parse(bytes.as_slice())?;
    let text = object
        .sections()
        .filter(|section| section.kind() == SectionKind::Text);
    Ok(text.map(|section| section.size()).sum())
}
