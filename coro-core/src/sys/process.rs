//! Processes: signals to them, waits that leave them to be reaped.

use std::io;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, waitid};

/// The signal that asks a process to end, then the signal that ends it.
pub(crate) const TERMINATE: i32 = Signal::TERM.as_raw();
pub(crate) const KILL: i32 = Signal::KILL.as_raw();

/// Sends a signal by process id; the caller must know that the process was not reaped.
#[inline]
pub(crate) fn send_signal(id: u32, signal: i32) -> io::Result<()> {
    Ok(rustix::process::kill_process(pid(id)?, named(signal)?)?)
}

/// Sends a signal to a process and to all others of the group that it leads.
#[inline]
pub(crate) fn send_signal_to_group(id: u32, signal: i32) -> io::Result<()> {
    Ok(rustix::process::kill_process_group(
        pid(id)?,
        named(signal)?,
    )?)
}

/// Blocks until a child has ended, or was reaped elsewhere.
#[inline]
pub(crate) fn wait_until_ended(id: u32) -> io::Result<()> {
    let leave_it = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    loop {
        match waitid(WaitId::Pid(pid(id)?), leave_it) {
            Err(rustix::io::Errno::INTR) => {}
            other => return Ok(other.map(drop)?),
        }
    }
}

#[inline]
pub(crate) fn is_no_such_process(error: &io::Error) -> bool {
    rustix::io::Errno::from_io_error(error) == Some(rustix::io::Errno::SRCH)
}

#[inline]
pub(super) fn pid(id: u32) -> io::Result<Pid> {
    let raw = i32::try_from(id).ok().and_then(Pid::from_raw);
    raw.ok_or_else(|| io::ErrorKind::InvalidInput.into())
}

#[inline]
pub(super) fn named(signal: i32) -> io::Result<Signal> {
    Signal::from_named_raw(signal).ok_or_else(|| {
        let message = format!("{signal} is not the number of a signal that has a name");
        io::Error::new(io::ErrorKind::InvalidInput, message)
    })
}
