#!/usr/bin/env bash
# Tries every interleaving of what threads can do to a task: clone, drop and wake its wakers while
# it ends or the loop falls asleep; to the seats of a group, while members leave and others enter; and to
# a channel between threads, while one side waits, takes values or goes.
# Needs a stable toolchain; takes a minute or two. An argument picks tests by name.
set -euo pipefail
cd "$(dirname "$0")/.."
export RUSTFLAGS="--cfg loom"
export LOOM_MAX_PREEMPTIONS="${LOOM_MAX_PREEMPTIONS:-3}"
exec cargo test -p coro-rs-core --lib --release --target-dir target/loom "${@:-interleavings}"
