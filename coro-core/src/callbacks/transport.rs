//! A callback transport: the rules for calls, their panics, the limits of writing, the end.

use std::io;
use std::task::{Context, Poll};

use super::last_call::LastCall;
use super::life::Life;
use super::protocol_cell::{Callbacks, ProtocolCell};
use super::write_limits::WriteLimits;

/// The state that a transport, its protocol and its driver share.
///
/// A callback that panics is reported to the loop's exception handler and breaks the transport off:
/// `connection_lost` is called with an error that says so, and no other callback is.
pub(crate) trait CallbackTransport: 'static {
    type Protocol: ?Sized + Callbacks;

    fn life(&self) -> &Life;

    fn protocol(&self) -> &ProtocolCell<Self::Protocol>;

    /// One step of the driver. Ready when nothing is left to do but to call `connection_lost`.
    fn poll_step(&self, cx: &mut Context<'_>) -> Poll<()>;

    /// How many bytes wait to be written.
    fn buffered(&self) -> usize;

    /// Drops the bytes that wait to be written, as the transport breaks off.
    fn discard(&self);

    /// Closes the stream, or whatever the transport is over, after `connection_lost`.
    fn release(&self);

    /// Calls the protocol, unless it is being called already; then tells it of a limit of the write
    /// buffer that the call has crossed.
    fn call<T>(&self, f: impl FnOnce(&mut Self::Protocol) -> T) -> Option<T> {
        let called = self.protocol().call(self.life().of(), f);
        let output = self.unless_panicked(called);
        self.tell_of_pause();
        output
    }

    fn unless_panicked<T>(&self, called: Option<io::Result<T>>) -> Option<T> {
        called?.map_err(|error| self.fail(error)).ok()
    }

    fn tell_of_pause(&self) {
        while !self.protocol().knows_of_pause() {
            let called = self.protocol().pause_or_resume(self.life().of());
            if self.unless_panicked(called).is_none() {
                return; // it is being called, which ends with this; or it has ended
            }
        }
    }

    /// Calls `pause_writing` or `resume_writing` if the bytes that wait have crossed a limit.
    fn note_waiting(&self) {
        self.protocol().note_waiting(self.buffered());
        self.tell_of_pause();
    }

    fn limits(&self) -> WriteLimits {
        self.protocol().limits()
    }

    fn set_limits(&self, limits: WriteLimits) {
        self.protocol().set_limits(limits);
        self.note_waiting();
    }

    /// From the next call on another protocol is called; it is told if writing is paused.
    fn set_protocol(&self, protocol: Box<Self::Protocol>) {
        self.protocol().set(protocol);
        self.tell_of_pause();
    }

    /// Ends because of an error. The first one counts.
    fn fail(&self, error: io::Error) {
        self.break_off(Some(error));
    }

    /// Ends without sending the bytes that wait.
    fn abort(&self) {
        self.break_off(None);
    }

    fn break_off(&self, error: Option<io::Error>) {
        if self.life().break_off(error) {
            self.discard();
            self.life().wake();
        }
    }

    /// Calls `connection_lost`, then closes the stream, or whatever the transport is over.
    fn finish(&self) {
        self.life().finish();
        let error = self.life().take_error();
        if let Some(protocol) = self.protocol().take() {
            drop(LastCall::new(self.life().of().clone(), protocol, error));
        }
        self.release();
    }

    /// The driver is dropped before the transport has ended, as its loop ends.
    fn abandon(&self) {
        if !self.life().finish() {
            return;
        }
        self.discard();
        self.release();
        if let Some(protocol) = self.protocol().take() {
            let of = self.life().of().clone();
            LastCall::new(of, protocol, self.life().take_error()).make_soon();
        }
    }
}
