#!/usr/bin/env bash
# Counts what an editor completes in half-typed coroutines: opens a small program in rust-analyzer and
# asks at the cursor of each of 41 situations, for each form of the attributes. Fails if a form answers
# fewer than its number below. Needs python3, and rust-analyzer with the sources of std:
# `rustup component add rust-analyzer rust-src`.
#
#     scripts/editor.sh [PATH OF RUST-ANALYZER]
set -euo pipefail
cd "$(dirname "$0")/.."
ANALYZER=${1:-rust-analyzer}
if ! "$ANALYZER" --version > /dev/null 2>&1; then
    echo "skipped: no rust-analyzer here (rustup component add rust-analyzer rust-src)"
    exit 0
fi
PROGRAM=target/editor
mkdir -p "$PROGRAM/src"
cat > "$PROGRAM/Cargo.toml" <<MANIFEST
[package]
name = "half-typed"
version = "0.0.0"
edition = "2024"

[dependencies]
coro-rs = { path = "$PWD" }

[workspace]
MANIFEST
echo "fn main() {}" > "$PROGRAM/src/main.rs"
cp Cargo.lock "$PROGRAM/Cargo.lock"
exec python3 scripts/editor.py "$ANALYZER" "$PROGRAM"
