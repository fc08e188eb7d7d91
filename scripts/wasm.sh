#!/usr/bin/env bash
# Runs generators as WebAssembly, under node: builds tests/wasm and calls each function that it exports.
# Needs node, and the standard library for wasm32-unknown-unknown or, as `scripts/platforms.sh tools`
# gets it, its source; without them it says that it is skipped.
set -euo pipefail
cd "$(dirname "$0")/.."

skip() {
    echo "skipped: $*"
    exit 0
}

target=wasm32-unknown-unknown
toolchain=${PLATFORMS:-$PWD/target/platforms}/toolchain
command -v node >/dev/null || skip 'there is no node'

build=(cargo build --quiet --manifest-path tests/wasm/Cargo.toml --target "$target" --target-dir target/wasm)
if [ -d "$(rustc --print sysroot)/lib/rustlib/$target/lib" ]; then
    "${build[@]}"
elif [ -d "$toolchain/lib/rustlib/src/rust/library" ]; then
    PATH=$toolchain/bin:$PATH RUSTC=$toolchain/bin/rustc RUSTC_BOOTSTRAP=1 \
        "${build[@]}" -Zbuild-std=std,panic_abort
else
    skip "there is no standard library for $target"
fi

node - "target/wasm/$target/debug/wasm.wasm" <<'END'
const expected = {
    iterated: 10, resumed: 15, recursive: 1024, adapted: 233168, awaited: 206, dropped: 3,
};
const bytes = require("node:fs").readFileSync(process.argv[2]);
const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
const functions = Object.keys(exports).filter((name) => typeof exports[name] === "function");
let failed = functions.length === Object.keys(expected).length ? 0 : 1;
for (const name of functions) {
    const given = exports[name]();
    console.log(`${given === expected[name] ? "ok  " : "FAIL"} ${name}: ${given}`);
    failed += given === expected[name] ? 0 : 1;
}
process.exit(failed > 0 ? 1 : 0);
END
