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
    /// What the connection died of. It is answered to everybody from then on.
    failure: Option<rustls::Error>,
    closing: bool,
    /// Who waits to write, and has to learn when a reader finds that the connection died.
    writer: Option<Waker>,
    receivers: Receivers,
}

impl Session {
    pub(super) fn new(connection: Connection) -> Self {
        Session {
            connection,
            failure: None,
            closing: false,
            writer: None,
            receivers: Receivers::default(),
        }
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Ready once each side knows who the other is, and all that it has to be told has been sent.
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
                // The alert that tells the other end goes first, if it can go at all.
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

    /// Gives what was received; nothing only after the other end has said that this was all.
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

    /// Enciphers what `write` hands in, of which it takes no more than it may hold back, and sends
    /// what the stream takes of that; but only after everything from before has been sent.
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
        // Not refused for want of budget: the writer need not come back to have it sent.
        if let Poll::Ready(Err(error)) = budget::unlimited(|| self.poll_send(stream, cx)) {
            return Poll::Ready(Err(error));
        }
        Poll::Ready(Ok(taken))
    }

    /// Ready once everything that was written is on its way.
    pub(super) fn poll_flush<S: AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.poll_sent(stream, cx))?;
        Pin::new(stream).poll_flush(cx)
    }

    /// Says that this was all, and closes the stream for writing.
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

    /// Ready once the other end has ended, or has sent data, which is left to be read. All else that
    /// comes, as the tickets of a server that follow its handshake, is taken in.
    ///
    /// An end without close_notify is an end: nothing that was read depends on it here.
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

    /// Sends close_notify as far as that goes at once, if nothing waits to be sent before it, and
    /// closes the stream for writing.
    pub(super) fn try_close<S: AsyncWrite + Unpin>(&mut self, stream: &mut S) {
        if self.connection.wants_write() || self.connection.is_handshaking() {
            return;
        }
        let cx = &mut Context::from_waker(Waker::noop());
        let _ = self.poll_close(stream, cx);
    }

    pub(super) fn is_closing(&self) -> bool {
        self.closing
    }

    pub(super) fn has_failed(&self) -> bool {
        self.failure.is_some()
    }

    /// Sends what waits to be sent, unless the connection died.
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

    /// As [`poll_receive`](Self::poll_receive), for one of two who may wait at once.
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

    /// Takes in what arrives and deciphers it; none at the end of the stream.
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

    fn failed(&self) -> Option<io::Error> {
        self.failure.as_ref().map(TlsError::of)
    }

    /// Sends the alert as far as that goes at once, and has a waiting writer look.
    fn tell_of_failure<S: AsyncWrite + Unpin>(&mut self, stream: &mut S, cx: &mut Context<'_>) {
        let writer = self.writer.take();
        let _ = budget::unlimited(|| self.poll_send(stream, cx));
        if let Some(writer) = writer {
            writer.wake();
        }
    }
}

/// A stream as rustls wants it: "would block" where it has to be waited for.
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

fn ended_early() -> io::Error {
    io::Error::new(
        io::ErrorKind::UnexpectedEof,
        "tls: the other end closed the connection during the handshake",
    )
}

fn cut_off() -> io::Error {
    io::Error::new(
        io::ErrorKind::UnexpectedEof,
        "tls: the connection ended without close_notify, so that what was received may be cut short",
    )
}

fn closed() -> io::Error {
    io::Error::new(
        io::ErrorKind::BrokenPipe,
        "tls: write to a stream that was closed for writing",
    )
}
