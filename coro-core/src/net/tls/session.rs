//! A rustls connection that is driven over a byte stream.

use std::io::{self, IoSlice, Read, Write};
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use futures::io::{AsyncRead, AsyncWrite};
use rustls::{Connection, Writer};

use super::TlsError;
use super::receivers::{Receivers, TaskOfDirection};
use crate::task::budget;

/// How many times one poll takes bytes from the stream in search of a single one for its caller: a
/// peer that sends nothing but empty records must not keep the loop.
const RECEIVES_MAX: usize = 32;

pub(super) struct Session {
    connection: Connection,
    /// The error that ended the connection. Every later operation gives it.
    failure: Option<rustls::Error>,
    closing: bool,
    /// The task that waits to write. It is woken when a reader finds that the connection failed.
    writer: Option<Waker>,
    receivers: Receivers,
}

impl Session {
    #[inline]
    pub(super) fn new(connection: Connection) -> Self {
        Session {
            connection,
            failure: None,
            closing: false,
            writer: None,
            receivers: Receivers::default(),
        }
    }

    #[inline]
    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Ready once the handshake is done on both sides, and its last message is sent.
    ///
    /// Every round but the last takes in at least a byte, so it ends whatever the peer sends.
    pub(super) fn poll_handshake<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            let sent = self.poll_send(stream, cx);
            if let Some(failure) = &self.failure {
                // The alert for the other end is sent first, if it can be sent.
                return sent.map(|_| Err(TlsError::of(failure)));
            }
            if !self.connection.is_handshaking() {
                ready!(sent)?;
                return Pin::new(stream).poll_flush(cx);
            }
            if !self.connection.wants_read() {
                ready!(sent)?;
                return Poll::Ready(Err(ended_early()));
            }
            if ready!(self.poll_receive(stream, cx))? == 0 && self.failure.is_none() {
                return Poll::Ready(Err(ended_early()));
            }
        }
    }

    /// Gives received bytes; none only after the other end has sent close_notify.
    pub(super) fn poll_read<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
        cx: &mut Context<'_>,
        mut read: impl FnMut(&mut rustls::Reader<'_>) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        ready!(budget::poll(cx)); // what was received before may last for many reads
        for _ in 0..RECEIVES_MAX {
            match read(&mut self.connection.reader()) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    return Poll::Ready(Err(self.failed().unwrap_or_else(cut_off)));
                }
                other => return Poll::Ready(other),
            }
            if let Some(error) = self.failed() {
                return Poll::Ready(Err(error));
            }
            ready!(self.poll_receive_for(TaskOfDirection::Reader, stream, cx))?;
            if self.failure.is_some() {
                self.tell_of_failure(stream, cx);
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Enciphers the bytes that `write` hands in, no more than it may hold back, and sends as many
    /// as the stream takes; but only after all earlier bytes were sent.
    pub(super) fn poll_write<S: AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
        cx: &mut Context<'_>,
        write: impl FnOnce(&mut Writer<'_>) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        if self.closing {
            return Poll::Ready(Err(closed()));
        }
        ready!(self.poll_sent(stream, cx))?;
        let taken = write(&mut self.connection.writer())?;
        // The budget does not refuse this, as the writer need not come back to have it sent.
        if let Poll::Ready(Err(error)) = budget::unlimited(|| self.poll_send(stream, cx)) {
            return Poll::Ready(Err(error));
        }
        Poll::Ready(Ok(taken))
    }

    /// Ready once the stream has taken all bytes that were written.
    pub(super) fn poll_flush<S: AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.poll_sent(stream, cx))?;
        Pin::new(stream).poll_flush(cx)
    }

    /// Sends close_notify, and closes the stream for writing.
    pub(super) fn poll_close<S: AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        self.closing = true;
        self.connection.send_close_notify();
        ready!(self.poll_send(stream, cx))?;
        Pin::new(stream).poll_close(cx)
    }

    /// Ready once the other end has ended, or has sent data, which stays to be read. All other
    /// messages, such as the tickets of a server that follow its handshake, are taken in.
    ///
    /// An end without close_notify is an end: no data that was read depends on it here.
    pub(super) fn poll_end<S: AsyncRead + Unpin>(
        &mut self,
        stream: &mut S,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        for _ in 0..RECEIVES_MAX {
            if self.failure.is_some() || !self.connection.wants_read() {
                return Poll::Ready(Ok(()));
            }
            if ready!(self.poll_receive_for(TaskOfDirection::Closer, stream, cx))? == 0 {
                return Poll::Ready(Ok(()));
            }
            if let Some(error) = self.failed() {
                return Poll::Ready(Err(error));
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Sends close_notify without waiting, if no bytes wait to be sent before it, and closes the
    /// stream for writing.
    pub(super) fn try_close<S: AsyncWrite + Unpin>(&mut self, stream: &mut S) {
        if self.connection.wants_write() || self.connection.is_handshaking() {
            return;
        }
        let cx = &mut Context::from_waker(Waker::noop());
        let _ = self.poll_close(stream, cx);
    }

    #[inline]
    pub(super) fn is_closing(&self) -> bool {
        self.closing
    }

    #[inline]
    pub(super) fn has_failed(&self) -> bool {
        self.failure.is_some()
    }

    /// Sends the bytes that wait, unless the connection failed.
    fn poll_sent<S: AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        match self.failed() {
            Some(error) => Poll::Ready(Err(error)),
            None => self.poll_send(stream, cx),
        }
    }

    fn poll_send<S: AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while self.connection.wants_write() {
            match self.connection.write_tls(&mut Blocking { stream, cx }) {
                Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.writer = Some(cx.waker().clone());
                    return Poll::Pending;
                }
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        Poll::Ready(Ok(()))
    }

    /// As [`poll_receive`](Self::poll_receive), for one of two tasks that may wait at once.
    fn poll_receive_for<S: AsyncRead + Unpin>(
        &mut self,
        receiver: TaskOfDirection,
        stream: &mut S,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let both = self.receivers.waker_of_both(receiver, cx.waker());
        let polled = match &both {
            Some(both) => self.poll_receive(stream, &mut Context::from_waker(both)),
            None => self.poll_receive(stream, cx),
        };
        match polled {
            Poll::Pending => self.receivers.note(receiver, cx.waker()),
            Poll::Ready(_) => self.receivers.wake_other(receiver),
        }
        polled
    }

    /// Takes in bytes and deciphers them; `None` at the end of the stream.
    fn poll_receive<S: AsyncRead + Unpin>(
        &mut self,
        stream: &mut S,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let received = match self.connection.read_tls(&mut Blocking { stream, cx }) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Poll::Pending,
            received => received?,
        };
        self.failure = self.connection.process_new_packets().err();
        Poll::Ready(Ok(received))
    }

    #[inline]
    fn failed(&self) -> Option<io::Error> {
        self.failure.as_ref().map(TlsError::of)
    }

    /// Sends the alert without waiting, and wakes a waiting writer.
    fn tell_of_failure<S: AsyncWrite + Unpin>(&mut self, stream: &mut S, cx: &mut Context<'_>) {
        let writer = self.writer.take();
        let _ = budget::unlimited(|| self.poll_send(stream, cx));
        if let Some(writer) = writer {
            writer.wake();
        }
    }
}

/// A stream as rustls wants it, with the error "would block" for a wait.
struct Blocking<'a, 'b, S> {
    stream: &'a mut S,
    cx: &'a mut Context<'b>,
}

fn unless_pending<T>(poll: Poll<io::Result<T>>) -> io::Result<T> {
    match poll {
        Poll::Ready(result) => result,
        Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
    }
}

impl<S: AsyncRead + Unpin> Read for Blocking<'_, '_, S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        unless_pending(Pin::new(&mut *self.stream).poll_read(self.cx, buffer))
    }
}

impl<S: AsyncWrite + Unpin> Write for Blocking<'_, '_, S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        unless_pending(Pin::new(&mut *self.stream).poll_write(self.cx, bytes))
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        unless_pending(Pin::new(&mut *self.stream).poll_write_vectored(self.cx, slices))
    }

    fn flush(&mut self) -> io::Result<()> {
        unless_pending(Pin::new(&mut *self.stream).poll_flush(self.cx))
    }
}

#[inline]
fn ended_early() -> io::Error {
    io::Error::new(
        io::ErrorKind::UnexpectedEof,
        "tls: the other end closed the connection during the handshake",
    )
}

#[inline]
fn cut_off() -> io::Error {
    io::Error::new(
        io::ErrorKind::UnexpectedEof,
        "tls: the connection ended without close_notify, so that what was received may be cut short",
    )
}

#[inline]
fn closed() -> io::Error {
    io::Error::new(
        io::ErrorKind::BrokenPipe,
        "tls: write to a stream that was closed for writing",
    )
}
