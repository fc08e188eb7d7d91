//! The driver of a callback transport: the future of its task.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use super::transport::CallbackTransport;

/// The loop owns the driver, and with it the transport.
pub(crate) struct Driver<T: CallbackTransport> {
    transport: Rc<T>,
    begin: fn(&Rc<T>),
}

impl<T: CallbackTransport> Driver<T> {
    /// The driver's first step calls `begin`, which calls `connection_made`.
    pub(crate) fn new(transport: Rc<T>, begin: fn(&Rc<T>)) -> Self {
        Driver { transport, begin }
    }
}

impl<T: CallbackTransport> Future for Driver<T> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let transport = &self.transport;
        if !transport.life().is_made() {
            transport.life().set_made(cx.waker());
            (self.begin)(transport);
        }
        ready!(transport.poll_step(cx));
        transport.finish();
        Poll::Ready(())
    }
}

impl<T: CallbackTransport> Drop for Driver<T> {
    fn drop(&mut self) {
        self.transport.abandon();
    }
}
