#!/usr/bin/env bash
# Runs the tests under AddressSanitizer.
#
#     scripts/asan.sh [FILTER]
#
# needs a nightly toolchain (`rustup toolchain install nightly`). What generators and tasks do behind
# the type system, slots found through wakers, frames and cells found through pointers, is exactly
# what the sanitizer watches: a use of what is gone ends the run. Leaks are reported too, but for the
# tests of the loop, some of which forget things on purpose. FILTER picks tests of `tests/it` by name;
# without it all run but those of the examples and the layout.
set -euo pipefail
cd "$(dirname "$0")/.."

host=$(rustc -vV | sed -n 's/^host: //p')
export RUSTFLAGS="-Zsanitizer=address ${RUSTFLAGS:-}"
export ASAN_OPTIONS="detect_stack_use_after_return=1:${ASAN_OPTIONS:-}"

if [ $# -gt 0 ]; then
    exec cargo +nightly test --target "$host" --test it -- "$@"
fi
cargo +nightly test --target "$host" -p coro-rs-core --lib
cargo +nightly test --target "$host" --test it -- generator --skip example
cargo +nightly test --target "$host" --test it -- scope --skip forgotten
export ASAN_OPTIONS="$ASAN_OPTIONS:detect_leaks=0"
exec cargo +nightly test --target "$host" --test it -- --skip example --skip layout::
