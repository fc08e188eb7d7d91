#!/usr/bin/env bash
# Soaks the loop: everything at once and at random, over loopback, after which nothing may be left.
#
#     scripts/soak.sh [MINUTES]
#
# runs for so many minutes, one if none are given; fractions are allowed. Connections over TCP and
# TLS are opened, echoed over, half-closed, reset and dropped; tasks are cancelled, in handshakes,
# too; jobs run on threads, and some are given up; children end, are talked to, killed and dropped;
# timers come and are given up; signals are raised and heard. It fails if an answer is wrong or a
# wake-up is lost, and if in the end there is a descriptor, a thread, a child or a kilobyte more than
# after a short run before it. It prints its seed, but what the system does in between is no
# part of that. Linux only: elsewhere it does nothing.
set -euo pipefail
cd "$(dirname "$0")/.."

exec cargo test --quiet --test soak -- "${1:-1}"
