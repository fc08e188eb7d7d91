//! Notices to the service manager, by the protocol of `sd_notify`.

use std::env;
use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// The words of a process that serves.
pub(crate) const READY: &str = "READY=1";
/// The words of a process that is to stop.
pub(crate) const STOPPING: &str = "STOPPING=1";

/// Sends a word to the socket that `NOTIFY_SOCKET` names, if there is one. A manager that cannot be
/// reached is a line in the log, and no reason to stop.
pub(crate) fn notify(word: &str) {
    let Some(address) = env::var_os("NOTIFY_SOCKET") else {
        return;
    };
    if let Err(error) = send(&address, word) {
        eprintln!("the service manager at {}: {error}", address.display());
    }
}

fn send(address: &OsStr, word: &str) -> io::Result<()> {
    let address = match address.as_bytes() {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
        _ => SocketAddr::from_pathname(address)?,
    };
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?; // a full queue must not hold up the loop
    socket.send_to_addr(word.as_bytes(), &address)?;
    Ok(())
}
