//! A listener: the handler writes a byte to a socket pair, which the loop polls for reading.

use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::task::{Context, Poll};

use signal_hook::low_level::pipe;

use super::kind::SignalKind;
use crate::event_loop::{Direction, WaitId};
use crate::sys::disposition::ListenerGuard;
use crate::wait::ready::RegisteredIo;

/// How many bytes one read takes, and so how many signals at most become one.
const BYTES: usize = 1024;

pub(super) struct Listener {
    ready: RegisteredIo<mio::net::UnixStream>,
    _heard: ListenerGuard,
}

impl Listener {
    #[track_caller]
    #[inline]
    pub(super) fn new(kind: SignalKind) -> io::Result<Self> {
        kind.check()?;
        let (receiver, sender) = UnixStream::pair()?;
        receiver.set_nonblocking(true)?;
        let ready = RegisteredIo::new(mio::net::UnixStream::from_std(receiver))?;
        let signal = kind.as_raw();
        let _heard = ListenerGuard::new(signal, || pipe::register(signal, sender))?;
        Ok(Listener { ready, _heard })
    }

    /// Ready if a signal has come since the last time it was ready; several count as one.
    #[inline]
    pub(super) fn poll(&mut self, cx: &Context<'_>) -> Poll<io::Result<()>> {
        let read = |mut receiver: &mio::net::UnixStream| receiver.read(&mut [0; BYTES]);
        let polled = self
            .ready
            .poll_io(Direction::Read, WaitId::UNNAMED, cx, read);
        polled.map_ok(drop)
    }
}
