//! The tests of sockets once more, in simulations: this process runs itself with `CORO_SIMULATE`.
//!
//! `CORO_SIMULATE=200:100000 cargo test --test it -- tcp::` is for the night: 200 seeds, with all faults
//! in a tenth of all calls.

use std::env;
use std::process::Command;

/// The modules whose tests stand on both kernels.
const MODULES: [&str; 10] = [
    "connect::",
    "copy::",
    "lines::",
    "server::",
    "tcp::",
    "tcp_faults::",
    "tls::",
    "transport::",
    "udp::",
    "unix::",
];

/// The tests of these modules that need more than sockets, which a simulation refuses.
const NOT_OF_SOCKETS: [(&str, &[&str]); 3] = [
    ("a simulation has no pipes", &["_pipe"]),
    (
        "another program is the peer",
        &["peers::", "example", "certificate_of_openssl"],
    ),
    (
        "the filter of another module has it",
        &["server_addresses::"],
    ),
];

/// The tests of sockets that are left out, by the reason: ten.
const LEFT_OUT: [(&str, &[&str]); 3] = [
    (
        "a thread with a blocking socket of the system's is the peer, and the subject",
        &[
            "blocking_clients_that_reset_their_connections_harm_no_other_client",
            "many_blocking_clients_are_served_at_once",
            "a_blocking_client_of_rustls_is_served",
            "a_blocking_server_of_rustls_is_understood",
            "a_blocking_client_talks_to_a_listener_at_a_path",
            "datagrams_go_to_and_come_from_a_blocking_socket",
        ],
    ),
    (
        "the real clock ends it",
        &["no_byte_is_lost_under_a_dump_each_millisecond"],
    ),
    (
        "a socket is made by another library, or given to one",
        &[
            "listeners_share_an_address_when_both_ask_for_it",
            "a_connect_waits_while_the_listeners_queue_is_full",
            "sockets_come_from_the_standard_library_and_go_back",
        ],
    ),
];

fn run_in_simulations(wish: &str, modules: &[&str], tests_min: usize) {
    if env::var_os("CORO_SIMULATE").is_some() {
        return; // it is this test's own process
    }
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(modules).env("CORO_SIMULATE", wish);
    let skipped = NOT_OF_SOCKETS.iter().chain(&LEFT_OUT);
    for name in skipped.flat_map(|(_, names)| *names) {
        command.args(["--skip", name]);
    }
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    let passed = text.matches("... ok").count();
    assert!(passed >= tests_min, "only {passed} tests ran");
}

#[test]
fn the_tests_of_sockets_pass_on_the_simulated_kernel() {
    run_in_simulations("1", &MODULES, 250);
}

#[test]
fn the_tests_of_sockets_pass_on_a_simulated_kernel_with_faults() {
    run_in_simulations("2:100000", &MODULES, 250);
}
