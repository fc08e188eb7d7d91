#!/usr/bin/env bash
# Draws two of README's pictures anew: a deadlock by Graphviz, and a shrunk run. The third, of speed, is
# written by `coro-bench --report`.
set -euo pipefail
cd "$(dirname "$0")/.."
pictures=docs/pictures

cargo run --quiet --example stuck -- --dot | dot -Tsvg >"$pictures/deadlock.svg"
cargo run --quiet --features simulation --example retrying_client -- "$pictures/run.svg" >/dev/null
