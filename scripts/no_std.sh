#!/bin/sh
# Builds a program without std on top of the generators, without and with alloc: it does not compile when
# anything below it links std.
set -eu
cd "$(dirname "$0")/.."

for features in "" "alloc"; do
    cargo build --manifest-path tests/no_std/Cargo.toml \
        --target-dir "${CARGO_TARGET_DIR:-target}/no_std" --features "$features"
done
