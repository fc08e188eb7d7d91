//! The output of the example programs about sockets.

use std::path::Path;
use std::process::Command;

use crate::examples::{example, printed, promised};

#[test]
fn udp_echo_asks_again_after_a_lost_datagram() {
    assert_eq!(printed("udp_echo", "0.5"), promised("udp_echo"));
}

#[test]
fn port_scan_finds_the_ports_that_were_opened_and_no_others() {
    let lines = printed("port_scan", "1");
    assert!(lines[0].starts_with("scanning 127.0.0.1:"), "{lines:#?}");
    let open = |says| lines.iter().filter(|line| line.ends_with(says)).count();
    assert!(open("open: says \"hello\"") >= 1, "{lines:#?}");
    assert!(open("open: says nothing") >= 1, "{lines:#?}");
    let last = lines.last().unwrap();
    assert!(last.starts_with("1000 of 1000 ports scanned: "), "{last}");
    assert!(last.ends_with(", 0 without an answer"), "{last}");
}

#[test]
fn nothing_is_lost_where_nothing_interferes() {
    assert_eq!(printed("faults", "1"), promised("faults"));
}

/// Injects faults with strace. If strace cannot be used here, the script says why. It is given the program,
/// since cargo would compile coro again for it, with the features that this example alone has.
#[test]
fn nothing_is_lost_where_system_calls_fail() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let output = Command::new("bash")
        .arg(root.join("scripts/faults.sh"))
        .arg(example("faults").get_program())
        .output();
    let Ok(output) = output else {
        eprintln!("skipped: no bash");
        return;
    };
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains("survived") || said.starts_with("skipped"),
        "{said}"
    );
}
