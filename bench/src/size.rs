//! How much code an allocator takes: the text of a program that is nothing else, optimised for size.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::iter;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use object::{Object, ObjectSection, SectionKind};

/// The contenders that the program can be built with, each a feature of it.
const PROGRAMS: [&str; 7] = [
    "galloc",
    "galloc-0x2",
    "galloc-tiny",
    "talc",
    "rlsf",
    "linked-list",
    "buddy",
];
const WASM: &str = "wasm32-unknown-unknown";

/// A compiler for WebAssembly.
struct WasmCompiler {
    /// The one that `scripts/setup source` unpacks and that builds the library itself, if the usual one has none.
    from_source: Option<PathBuf>,
}

/// Prints the sizes on the host and, if there is a compiler for it, on WebAssembly.
pub fn print() -> Result<()> {
    let wasm = WasmCompiler::find()?;
    if wasm.is_none() {
        println!(
            "left out: {WASM} (the compiler has no library for it; 'rustup target add {WASM}' or 'scripts/setup source')"
        );
    }
    println!("bytes of code with alloc, dealloc and realloc, without a lock, optimised for size:");
    for program in PROGRAMS {
        let host = text(&build(program, None)?)?;
        let wasm = match &wasm {
            Some(compiler) => text(&build(program, Some(compiler))?)?.to_string(),
            None => "–".to_owned(),
        };
        println!("  {program:12} host {host:6}  wasm32 {wasm:>6}");
    }
    Ok(())
}

impl WasmCompiler {
    fn find() -> Result<Option<Self>> {
        if library(Some(WASM))?.exists() {
            return Ok(Some(Self { from_source: None }));
        }
        let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        let cache = cache.or_else(|| Some(env::home_dir()?.join(".cache")));
        let compiler = cache.map(|cache| cache.join("galloc/rust-with-source/bin/rustc"));
        Ok(compiler.filter(|file| file.exists()).map(|compiler| Self {
            from_source: Some(compiler),
        }))
    }

    /// Has cargo build for WebAssembly.
    fn choose(&self, cargo: &mut Command) -> Result<()> {
        cargo.args(["--target", WASM]);
        if let Some(compiler) = &self.from_source {
            // The linker is the usual compiler's.
            let tools = library(None)?.with_file_name("bin");
            let path = env::var_os("PATH").unwrap_or_default();
            let path = env::join_paths(iter::once(tools).chain(env::split_paths(&path)))?;
            cargo
                .arg("-Zbuild-std=core,alloc")
                .env("RUSTC", compiler)
                .env("RUSTC_BOOTSTRAP", "1")
                .env("PATH", path);
        }
        Ok(())
    }
}

/// Where the compiler has its library for a target, or for the host.
fn library(target: Option<&str>) -> Result<PathBuf> {
    let mut command = Command::new("rustc");
    command.args(["--print", "target-libdir"]);
    if let Some(target) = target {
        command.args(["--target", target]);
    }
    let output = command.output().context("cannot run rustc")?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().into())
}

fn cargo() -> OsString {
    env::var_os("CARGO").unwrap_or("cargo".into())
}

/// Builds the program with one contender; the file that comes out.
fn build(program: &str, wasm: Option<&WasmCompiler>) -> Result<PathBuf> {
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
    if let Some(compiler) = wasm {
        compiler.choose(&mut command)?;
    }
    ensure!(
        command.status().context("cannot run cargo")?.success(),
        "cannot build {program}"
    );
    Ok(match wasm {
        Some(_) => folder.join(WASM).join("release/galloc_bench_size.wasm"),
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
