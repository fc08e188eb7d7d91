#!/usr/bin/env bash
# Puts the attribute on every async function of published crates, and turns each `.await` of such a
# function into `yield_from!`; compiles the outcome, and runs the crate's own tests before and after.
#
#     scripts/at_scale.sh [CRATE..]
#
# Without names it takes all crates of the list below. Needs the registry, a C compiler, and minutes
# to hours: it is no part of CI. What is printed for each crate: functions; await points, and those
# of them in macros; then, for each form, `ok` or the number of errors. The forms are `attribute`, on an
# `async fn`; `yield_from`, on a `fn`; and `boxed`, which replaces `#[async_trait]`, with the functions
# and await points of its own. Tests are rewritten, and counted, where they are run. The logs stay in
# target/at_scale.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
work=${CARGO_TARGET_DIR:-$root/target}/at_scale

# crate version; features; tests that need nothing but the machine
crates='
tokio             1.54 ; --features full ; --test sync_mpsc --test sync_mutex --test macros_select --test time_sleep --test task_join_set
async-nats        0.51 ; ; 
axum              0.8  ; ; 
redis             1.8  ; --features tokio-comp,cluster-async,sentinel ;
tokio-postgres    0.7  ; ; 
moka              0.12 ; --features future ; --lib future
async-std         1.13 ; --features unstable,attributes ; --test channel --test mutex --test rwlock
deadpool          0.12 ; ; 
bb8               0.9  ; ; --tests
futures-concurrency 7  ; ; --lib
embassy-sync      0.7  ; ; 
tokio-util        0.7  ; --features full ; 
object_store      0.12 ; ; --lib
zbus              5    ; --no-default-features --features tokio ; 
tiberius          0.12 ; --no-default-features --features tds73 ; 
rumqttc           0.25 ; --no-default-features ; 
'

export RUSTFLAGS="--cap-lints warn ${RUSTFLAGS:-}"
export CARGO_TARGET_DIR=$work/target CARGO_INCREMENTAL=0 CARGO_PROFILE_DEV_DEBUG=0 CARGO_PROFILE_TEST_DEBUG=0
mkdir -p "$work"
CARGO_TARGET_DIR=$work/tool cargo build --quiet -p at-scale
tool=$work/tool/debug/at-scale

# fetch NAME VERSION: prints the folder in which cargo keeps its sources.
fetch() {
    local fetched=$work/$1/fetched
    mkdir -p "$fetched/src"
    : >"$fetched/src/lib.rs"
    printf '[package]\nname = "fetched"\nversion = "0.0.0"\n[dependencies]\n%s = "%s"\n[workspace]\n' \
        "$1" "$2" >"$fetched/Cargo.toml"
    cargo metadata --quiet --format-version 1 --manifest-path "$fetched/Cargo.toml" |
        grep -o "\"manifest_path\":\"[^\"]*/$1-[0-9][^/\"]*/Cargo.toml\"" | head -1 |
        sed 's/.*:"//; s/.Cargo.toml"//'
}

# copy SOURCE TARGET: a copy that is a workspace of its own and depends on coro.
copy() {
    rm -rf "$2"
    cp -r "$1" "$2"
    chmod -R u+w "$2"
    rm -f "$2/Cargo.lock" "$2/Cargo.toml.orig"
    [ ! -f "$work/$name/Cargo.lock" ] || cp "$work/$name/Cargo.lock" "$2"
    grep -q '^\[workspace\]' "$2/Cargo.toml" || printf '\n[workspace]\n' >>"$2/Cargo.toml"
    printf '\n[dependencies.coro-rs]\npath = "%s"\n' "$root" >>"$2/Cargo.toml"
}

# compile FORM: `ok`, or the number of errors.
compile() {
    local log=$work/$name/$1.log
    if (cd "$work/$name/$1" && cargo check --lib $features --message-format short) >"$log" 2>&1; then
        echo ok
    else
        echo "$(grep -c ': error' "$log" || true) errors"
    fi
}

# passed FORM: how many tests pass, and how many fail.
passed() {
    local log=$work/$name/$1.tests.log
    (cd "$work/$name/$1" && cargo test --no-fail-fast $features $tests) >"$log" 2>&1 || true
    awk '/^test result:/ { passed += $4; failed += $6 } END { print passed + 0 "/" failed + 0 }' "$log"
}

# rewrite FORM WAY FOLDER..: a copy with those folders rewritten; prints the counts.
rewrite() {
    local form=$1 way=$2 folder total='0 0 0'
    copy "$source" "$work/$name/$form"
    shift 2
    for folder in "$@"; do
        [ -d "$work/$name/$form/$folder" ] || continue
        total=$(printf '%s\n%s\n' "$total" "$("$tool" "$way" "$work/$name/$form/$folder")" |
            awk '{ a += $1; b += $2; c += $3 } END { print a, b, c }')
    done
    echo "$total"
}

printf '%-25s %9s %6s %6s  %-10s %-10s %-14s %s\n' \
    crate functions awaits macros attribute yield_from boxed 'tests: passed/failed, before and after'
while IFS=';' read -r crate features tests; do
    read -r name version <<<"$crate" || true
    [ -n "${name:-}" ] || continue
    [ $# -eq 0 ] || [[ " $* " == *" $name "* ]] || continue
    source=$(fetch "$name" "$version")
    rm -f "$work/$name/Cargo.lock"
    copy "$source" "$work/$name/before"
    (cd "$work/$name/before" && cargo generate-lockfile --quiet) && cp "$work/$name/before/Cargo.lock" "$work/$name"
    way=yield_from folders=src
    [ -z "${tests// /}" ] || way=yield_from_in_tests folders='src tests'
    rewrite attribute attribute src >/dev/null
    read -r functions awaits macros <<<"$(rewrite yield_from $way $folders)"
    attribute=$(compile attribute)
    yield_from=$(compile yield_from)
    boxed=-
    if grep -rq '#\[async_trait' "$source/src"; then
        read -r more more_awaits _ <<<"$(rewrite boxed boxed src)"
        boxed="$(compile boxed) ($more, $more_awaits)"
    fi
    ran=-
    [ -z "${tests// /}" ] || ran="$(passed before), $(passed yield_from)"
    [[ "$attribute$yield_from" == okok ]] || ran="$ran; before: $(compile before)"
    printf '%-25s %9s %6s %6s  %-10s %-10s %-14s %s\n' "${source##*/}" "$functions" "$awaits" \
        "$macros" "$attribute" "$yield_from" "$boxed" "$ran"
done <<<"$crates"
