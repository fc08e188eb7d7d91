//! What moves a connection on: a task that waits for its stream.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use super::callee::Host;
use super::connection::Connection;
use super::{BufferedProtocol, Protocol};
use crate::task::budget;

/// One step reads at most so often, and only once as much as the buffer takes, so that a busy
/// connection cannot keep others waiting.
const READS_A_STEP: u32 = 16;

/// How much a buffered protocol is asked to take at once.
const HINT: usize = 64 * 1024;

/// The future of a connection's task. The loop owns it, and with it the connection.
pub(super) struct Driver(pub(super) Rc<Connection>);

impl Future for Driver {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let connection = &self.0;
        if !connection.is_made() {
            connection.begin(cx.waker());
        }
        receive(connection, cx);
        connection.flush(cx);
        connection.close_if_forgotten();
        if !connection.is_over() {
            return Poll::Pending;
        }
        if connection.is_closed_in_order() {
            discard(connection, cx);
        }
        connection.lose();
        Poll::Ready(())
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.cut();
    }
}

/// What one read has brought.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Received {
    /// All there was, for now.
    Some,
    /// As much as the buffer takes: there may be more.
    Full,
    End,
}

fn receive(connection: &Connection, cx: &mut Context<'_>) {
    for _ in 0..READS_A_STEP {
        if !connection.is_reading() {
            return;
        }
        let received = connection.call(|protocol| match protocol.buffered() {
            Some(protocol) => poll_buffered(connection, protocol, cx),
            None => poll_shared(connection, protocol, cx),
        });
        match received {
            None | Some(Poll::Pending) => return,
            Some(Poll::Ready(Err(error))) => return connection.fail(error),
            Some(Poll::Ready(Ok(Received::End))) => return connection.take_end(),
            Some(Poll::Ready(Ok(Received::Full))) => break,
            Some(Poll::Ready(Ok(Received::Some))) => {}
        }
    }
    cx.waker().wake_by_ref();
}

/// Receives what nobody wants any more. The system resets a connection that is closed with
/// something unread, and then the other end may never get what it was sent last.
fn discard(connection: &Connection, cx: &mut Context<'_>) {
    let mut buffer = connection.of().lend_buffer();
    for _ in 0..READS_A_STEP {
        match budget::unlimited(|| connection.poll_read(cx, &mut buffer)) {
            Poll::Ready(Ok(1..)) => {}
            _ => return,
        }
    }
}

/// Receives into the buffer that the loop lends.
fn poll_shared(
    connection: &Connection,
    protocol: &mut dyn Protocol,
    cx: &mut Context<'_>,
) -> Poll<io::Result<Received>> {
    let mut buffer = connection.of().lend_buffer();
    let len = ready!(connection.poll_read(cx, &mut buffer))?;
    if len > 0 {
        protocol.data_received(&buffer[..len]);
    }
    Poll::Ready(Ok(Received::new(len, buffer.len())))
}

/// Receives into a buffer of the protocol's own.
fn poll_buffered(
    connection: &Connection,
    protocol: &mut dyn BufferedProtocol,
    cx: &mut Context<'_>,
) -> Poll<io::Result<Received>> {
    let buffer = protocol.get_buffer(HINT);
    let room = buffer.len();
    if room == 0 {
        return Poll::Ready(Err(io::Error::other(
            "get_buffer() gave a buffer of no length: pause reading before there is no room",
        )));
    }
    let len = ready!(connection.poll_read(cx, buffer))?;
    if len > 0 {
        protocol.buffer_updated(len);
    }
    Poll::Ready(Ok(Received::new(len, room)))
}

impl Received {
    fn new(len: usize, room: usize) -> Self {
        match len {
            0 => Received::End,
            len if len < room => Received::Some,
            _ => Received::Full,
        }
    }
}
