#!/usr/bin/env bash
# Compiles the library, with all its features, and `tests/it` by the oldest Rust that `Cargo.toml`
# promises, which rustup has to have: `rustup toolchain install 1.88`. Without it this says that it is
# skipped. CI runs this.
#
#     scripts/oldest.sh [tests [FILTER]]
#
# With `tests` it also runs `tests/it`, but for the tests of the examples; that takes minutes.
set -euo pipefail
cd "$(dirname "$0")/.."

version=$(sed -n 's/^rust-version = "\([0-9.]*\)".*/\1/p' Cargo.toml)
toolchain=$(rustup toolchain list 2>/dev/null | grep -o "^$version[.-][^ ]*" | head -1) || true
if [ -z "$toolchain" ]; then
    echo "skipped: rustup has no Rust $version here"
    exit 0
fi

# A folder of its own: another compiler would build anew what it finds.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-target}/oldest CARGO_INCREMENTAL=0
cargo "+$toolchain" check --quiet -p coro-rs --all-features
cargo "+$toolchain" check --quiet -p coro-tests --test it
echo "Rust $version compiles the library with all features, and its tests"
if [ "${1:-}" = tests ]; then
    shift
    # Tests of examples start them, and none is built here.
    cargo "+$toolchain" test --quiet --test it -- --skip example --skip cores_kv:: "$@"
fi
