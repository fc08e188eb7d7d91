#!/usr/bin/env bash
# Pastes each program of README.md and of the guide, as it stands, into a package of its own that depends
# on coro, and compiles them all; prints how many there are. A program that is a test becomes a file of
# `tests/`. The doctests run the same programs, but as rustdoc prepares them.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
package=$root/target/pasted
rm -rf "$package"
mkdir -p "$package"/{src/bin,tests}
cp Cargo.lock "$package/"
{
    printf '[package]\nname = "pasted"\nedition = "2024"\n\n[workspace]\n\n[lints.rust]\nwarnings = "deny"\n\n[dependencies]\n'
    printf 'coro-rs = { path = "%s", features = ["simulation", "tls"] }\n' "$root"
    # The crates that pages say they use, as our own tests have them.
    grep -E '^(itertools|rayon|rcgen|rustix) = ' tests/Cargo.toml
    printf 'futures = "0.3"\ntracing = "0.1"\n'
} >"$package/Cargo.toml"

count=0
for page in README.md docs/guide/*.md; do
    name=$(basename "$page" .md | tr 'A-Z' 'a-z')
    [ "$page" = README.md ] && name=front
    awk -v start="$package/$name" '
        /^```rust/ { inside = 1; number += 1; file = start "_" number ".rs"; next }
        /^```/ { if (inside) close(file); inside = 0; next }
        inside { print > file }
    ' "$page"
done
for program in "$package"/*.rs; do
    if grep -q 'fn main()' "$program"; then
        mv "$program" "$package/src/bin/"
    else
        mv "$program" "$package/tests/"
    fi
    count=$((count + 1))
done
echo "$count programs"
CARGO_TARGET_DIR=$root/target cargo check --quiet --manifest-path "$package/Cargo.toml" --all-targets
echo 'all compile as they were pasted'
