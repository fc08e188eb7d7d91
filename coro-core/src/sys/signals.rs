//! Signals' actions, as the system performs them.

#![cfg_attr(
    unix,
    expect(
        unsafe_code,
        reason = "no safe library asks for a signal's action: sigaction can also change it"
    )
)]

use std::ffi::c_int;

/// Whether a signal has its default action: the process neither ignores nor handles it.
#[cfg(unix)]
#[inline]
pub(crate) fn has_default_action(signal: c_int) -> bool {
    let mut action = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: without a new action the call changes nothing but `action`, to which it has a valid
    // pointer.
    let asked = unsafe { libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr()) };
    // SAFETY: it was zeroed, which is valid for each of its fields: numbers, and pointers that may be
    // null.
    let action = unsafe { action.assume_init() };
    asked != 0 || action.sa_sigaction == libc::SIG_DFL
}

/// The default is assumed: Windows does not tell.
#[cfg(not(unix))]
#[inline]
pub(crate) fn has_default_action(_: c_int) -> bool {
    true
}

#[cfg(all(test, unix))]
mod tests {
    use signal_hook::consts::{SIGPIPE, SIGUSR2};

    use super::*;

    #[test]
    fn a_pipe_without_a_reader_is_ignored_by_every_rust_program() {
        assert!(!has_default_action(SIGPIPE));
        assert!(has_default_action(SIGUSR2));
    }
}
