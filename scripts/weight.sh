#!/usr/bin/env bash
# Counts the crates that a program compiles which depends on coro, by features, and those of the example
# that a newcomer runs first. Compiles nothing. Fails if there are more than promised in coro-bench/README.md
# ("Weight"), or if a feature of a crate is on that takes seconds to compile.
set -euo pipefail
cd "$(dirname "$0")/.."
failed=0

# crates NAME MOST ARGUMENTS..: counts the crates that `cargo tree` lists, those of build scripts and our own
# included.
crates() {
    local name=$1 most=$2 count
    shift 2
    count=$(cargo tree --quiet --locked -p coro-rs --prefix none --format '{p}' "$@" |
        sed 's/ (\*)$//' | sort -u | grep -c .)
    printf '%-44s %3d crates, of at most %d\n' "$name" "$count" "$most"
    [ "$count" -le "$most" ] || failed=1
}

crates 'generators alone, with boxes' 8 -e normal,build --no-default-features --features alloc
crates 'the loop without sockets and processes' 11 -e normal,build --no-default-features --features std
crates 'everything that is on by default' 27 -e normal,build
crates 'cargo run --example tour' 35 -e normal,build,dev

# light PATTERN ARGUMENTS..: fails if one of these features of rustix is on, or of ours.
light() {
    local pattern=$1 heavy
    shift
    # `{f}` names all features that are on. The edges of `-e features` lack those that our own features
    # turn on.
    heavy=$(cargo tree --quiet --locked -p coro-rs -e normal --prefix none --format '{p} {f}' "$@" |
        sed -nE 's/ \(\*\)$//; s/^(rustix|coro-rs-core) .* /\1,/p' | sort -u |
        awk -F, -v wanted="^($pattern)\$" '{ for (i = 2; i <= NF; i++) if ($i ~ wanted) print $1 "/" $i }')
    if [ -n "$heavy" ]; then
        echo "features that take long to compile: $heavy"
        failed=1
    fi
}

# `thread` of rustix takes four seconds of a release build, for two system calls; `fs` two, for four that
# other libraries have. Simulations are a third of our own code.
light 'thread|time|all-apis|mm|mount|param|pipe|fs|simulation'
light 'poll|signal|net|pipe|process' --no-default-features --features std
exit "$failed"
