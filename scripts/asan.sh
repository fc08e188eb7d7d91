#!/bin/sh
# Runs the tests of the generators under AddressSanitizer.
#
#     scripts/asan.sh [FILTER]
#
# needs a nightly toolchain (`rustup toolchain install nightly`). What the generators do behind the
# type system, a slot on the stack found through a waker and a chain of frames found through pointers,
# is exactly what the sanitizer watches: a use after the slot or the frame is gone ends the run. Leaks
# are reported too. FILTER picks tests by name; without it all tests of `tests/it` whose names begin
# with `generator` run.
set -eu
cd "$(dirname "$0")/.."

host=$(rustc -vV | sed -n 's/^host: //p')
export RUSTFLAGS="-Zsanitizer=address ${RUSTFLAGS:-}"
export ASAN_OPTIONS="detect_stack_use_after_return=1:${ASAN_OPTIONS:-}"

exec cargo +nightly test --target "$host" --test it "${1:-generator}"
