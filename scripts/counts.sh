#!/usr/bin/env bash
# Counts the instructions of the commonest operations, and holds them against those that are stored.
#
#     scripts/counts.sh [check | write]
#
# needs valgrind; without it the script says so and checks nothing. It counts twice: with one codegen
# unit, and in cargo's default release profile, in which inlining hangs on how the compiler cuts the crate.
# `check`, the default, fails if an operation takes more than one percent more than
# coro-bench/instructions.json says; `write` stores what was counted.
set -euo pipefail
cd "$(dirname "$0")/.."

command -v valgrind >/dev/null || {
    echo 'skipped: valgrind is not installed'
    exit 0
}
target=${CARGO_TARGET_DIR:-target}
status=0
for profile in release one-unit; do
    echo "$profile:"
    cargo build --quiet --profile "$profile" -p coro-counts
    "$target/$profile/coro-counts" "${1:-check}" "$profile" || status=1
done
exit $status
