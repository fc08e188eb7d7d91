//! Adapters of coro's streams or timers to hyper's runtime traits.
//!
//! HTTP/2 also needs an executor, which `coro::spawn` can be.

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

/// A stream that hyper reads and writes.
pub(crate) struct HyperIo<S> {
    stream: S,
    /// Reads go through this buffer, since reading into hyper's uninitialised buffer would take
    /// unsafe code.
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

    /// A task sleeps, since hyper needs a `Send` future here, and coro's timers are not `Send`.
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
                let _ = alarm.send(()); // fails if hyper has dropped the sleep
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
