//! Calling a protocol, one callback at a time.

use std::io;

use super::super::Protocol;
use super::Connection;
use crate::report::ReportKind;

impl Connection {
    /// Calls the protocol, unless it is being called already; then tells it what the call has
    /// changed about writing.
    pub(in super::super) fn call<T>(&self, f: impl FnOnce(&mut dyn Protocol) -> T) -> Option<T> {
        let output = self.call_once(f);
        self.tell_about_writing();
        output
    }

    fn call_once<T>(&self, f: impl FnOnce(&mut dyn Protocol) -> T) -> Option<T> {
        let mut protocol = self.protocol.take()?;
        let called = self
            .of
            .contain(ReportKind::ProtocolPanicked, || f(&mut *protocol));
        self.put_back(protocol);
        match called {
            Ok(output) => Some(output),
            Err(message) => {
                let message = format!("the connection's protocol panicked: {message}");
                self.fail(io::Error::other(message));
                None
            }
        }
    }

    /// Ends a call: another protocol may have been set meanwhile.
    fn put_back(&self, protocol: Box<dyn Protocol>) {
        let other = self.protocol.take();
        if other.is_none() && !self.is_lost() {
            return self.protocol.set(Some(protocol));
        }
        self.protocol.set(other);
        let _ = self.of.contain(ReportKind::DropPanicked, || drop(protocol));
    }

    /// From the next call on another protocol is called; it is told if writing is paused.
    pub(in super::super) fn set_protocol(&self, protocol: Box<dyn Protocol>) {
        if self.is_lost() {
            return drop(protocol);
        }
        let before = self.protocol.replace(Some(protocol));
        self.told_to_pause.set(false);
        drop(before);
        self.tell_about_writing();
    }

    /// Calls `pause_writing` or `resume_writing`, if it is time for that.
    pub(super) fn tell_about_writing(&self) {
        while self.told_to_pause.get() != self.writing_paused.get() {
            let pause = self.writing_paused.get();
            let told = self.call_once(|protocol| {
                self.told_to_pause.set(pause);
                match pause {
                    true => protocol.pause_writing(),
                    false => protocol.resume_writing(),
                }
            });
            if told.is_none() {
                return; // it is being called, which ends with this; or it is gone
            }
        }
    }
}
