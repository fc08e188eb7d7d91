//! Signals, as the system delivers them: their actions, the thread that receives them.

use std::ffi::c_int;

/// Whether a signal has its default action: the process neither ignores nor handles it.
///
/// Only Linux can tell. On other systems the default is assumed.
pub(crate) fn has_default_action(signal: c_int) -> bool {
    #[cfg(target_os = "linux")]
    {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let is_in = |mask: &str| is_in_mask(&status, mask, signal);
        !is_in("SigIgn:") && !is_in("SigCgt:")
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = signal;
        true
    }
}

#[cfg(target_os = "linux")]
fn is_in_mask(status: &str, mask: &str, signal: c_int) -> bool {
    let line = status.lines().find_map(|line| line.strip_prefix(mask));
    let bits = line.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok());
    bits.unwrap_or(0) >> (signal - 1).clamp(0, 63) & 1 == 1
}

/// Whether this is the process's first thread, which receives its signals.
#[cfg(unix)]
pub(crate) fn is_main_thread() -> bool {
    #[cfg(target_os = "linux")]
    {
        match super::thread_number() {
            0 => std::thread::current().name() == Some("main"), // there is no /proc
            number => number == std::process::id(),
        }
    }
    #[cfg(not(target_os = "linux"))]
    {
        std::thread::current().name() == Some("main")
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_mask_has_the_first_signal_in_its_lowest_bit() {
        let status = "Name:\tx\nSigIgn:\t0000000000001000\nSigCgt:\t8000000000000001\n";
        assert!(is_in_mask(status, "SigIgn:", 13));
        assert!(!is_in_mask(status, "SigIgn:", 12));
        assert!(is_in_mask(status, "SigCgt:", 1) && is_in_mask(status, "SigCgt:", 64));
        assert!(!is_in_mask("", "SigIgn:", 2));
    }

    #[test]
    fn a_pipe_without_a_reader_is_ignored_by_every_rust_program() {
        const SIGPIPE: c_int = 13;
        const SIGUSR2: c_int = 12;
        assert!(!has_default_action(SIGPIPE));
        assert!(has_default_action(SIGUSR2));
    }
}
