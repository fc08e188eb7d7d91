//! What hyper needs of a runtime, from coro: streams with its traits, timers.
//!
//! HTTP/2 wants an executor as well, which is `coro::spawn`.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use coro::time::sleep_until;
use coro::{LoopHandle, race, spawn};
use futures::channel::oneshot::{self, Receiver};
use futures::{AsyncRead, AsyncWrite};
use hyper::rt;

/// A stream, read and written by hyper.
pub(crate) struct HyperIo<S> {
    stream: S,
    /// To read into what hyper has not initialised would take unsafe code.
    buffer: Box<[u8]>,
}

impl<S> HyperIo<S> {
    pub(crate) fn new(stream: S) -> Self {
        HyperIo {
            stream,
            buffer: vec![0; 8 * 1024].into(),
        }
    }
}

impl<S: AsyncRead + Unpin> rt::Read for HyperIo<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut into: rt::ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let HyperIo { stream, buffer } = &mut *self;
        let len = buffer.len().min(into.remaining());
        let read = ready!(Pin::new(stream).poll_read(cx, &mut buffer[..len]))?;
        into.put_slice(&buffer[..read]);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> rt::Write for HyperIo<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_close(cx)
    }
}

/// The timers of the present loop, for hyper.
pub(crate) struct HyperTimer;

impl rt::Timer for HyperTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn rt::Sleep>> {
        self.sleep_until(self.now() + duration)
    }

    /// A task sleeps, as hyper wants what it awaits to be `Send`, which no timer of ours is.
    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn rt::Sleep>> {
        let (mut alarm, due) = oneshot::channel();
        spawn(async move {
            let is_due = race((
                async {
                    sleep_until(deadline).await;
                    true
                },
                async {
                    alarm.cancellation().await;
                    false
                },
            ));
            if is_due.await {
                let _ = alarm.send(()); // nobody may wait any more
            }
        });
        Box::pin(Sleeping(due))
    }

    fn now(&self) -> Instant {
        LoopHandle::current().time()
    }
}

struct Sleeping(Receiver<()>);

impl Future for Sleeping {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(cx).map(drop)
    }
}

impl rt::Sleep for Sleeping {}
