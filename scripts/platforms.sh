#!/usr/bin/env bash
# Other systems, as far as one Linux machine can tell without them.
#
#     scripts/platforms.sh [STEP...]
#
#     tools    a copy of the Rust toolchain with the source of its standard library, from which that of
#              any target is built
#     check    cargo check of the libraries, tests and examples for Windows and macOS, of the libraries
#              for FreeBSD and 32-bit Linux, and of the generators for wasm: warnings are errors
#     mingw    a linker for Windows, which `wine` needs, and `check` takes its `dlltool`
#     wine     builds the examples and the portable tests for Windows, and runs them under Wine; takes
#              many minutes, needs root for a chroot, and 4 GB
#     clean    removes everything that the steps have made
#
# Without a step it does `tools check`. Nothing is installed: Debian's packages are unpacked below
# `target/platforms`, or the folder that PLATFORMS names. A step whose packages cannot be had says that
# it is skipped, and succeeds. TARGETS picks the targets of `check`, TESTS those tests of `tests/it`
# that `wine` runs.
set -euo pipefail
cd "$(dirname "$0")/.."

work=${PLATFORMS:-$PWD/target/platforms}
mkdir -p "$work"
work=$(realpath "$work")
windows=x86_64-pc-windows-gnu
targets=${TARGETS:-$windows aarch64-apple-darwin x86_64-unknown-freebsd i686-unknown-linux-gnu}
of_libraries="x86_64-unknown-freebsd i686-unknown-linux-gnu"

skip() {
    echo "skipped: $*"
    exit 0
}

# apt with lists of its own, of newer suites than the machine's.
private_apt() {
    local apt=$work/apt suite mirror
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
        grep '/debian/$' | head -1) || true
    [ -n "$mirror" ] || return 1
    mkdir -p "$apt"/{state/lists/partial,cache/archives/partial,parts}
    for suite in trixie trixie-backports; do
        echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main"
    done >"$apt/sources.list"
    "$@" -o Dir::State="$apt/state" -o Dir::Cache="$apt/cache" -o Dir::State::status=/dev/null \
        -o Dir::Etc::sourcelist="$apt/sources.list" -o Dir::Etc::sourceparts="$apt/parts" \
        -o APT::Install-Recommends=false -o APT::Default-Release=trixie -o APT::Sandbox::User=root
}

# cargo of the private toolchain, with the standard library built from source.
cross() {
    local command=$1 target=$2
    shift 2
    PATH=$work/toolchain/bin:$work/mingw/usr/bin:$PATH RUSTC=$work/toolchain/bin/rustc \
        RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=$work/target CARGO_INCREMENTAL=0 CARGO_PROFILE_DEV_DEBUG=0 \
        CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER=x86_64-w64-mingw32-gcc \
        cargo "$command" --quiet -Zbuild-std="${STD:-std,panic_abort}" --target "$target" "$@"
}

has_dlltool() { PATH=$PATH:$work/mingw/usr/bin command -v x86_64-w64-mingw32-dlltool >/dev/null; }

has_tools() { [ -d "$work/toolchain/lib/rustlib/src/rust/library" ]; }

step_tools() {
    has_tools && return
    command -v apt-get >/dev/null && command -v dpkg >/dev/null || skip 'this is no Debian'
    local version package
    version=$(rustc --version | cut -d' ' -f2)
    private_apt apt-get -qq update >/dev/null 2>&1 || skip "Debian's packages cannot be had"
    package=$(private_apt apt-cache madison rust-src |
        awk -v version="$version" '$3 ~ "^" version "[+]" { print $3; exit }')
    [ -n "$package" ] || skip "Debian has no source of the standard library of rustc $version"
    (cd "$work" && private_apt apt-get -qq download "rust-src=$package" >/dev/null) ||
        skip "Debian's packages cannot be had"
    dpkg -x "$work"/rust-src_*.deb "$work/rust-src"
    rm -rf "$work/toolchain"
    # A toolchain finds its files by its own place, so that links to it would not do.
    cp -al "$(rustc --print sysroot)/." "$work/toolchain" 2>/dev/null ||
        cp -a "$(rustc --print sysroot)/." "$work/toolchain"
    mkdir -p "$work/toolchain/lib/rustlib/src/rust"
    mv "$work"/rust-src/usr/src/rustc-*/library "$work/toolchain/lib/rustlib/src/rust/"
    rm -rf "$work"/rust-src "$work"/rust-src_*.deb
}

# Compilers for C that make empty files: build scripts call them, but nothing is linked.
stand_ins() {
    mkdir -p "$work/stand-ins"
    cat >"$work/stand-ins/cc" <<'END'
#!/bin/sh
while [ $# -gt 0 ]; do
    [ "$1" != -o ] || : >"$2"
    shift
done
END
    cat >"$work/stand-ins/ar" <<'END'
#!/bin/sh
for made; do case $made in *.a) : >"$made" ;; esac; done
END
    chmod +x "$work"/stand-ins/*
}

step_check() {
    has_tools || skip 'the step `tools` was'
    stand_ins
    (step_mingw) # for its `dlltool`, without which no standard library for Windows is built
    printf '#!/bin/sh\nexec "$@" -D warnings\n' >"$work/strict-rustc" # for our own packages alone
    chmod +x "$work/strict-rustc"
    export RUSTC_WORKSPACE_WRAPPER=$work/strict-rustc
    local target
    for target in $targets; do
        echo "-- $target"
        if [ "$target" = "$windows" ] && ! has_dlltool; then
            echo 'skipped: there is no dlltool for it'
            continue
        fi
        export "CC_${target//-/_}=$work/stand-ins/cc" "AR_${target//-/_}=$work/stand-ins/ar"
        case " $of_libraries " in
        *" $target "*) cross check "$target" -p coro-rs -p coro-rs-core ;;
        *)
            cross check "$target" -p coro-rs -p coro-rs-core -p coro-rs-cli --all-targets
            [ "$target" != "$windows" ] || cross check "$target" -p coro-tests --test it
            ;;
        esac
    done
    echo '-- wasm32-unknown-unknown, generators alone'
    STD=core,alloc cross check wasm32-unknown-unknown \
        -p coro-rs --no-default-features --features alloc
}

step_mingw() {
    [ ! -x "$work/mingw/usr/bin/x86_64-w64-mingw32-gcc" ] || return 0
    mkdir -p "$work/mingw/debs"
    (cd "$work/mingw/debs" && apt-get -qq download gcc-mingw-w64-x86-64-win32 \
        gcc-mingw-w64-x86-64-win32-runtime gcc-mingw-w64-base binutils-mingw-w64-x86-64 \
        mingw-w64-x86-64-dev mingw-w64-common >/dev/null 2>&1) || skip "Debian's packages cannot be had"
    local deb
    for deb in "$work"/mingw/debs/*.deb; do dpkg -x "$deb" "$work/mingw"; done
    rm -r "$work/mingw/debs"
    ln -sf x86_64-w64-mingw32-gcc-win32 "$work/mingw/usr/bin/x86_64-w64-mingw32-gcc"
}

# A program for Windows. Its files are those below $work/box, which is Z:\box there.
in_wine() { by_wine wine64 "$@"; }

by_wine() {
    local program=$1
    shift
    timeout -k 5 "${LIMIT:-600}" chroot "$work/root" /usr/bin/env -i HOME=/box PATH=/usr/bin:/bin \
        WINEDEBUG=-all WINEPREFIX=/box/prefix WINEARCH=win64 LANG=C.UTF-8 TMP='Z:\box' \
        XDG_RUNTIME_DIR=/box ${IN_BOX:-} "/usr/lib/wine/$program" "$@" </dev/null
}

mounted() { mountpoint -q "$work/root/$1"; }

prepare_wine() {
    if [ ! -e "$work/root/usr/lib/wine/wine64" ]; then
        private_apt apt-get -qq update >/dev/null 2>&1 &&
            private_apt apt-get -qq -y --download-only install wine64 bash coreutils libz-mingw-w64 \
                >/dev/null 2>&1 || skip "Debian's packages cannot be had"
        mkdir -p "$work/root"
        local deb
        for deb in "$work"/apt/cache/archives/*.deb; do dpkg -x "$deb" "$work/root"; done
        rm -f "$work"/apt/cache/archives/*.deb
        [ -e "$work/root/usr/bin/sh" ] || ln -s bash "$work/root/usr/bin/sh"
        mkdir -p "$work/root/etc" # IPv4 alone: Wine gives std an address of IPv6 that is not aligned
        echo '127.0.0.1 localhost' >"$work/root/etc/hosts"
        # Where its own install script would have put it.
        cp "$work/root/usr/x86_64-w64-mingw32/lib/zlib1.dll" \
            "$work/root/usr/lib/x86_64-linux-gnu/wine/x86_64-windows/"
    fi
    mkdir -p "$work/root/box" "$work/box"
    local at
    for at in proc dev; do
        mounted $at || mount --rbind "/$at" "$work/root/$at"
    done
    mounted box || mount --bind "$work/box" "$work/root/box"
    if [ ! -e "$work/box/ready" ]; then
        LIMIT=300 in_wine wineboot -i || true # it misses the parts for programs of 32 bits
        cp -n "$work/root/usr/x86_64-w64-mingw32/lib/zlib1.dll" \
            "$work/box/prefix/drive_c/windows/system32/"
        in_wine cmd /c ver && touch "$work/box/ready"
    fi
}

unmount() {
    local at
    # Wine's server goes a few seconds after the last program, and has its files there.
    ! mounted box || LIMIT=60 by_wine wineserver64 -w || true
    for at in box proc dev; do
        ! mounted $at || { mount --make-rslave "$work/root/$at" && umount -R "$work/root/$at"; }
    done
}

# Tests that are no part of the portable half.
not_portable() {
    # They read this repository, or are of the examples.
    echo example cores_kv:: layout:: circles:: words:: guide public_names errors::every_error_can \
        first_programs_generators::a_directory_is_walked
    # The answers of Linux's kernel, which the simulated one has to give too; its full queue of a
    # listener, which leaves a connect without an answer; its kind of error for a thread too many.
    echo kernel_answers::real both_kernels:: connect::an_address_that_does_not_answer \
        tcp::a_connect_without_an_answer tcp_faults::a_connect_given_up_halfway \
        threads_closing::a_pool_that_gets_no_thread_at_all
}

# Portable tests that do not hold under Wine.
wine_skips() {
    # A listener cannot be shut down. A write after a reset is "connection reset" again.
    echo server_rules::a_listener_that_fails tcp::a_reset_is_an_error tcp_faults::a_reset_wakes \
        tls::endings::a_record_cut_in_half
    # The frames of the compiler's unoptimised code for Windows are larger than those for Linux.
    echo large::
    # `send` takes all that one call gives it, however much that is, as on Windows.
    echo tcp_faults::a_reset_in_the_middle_of_a_write transport::endings::a_close_sends_buffered \
        transport::endings::a_close_that_can_send_nothing transport::endings::an_abort_ends_it \
        transport::endings::write_eof_comes_after transport::endings::a_panic_in_any_callback \
        transport::reentrancy::a_protocol_that_is_set_while transport::reentrancy::a_pause_that \
        transport::reentrancy::a_resumed_protocol_may transport::reentrancy::every_method_may
    # Wine sends the rest of such a `send` itself, and at times loses some of it if AFD polls the
    # socket at the same time: a program of mio alone loses bytes in the same way.
    echo tcp::large_transfers copy::both_directions
    # Wine tells nothing of a refused datagram, accepts a connection that was reset with an address
    # that is none, and resets a connection earlier.
    echo transport::datagrams::a_refusal_is_told udp::a_refused_datagram \
        tcp::a_connection_reset_before_it_was_accepted \
        server::blocking_clients_that_reset
    # It takes minutes, by Wine's poll of AFD: for a socket whose bytes are not read yet, wineserver goes
    # through all such sockets at each of its calls, as soon as the program polls once more. A program of
    # mio alone that polls after each 64 sockets takes 14 s for three messages of each of 400 connections, and
    # more than 150 s for those of 800; one that reads all before it polls takes 1 and 3 s.
    echo transport::server::a_thousand_connections
    # Only now and then in time: a sleep of a millisecond, a wake-up and a look for events cost 0.2 to
    # 0.5 ms of the processor each, a thousand times as much as on Linux.
    echo remote::no_wake_up_is_lost time::a_loop_that_sleeps_uses_no_time
}

# Wine makes some of them slow, not coro: each call about a socket asks its server, for 0.05 to 0.2 ms,
# against a microsecond or two of Linux. `replicated_kv` and `lock_service` make more than 100,000 sockets,
# which stand in for simulated ones; `chat` makes 37,000 calls, until a guest who does not read has to go.
# The standard library, which is built from its source, is not optimised either.
examples_in_wine() {
    local failed=0 exe name begun
    for exe in "$work/target/$windows"/debug/examples/*.exe; do
        name=$(basename "$exe" .exe)
        case $name in *-????????????????) continue ;; esac
        cp "$exe" "$work/box/"
        begun=$SECONDS
        if in_wine "Z:\\box\\$name.exe" 0.02 >"$work/box/$name.out" 2>&1; then
            echo "ok    $name, $((SECONDS - begun)) s"
        else
            echo "FAIL  $name ($?)" && tail -5 "$work/box/$name.out" && failed=1
        fi
        rm "$work/box/$name.exe"
    done
    return $failed
}

# Fails also if less than 95 % of the portable tests pass, those that are skipped included.
tests_in_wine() {
    local failed=0 name passed portable skips=() others=()
    cp "$(ls -t "$work/target/$windows"/debug/deps/it-*.exe | head -1)" "$work/box/it.exe"
    for name in $(not_portable); do others+=(--skip "$name"); done
    for name in $(wine_skips); do skips+=(--skip "$name"); done
    portable=$(in_wine 'Z:\box\it.exe' --list ${TESTS:-} "${others[@]}" | grep -c ': test')
    LIMIT=${LIMIT:-1500} in_wine 'Z:\box\it.exe' ${TESTS:-} "${others[@]}" "${skips[@]}" |
        tee "$work/box/it.out" || failed=1
    passed=$(grep -c '^test .* ok.\?$' "$work/box/it.out")
    echo "$passed of $portable portable tests passed"
    [ $((passed * 100)) -ge $((portable * 95)) ] || failed=1
    return $failed
}

step_wine() {
    [ "$(id -u)" -eq 0 ] || skip 'the chroot needs root'
    has_tools && [ -d "$work/mingw" ] || skip 'the step `tools` or `mingw` was'
    trap unmount EXIT
    prepare_wine
    # In one command, so that the core is compiled once.
    cross build "$windows" -p coro-rs -p coro-examples -p coro-tests --features coro-rs/simulation \
        --examples --test it
    local failed=0
    examples_in_wine || failed=1
    tests_in_wine || failed=1
    return $failed
}

step_clean() {
    unmount
    rm -rf --one-file-system "$work"
}

[ $# -gt 0 ] || set -- tools check
for step in "$@"; do
    printf '\n-- %s\n' "$step"
    ("step_$step")
done
