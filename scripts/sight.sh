#!/usr/bin/env bash
# Holds what `examples/stuck` prints against `tests/stuck.txt`: built for debugging, optimised, and
# optimised without symbols. Lines of source need no debug information. `scripts/sight.sh write` stores
# the text anew; read the difference. CI runs this.
#
# `scripts/sight.sh storm` runs the tests with a dump after every turn of every loop, which must change
# nothing; a loop with a thousand tasks or more is spared some of its turns. The tests that are left out
# count polls, or run other tests of the list once more. CI runs this, too: three minutes of processor time,
# on as many processors as there are, beside building the tests.
set -euo pipefail
cd "$(dirname "$0")/.."

masked() {
    "$1" | sed -E 's/fd [0-9]+/fd N/; s/127\.0\.0\.1:[0-9]+/ADDRESS/; s/due in .*/due in T/'
}

if [ "${1:-}" != storm ]; then
    target=${CARGO_TARGET_DIR:-target}
    cargo build --quiet --example stuck
    if [ "${1:-}" = write ]; then
        masked "$target/debug/examples/stuck" >tests/stuck.txt
        git --no-pager diff --stat -- tests/stuck.txt
        exit
    fi
    masked "$target/debug/examples/stuck" | diff tests/stuck.txt -
    cargo build --quiet --release --example stuck
    masked "$target/release/examples/stuck" | diff tests/stuck.txt -
    CARGO_PROFILE_RELEASE_STRIP=symbols cargo build --quiet --release --example stuck
    masked "$target/release/examples/stuck" | diff tests/stuck.txt -
    echo 'the same text from all three builds'
    exit
fi

left_out=(
    both_kernels::the_tests_of_sockets_pass_on_the_simulated_kernel
    cancelled_waits::a_remote_task_that_is_cancelled_as_it_is_woken_is_not_polled_again
    chaining::a_hundred_and_sixty_thousand_that_complete_one_by_one_take_linear_time
    group::in_a_large_gather_only_the_woken_members_are_polled
    order::many_wakes_before_a_turn_make_one_poll
    remote::a_million_wakes_from_eight_threads_cost_few_polls
    scope::idle_children_are_not_polled_when_a_sibling_is_woken
    shared_streams::a_crowd_of_readers_that_stay_is_left_in_peace
    time::a_timeout_of_zero_polls_once_before_and_once_after_all_that_is_ready
)
skips=(--skip example)
for test in ${left_out[@]+"${left_out[@]}"}; do
    skips+=(--skip "$test")
done
CORO_SIGHT_STORM=1 cargo test --quiet --test it -- "${skips[@]}"
