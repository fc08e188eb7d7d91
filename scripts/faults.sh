#!/usr/bin/env bash
# Has system calls fail under the example `faults`, and checks that nothing is lost by it, and that
# a server goes on.
#
#     scripts/faults.sh [PROGRAM]
#
# builds the example, if it is not given the program that cargo has made of it already. It
# needs strace 5 or later, and leave to trace processes; without either it says so and checks
# nothing. What is injected: interruptions of every call that waits or moves bytes; connections
# that are aborted before they are accepted; a shortage of descriptors and of memory, from which a
# listener recovers; a kernel without epoll_pwait2. A made-up EAGAIN is only injected where an
# event follows: a poller that tells of changes rightly tells nothing of what has not changed.
#
# Then every error that a manual page names is injected once, and three times in a row, under a
# server, which has to serve all clients that come afterwards. Left out are the errors that say that
# the listening socket itself is none, which rightly end a server, and EAGAIN, and a connect's
# EINPROGRESS, EALREADY and EISCONN, for which an event would have to follow.
set -euo pipefail
cd "$(dirname "$0")/.."

skip() {
    echo "skipped: $*"
    exit 0
}

[ "$(uname)" = Linux ] || skip 'there is no strace on this system'
command -v strace >/dev/null || skip 'strace is not installed'
strace -qq -o /dev/null -e inject=getppid:error=EINTR true 2>/dev/null ||
    skip 'this strace may not trace processes here, or knows no injection'

faults=${1:-}
if [ -z "$faults" ]; then
    cargo build --quiet --example faults
    faults=${CARGO_TARGET_DIR:-target}/debug/examples/faults
fi
expected=$("$faults" 0.1)
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# survives CALLS ERROR WHEN: the calls fail at least once, and nothing is lost by it.
survives() {
    local calls=$1 error=$2 when=$3 said injected
    printf '%-28s %-13s %-7s ' "$calls" "$error" "$when"
    said=$(timeout 90 strace -f -qq -o "$log" -e trace="$calls" \
        -e inject="$calls:error=$error:when=$when" "$faults" 0.1) || {
        echo "FAILED: $said"
        exit 1
    }
    [ "$said" = "$expected" ] || {
        printf 'FAILED: it said\n%s\ninstead of\n%s\n' "$said" "$expected"
        exit 1
    }
    injected=$(grep -c INJECTED "$log" || true)
    [ "$injected" -gt 0 ] || {
        echo 'FAILED: no such call was made'
        exit 1
    }
    echo "survived $injected times"
}

for every in 1+2 3+7; do
    survives recvfrom EINTR "$every"
    survives sendto EINTR "$every"
    survives recvmsg EINTR "$every"
    survives accept4 EINTR "$every"
    survives connect EINTR "$every"
    survives epoll_pwait2 EINTR "$every"
    survives accept4 ECONNABORTED "$every"
    survives accept4 EPROTO "$every"
done
# Programs read before they begin: what loads them does not expect to be interrupted.
survives read EINTR 15+2
survives write EINTR 1+2
survives accept4 EAGAIN 1
survives accept4 EMFILE 1..3
survives accept4 ENFILE 2..3
survives accept4 ENOBUFS 1..2
survives accept4 ENOMEM 1..2
survives epoll_pwait2 ENOSYS 1+

# serves CALL WHEN ERROR..: clients that come after the call has failed so are served.
serves() {
    local call=$1 first=$2 error when said
    shift 2
    for error in "$@"; do
        for when in "$first" "$first..$((first + 2))"; do
            said=$(timeout 90 strace -f -qq -o "$log" -e trace="$call" \
                -e inject="$call:error=$error:when=$when" "$faults" serve 2>"$reports") || {
                echo "FAILED after $call $error $when: $said"
                cat "$reports"
                exit 1
            }
            grep -q INJECTED "$log" || {
                echo "FAILED: $call was not made $first times"
                exit 1
            }
        done
        printf '%-28s %-15s served afterwards\n' "$call" "$error"
    done
}

reports=$(mktemp)
trap 'rm -f "$log" "$reports"' EXIT

serves accept4 2 ECONNABORTED EFAULT EINTR EMFILE ENFILE ENOBUFS ENOMEM EPERM EPROTO ENETDOWN \
    ENOPROTOOPT EHOSTDOWN ENONET EHOSTUNREACH ENETUNREACH ENOSR ESOCKTNOSUPPORT EPROTONOSUPPORT \
    ETIMEDOUT
serves connect 2 EACCES EPERM EADDRINUSE EADDRNOTAVAIL EAFNOSUPPORT EBADF ECONNREFUSED EFAULT \
    EINTR ENETUNREACH ENOTSOCK EPROTOTYPE ETIMEDOUT
# Streams are read by `read`, and programs read before they begin, how often hangs on the machine. Then
# eight clients read, and the server eight times: of two calls that are eight apart, each side has one.
for first in 18 26; do
    serves read "$first" EBADF ECONNREFUSED ECONNRESET EFAULT EINTR EINVAL ENOMEM ENOTCONN ENOTSOCK \
        ETIMEDOUT
done
serves sendto 2 EACCES EALREADY EBADF ECONNRESET EDESTADDRREQ EFAULT EINTR EINVAL EISCONN EMSGSIZE \
    ENOBUFS ENOMEM ENOTCONN ENOTSOCK EOPNOTSUPP EPIPE
# The loop's own descriptors are the first, and a listener's: without these there is no server. Then
# come those of the clients, and from the twelfth on those of accepted connections.
for first in 5 14; do
    serves epoll_ctl "$first" EBADF EEXIST EINVAL ELOOP ENOENT ENOMEM ENOSPC EPERM
done
