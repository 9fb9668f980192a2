//! Recording what a program allocates.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::convert::convert;
use super::file;

/// The variable that tells the recording library where to write.
const VARIABLE: &str = "GALLOC_RECORD";

/// Runs a program with its arguments, and writes its trace. If it starts other programs, or becomes another, as wrappers do,
/// the trace is of the one that allocates most.
pub fn record(program: &[OsString], trace: &Path) -> Result<()> {
    let (name, arguments) = program.split_first().context("no program to record")?;
    let recordings = tempfile::tempdir()?;
    let status = Command::new(name)
        .args(arguments)
        .env("LD_PRELOAD", library()?)
        .env(VARIABLE, recordings.path())
        .status()
        .with_context(|| format!("cannot run {}", name.display()))?;
    if !status.success() {
        eprintln!("the program ended with {status}; what it did until then is recorded");
    }
    let ops = convert(&largest(recordings.path())?)?;
    ensure!(
        !ops.is_empty(),
        "the program allocated nothing that the C library knows of; is it statically linked?"
    );
    fs::write(trace, file::pack(&ops, trace)?)?;
    println!("recorded {} operations in {}", ops.len(), trace.display());
    Ok(())
}

/// The longest of the recordings; nothing if there is none.
fn largest(recordings: &Path) -> Result<Vec<u8>> {
    let mut largest = Vec::new();
    for entry in fs::read_dir(recordings)? {
        let entry = entry?;
        if entry.metadata()?.len() > largest.len() as u64 {
            largest = fs::read(entry.path())?;
        }
    }
    Ok(largest)
}

/// Builds the recording library, unless that was done before.
fn library() -> Result<PathBuf> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("../preload");
    let target = package.join("target");
    let status = Command::new(env::var_os("CARGO").unwrap_or("cargo".into()))
        .args(["build", "--release", "--quiet", "--manifest-path"])
        .arg(package.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&target)
        .status()
        .context("cannot run cargo to build the recording library")?;
    ensure!(status.success(), "cannot build the recording library");
    Ok(target.join("release/libgalloc_record.so").canonicalize()?)
}
