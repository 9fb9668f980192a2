#!/usr/bin/env bash
# The table of what galloc's two constants mean: size, speed and memory on recorded programs.
#
#   bench/constants.sh [options of galloc-bench, such as -r 5]
set -euo pipefail
cd "$(dirname "$0")/.."

contenders=talc,galloc,galloc-256x2,galloc-512x4,galloc-512x8
for smallbins in 0 8 32 64 128; do
    for sub_bins in 2 4 8; do
        contenders+=,galloc-${smallbins}x$sub_bins
    done
done
cargo run --release -p galloc-bench --features settings -- \
    -w trace-time,trace-region,state -c "$contenders" -o target/constants "$@"
