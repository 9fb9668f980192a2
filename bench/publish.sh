#!/bin/sh
# Writes BENCHMARKS.md, and the plots that it shows, from the results of one or several runs:
#
#   bench/publish.sh target/galloc-bench
#
# What the page says of the figures in words is in benchmarks.head.md, and has to be looked through by hand.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# With all contenders, whose rows are left out otherwise.
cargo run --release --quiet -p galloc-bench --features jemalloc,snmalloc -- report "$@" --out "$scratch"
mkdir -p "$root/bench/plots"
for plot in time-and-space trace-time trace-region random-actions heap-exhaustion fill churn talc-loads threads; do
    if [ -e "$scratch/$plot.svg" ]; then
        cp "$scratch/$plot.svg" "$root/bench/plots/"
    fi
done
cat "$root/bench/benchmarks.head.md" "$scratch/tables.md" >"$root/BENCHMARKS.md"
