//! The last call of a protocol, `connection_lost`.

use std::io;

use super::protocol_cell::Callbacks;
use crate::event_loop::LoopHandle;
use crate::report::ReportKind;

/// Dropping it makes the call, so that a loop that closes, and drops the callouts that it will not
/// run, makes it all the same.
pub(super) struct LastCall<P: ?Sized + Callbacks> {
    of: LoopHandle,
    protocol: Option<Box<P>>,
    error: Option<io::Error>,
}

impl<P: ?Sized + Callbacks> LastCall<P> {
    pub(super) fn new(of: LoopHandle, protocol: Box<P>, error: Option<io::Error>) -> Self {
        LastCall {
            of,
            protocol: Some(protocol),
            error,
        }
    }

    /// Has the loop make the call in its next turn, if it takes another.
    pub(super) fn make_soon(self) {
        let of = self.of.clone();
        if !of.is_closed() {
            of.call_soon(move || drop(self));
        }
    }
}

impl<P: ?Sized + Callbacks> Drop for LastCall<P> {
    /// Calls `connection_lost`, then drops the protocol. If either panics, the other happens all
    /// the same.
    fn drop(&mut self) {
        let (protocol, error) = (self.protocol.take(), self.error.take());
        let Some(mut protocol) = protocol else { return };
        let _ = self.of.contain(ReportKind::ProtocolPanicked, || {
            protocol.connection_lost(error);
        });
        let _ = self.of.contain(ReportKind::DropPanicked, || drop(protocol));
    }
}
