#!/bin/sh
# Prepares a copy of simple-chunk-allocator 0.1.5 that builds with a stable compiler, in target/contenders/.
#
# All versions of the crate are yanked and need a nightly compiler of 2022. A lock file that names the version still
# fetches it; the edits below take away what is unstable and leave the algorithm as it is.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
target=$root/target/contenders/simple_chunk_allocator
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

mkdir -p "$scratch/src"
touch "$scratch/src/lib.rs"
cat >"$scratch/Cargo.toml" <<'TOML'
[package]
name = "scratch"
version = "0.0.0"
edition = "2021"

[dependencies]
simple-chunk-allocator = "=0.1.5"
TOML
cat >"$scratch/Cargo.lock" <<'TOML'
version = 3

[[package]]
name = "scratch"
version = "0.0.0"
dependencies = ["simple-chunk-allocator"]

[[package]]
name = "simple-chunk-allocator"
version = "0.1.5"
source = "registry+https://github.com/rust-lang/crates.io-index"
TOML
cd "$scratch"
cargo fetch --quiet
source=$(cargo metadata --format-version 1 --quiet |
    grep -o '"manifest_path":"[^"]*simple-chunk-allocator-0.1.5[^"]*"' | cut -d'"' -f4 | xargs dirname)/src

# Constructors that are not const, pointer casts for unstable methods, no branch hints, no logging.
mkdir -p "$target"
for file in allocator chunk_cache; do
    sed -e '/^#\[cfg(test)\]/,$d' \
        -e 's/pub const fn new(/pub fn new(/' \
        -e 's/pub const fn new_const(/pub fn new_const(/' \
        -e 's/\.as_mut_ptr()/.as_ptr().cast::<u8>()/g' \
        -e 's/crate::chunk_cache/super::chunk_cache/' \
        -e '/use crate::compiler_hints/d' \
        -e 's/UNLIKELY(/(/g' \
        -e 's/libm::roundf(\(.*\)) \/ 100.0/(\1).round() \/ 100.0/' \
        -e 's/log::\(trace\|debug\|warn\|error\)!/super::quiet!/' \
        "$source/$file.rs" >"$target/$file.rs"
done
cat >"$target/mod.rs" <<'RUST'
macro_rules! quiet {
    ($($anything:tt)*) => {};
}
use quiet;

mod allocator;
mod chunk_cache;

pub use allocator::*;
RUST
echo "prepared $target"
