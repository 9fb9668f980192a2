# shellcheck shell=bash
# What the scripts share: where things are, how they speak, and which compiler they use.
# To be sourced, not run.

set -euo pipefail

# The root of the repository; every script works from there.
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$ROOT"

# Where `scripts/setup` unpacks compilers: outside the tree, shared by all clones.
# shellcheck disable=SC2034  # used where this is sourced
TOOLCHAINS=${XDG_CACHE_HOME:-$HOME/.cache}/galloc

# Where builds go. Compilers other than the default one get folders of their own in it.
TARGET_DIR=${CARGO_TARGET_DIR:-$ROOT/target}
[[ $TARGET_DIR = /* ]] || TARGET_DIR=$ROOT/$TARGET_DIR

say() { printf '%s\n' "$*"; }
headline() { printf '\n== %s\n' "$*"; }
die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# Runs a command after showing it.
run() {
    printf '+ %s\n' "$*"
    "$@"
}

# The oldest supported compiler, as the manifest states it ("1.85").
msrv_version() {
    local version
    version=$(sed -n 's/^rust-version *= *"\([0-9.]*\)".*/\1/p' Cargo.toml | head -n 1)
    [[ $version =~ ^1\.[0-9]+$ ]] || die "Cargo.toml: expected a line like rust-version = \"1.85\", found '$version'"
    printf '%s\n' "$version"
}

# Whether rustup has a toolchain of this name ("1.85", "nightly").
rustup_has() {
    command -v rustup >/dev/null || return 1
    local installed
    installed=$(rustup toolchain list)
    grep -Eq "^${1//./\\.}(\.[0-9]+)?(-|\$| )" <<<"$installed"
}

# Points cargo at a compiler that `scripts/setup` unpacked in the given folder.
use_unpacked_rust() {
    export RUSTC=$1/bin/rustc RUSTDOC=$1/bin/rustdoc
}
