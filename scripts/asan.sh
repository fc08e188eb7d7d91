#!/usr/bin/env bash
# Runs the tests under AddressSanitizer.
#
#     scripts/asan.sh [FILTER]
#
# uses a nightly toolchain if there is one, or else the stable one with its unstable options opened.
# What generators and tasks do behind the type system, slots found through wakers, frames and cells
# found through pointers, is exactly what the sanitizer watches: a use of freed memory ends the run.
# Leaks are reported too, but for the tests of the loop, some of which forget things on purpose.
# FILTER picks tests of `tests/it` by name; without it all run but those of the examples (also `cores_kv`,
# which starts one), of the layout, of the depth of a stack and of the
# memory of a process, of both of which the sanitizer needs several times as much.
set -euo pipefail
cd "$(dirname "$0")/.."

toolchain=()
if cargo +nightly --version >/dev/null 2>&1; then
    toolchain=(+nightly)
else
    export RUSTC_BOOTSTRAP=1
fi

host=$(rustc -vV | sed -n 's/^host: //p')
export RUSTFLAGS="-Zsanitizer=address ${RUSTFLAGS:-}"
export ASAN_OPTIONS="detect_stack_use_after_return=1:${ASAN_OPTIONS:-}"

if [ $# -gt 0 ]; then
    exec cargo "${toolchain[@]}" test --target "$host" --test it -- "$@"
fi
cargo "${toolchain[@]}" test --target "$host" -p coro-rs-core --lib
cargo "${toolchain[@]}" test --target "$host" --test it -- generator --skip example --skip forgotten
cargo "${toolchain[@]}" test --target "$host" --test it -- scope --skip forgotten
export ASAN_OPTIONS="$ASAN_OPTIONS:detect_leaks=0"
exec cargo "${toolchain[@]}" test --target "$host" --test it -- --skip example --skip cores_kv:: \
    --skip layout:: --skip depth:: --skip large:: --skip process_load::
