#!/usr/bin/env bash
# Compiles the code for systems other than Linux on Linux, and runs the tests with it: with
# `--cfg coro_portable`, `coro-core/src/sys/elsewhere` takes the place of `sys/linux`.
#
#     scripts/portable.sh [portable|polled] [FILTER]
#
# `portable` runs over epoll, which is edge-triggered as the BSDs' kqueue is. `polled` runs over mio's
# backend for poll(2), which imitates edges as the one for Windows does: it tells of a direction again
# only after an operation that would have blocked. Without an argument both run.
set -euo pipefail
cd "$(dirname "$0")/.."

export CARGO_INCREMENTAL=0
programs=(-p coro-rs -p coro-rs-core -p coro-tests --lib --test it --test interrupts --test signals
    --test many_connections)

# Tests of the text of this repository, and of the examples, which are built without the cfg.
skipped=(--skip example --skip cores_kv:: --skip layout:: --skip circles:: --skip words:: --skip guide --skip public_names)
# Tests of pidfds, which the code for elsewhere does not use; of the simulated kernel, which is the same.
skipped+=(--skip process_injected:: --skip both_kernels::)

step=${1:-both}
[ $# -eq 0 ] || shift

case $step in portable | both)
    printf '\n-- the code for elsewhere\n'
    # The cfg is for our packages alone, so that all others need not be compiled again.
    mkdir -p target
    printf '#!/bin/sh\nexec "$@" --cfg coro_portable\n' >target/portable-rustc
    chmod +x target/portable-rustc
    RUSTC_WORKSPACE_WRAPPER=$PWD/target/portable-rustc cargo test --quiet --no-fail-fast \
        "${programs[@]}" -- "${skipped[@]}" "$@"
    ;;
esac

case $step in polled | both)
    printf '\n-- the same over poll(2)\n'
    # What mio's backend cannot do. Its promise is that of the one for Windows, which has none of this.
    skipped+=(
        # It forgets a descriptor after an error or a hang-up; a later "would block" is "not found" then.
        --skip shut_down::a_listener_that_is_shut_down_ends_its_accepts
        --skip shut_down::a_unix_datagram_receives_nothing_as_one_that_blocks
        --skip shut_down::a_unix_datagram_that_receives_already_is_told
        --skip transport::datagrams::a_refusal_is_told_and_the_endpoint_goes_on
        --skip udp::a_refused_datagram_is_an_error_that_the_socket_survives
        # It waits for regular files, which are always ready.
        --skip stdio::pipes_of_the_standard_library_are_taken_over_and_given_back
        --skip transport::unix::a_regular_file_is_no_pipe
        --skip watch::a_regular_file_is_refused_with_a_word_on_what_to_do
        # It is told of a descriptor by its number only once, and refuses a number that it knows.
        --skip watch::a_callback_is_called_only_while_its_descriptor_is_ready
        --skip watch_forgotten::
    )
    RUSTFLAGS="--cfg coro_portable --cfg mio_unsupported_force_poll_poll" CARGO_PROFILE_DEV_DEBUG=0 \
        cargo test --quiet --no-fail-fast --target-dir target/portable -p coro-tests --test it -- \
        "${skipped[@]}" "$@"
    ;;
esac
